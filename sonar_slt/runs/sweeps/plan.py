"""The plan of a sweep as Hydra leaves it in its folder: which words each of its jobs has, in their order.

So a job that never began can still be told by its settings.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sonar_slt.runs.registry import Record
from sonar_slt.runs.sweeps.jobs import Job
from sonar_slt.runs.sweeps.trainings import place_of

FUNCTION = re.compile(r"(range|choice|glob|interval|shuffle|sort|tag)\(")


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A job that left nothing; `words` are those of its command."""

    sweep: Path
    number: int
    words: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What it is called."""
        return f"job {self.number} of {self.sweep.name}"


def unbegun(folder: Path, runs: Iterable[Record], jobs: Iterable[Job]) -> Iterator[Planned]:
    """Jobs of a sweep of which nothing is there: they did not begin yet, or failed before they could say so."""
    there = {job for sweep, job in map(place_of, runs) if sweep == folder.name and job >= 0}
    there |= {job.number for job in jobs if job.sweep.name == folder.name}
    plan = planned(folder) or [()] * (max(there, default=-1) + 1)
    yield from (
        Planned(sweep=folder, number=number, words=words) for number, words in enumerate(plan) if number not in there
    )


def planned(folder: Path) -> list[tuple[str, ...]] | None:
    """The words of every job of a sweep; None where they cannot be read off its plan."""
    try:
        hydra = yaml.safe_load((folder / "multirun.yaml").read_text(encoding="utf-8"))["hydra"]
        sweeper, words = hydra["sweeper"], list(map(str, hydra["overrides"]["task"]))
        params: Mapping[str, Any] = sweeper.get("params") or {}
        basic = str(sweeper["_target_"]).endswith("BasicSweeper")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError):
        return None
    # A key that is given again keeps its place among the keys and takes the later values.
    plan = {word.partition("=")[0]: word for word in (*(f"{key}={value}" for key, value in params.items()), *words)}
    if not basic or any(FUNCTION.match(word.partition("=")[2]) for word in plan.values()):
        return None
    return list(itertools.product(*map(_alternatives, plan.values())))


def _alternatives(word: str) -> Sequence[str]:
    """A word for each of the values that stand beside each other: between commas outside of brackets and quotes."""
    key, equals, value = word.partition("=")
    return [f"{key}{equals}{part.strip()}" for part in apart(value)]


def apart(text: str, at: str = ",") -> list[str]:
    """The parts of a text between commas (or what `at` holds) that stand outside of brackets and quotes."""
    parts, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "[({":
            depth += 1
        elif letter in "])}":
            depth -= 1
        if letter in at and depth == 0 and not quote:
            parts.append("")
        else:
            parts[-1] += letter
    return parts
