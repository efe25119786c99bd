"""Sweeps as Hydra leaves them: a folder with its plan, and runs that bear its name and the number of their job."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from sonar_slt.errors import UserError
from sonar_slt.runs.registry import LIST, Record

STAMP = re.compile(r"^\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d-\d+_")
BASIC = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"


def sweep_named(everything: Sequence[Record], root: Path, word: str) -> tuple[str, list[Record]]:
    """The name and the runs of a sweep: the `last`, a folder or its name, its beginning, or the name without the time.

    The same sweep is often given in several commands: a name without the time means all of them.
    """
    sweeps: dict[str, list[Record]] = {}
    for run in everything:
        if sweep := run.facts.get("sweep"):
            sweeps.setdefault(Path(str(sweep)).name, []).append(run)
    if not sweeps:
        raise UserError(f"There is no sweep in {root} yet: `sonar-slt train -m seed=1,2,3` makes one. {LIST}")
    name = next(iter(sweeps)) if word == "last" else Path(word).name
    chosen = [one for one in sweeps if one == name] or [one for one in sweeps if bare(one) == name]
    if not chosen and (chosen := [one for one in sweeps if name and one.startswith(name)])[1:]:
        raise UserError(f"sweep={word} is the beginning of several: {', '.join(chosen[:6])}. {LIST}")
    if not chosen:
        names = list(dict.fromkeys([*map(bare, sweeps), *sweeps]))
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        hint = f"Did you mean {' or '.join(near)}?" if near else f"The newest are {', '.join(names[:3])}."
        raise UserError(f"sweep={word}: no such sweep among the {len(sweeps)} of the runs in {root}. {hint} {LIST}")
    return bare(chosen[0]), [run for one in chosen for run in sweeps[one]]


def bare(name: str) -> str:
    """A folder's name without the time in front."""
    return STAMP.sub("", name)


def sweep_folder(record: Record, root: Path) -> Path | None:
    """Where the sweep of a run lies; beside the runs if it was moved with them."""
    if not (sweep := record.facts.get("sweep")):
        return None
    beside = root.parent / "sweeps" / Path(str(sweep)).name
    return beside if beside.is_dir() or not Path(str(sweep)).is_dir() else Path(str(sweep))


def jobs_missing(folder: Path, runs: Sequence[Record]) -> Iterator[str]:
    """Jobs of a sweep that left no run: they failed before one began, or did not begin yet."""
    there = {job for run in runs if Path(str(run.facts.get("sweep"))).name == folder.name and (job := _job(run)) >= 0}
    planned = _planned(folder) or max(there, default=-1) + 1
    yield from (f"job {job} of {folder.name}" for job in range(planned) if job not in there)


def _job(run: Record) -> int:
    job = run.facts.get("job")
    return job if isinstance(job, int) else -1


def _planned(folder: Path) -> int | None:
    """How many jobs the plan of a sweep asks for; None where that cannot be read off its words."""
    try:
        hydra = yaml.safe_load((folder / "multirun.yaml").read_text(encoding="utf-8"))["hydra"]
        sweeper, words = hydra["sweeper"], hydra["overrides"]["task"]
        plan: Mapping[str, Any] = {
            **(sweeper.get("params") or {}),
            **{key: value for key, _, value in (str(word).partition("=") for word in words)},
        }
        basic = sweeper["_target_"] == BASIC
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError):
        return None
    jobs = 1
    for value in map(str, plan.values()):
        if re.match(r"(range|choice|glob|interval|shuffle|sort|tag)\(", value):
            return None
        jobs *= _alternatives(value)
    return jobs if basic else None


def _alternatives(value: str) -> int:
    """How many values stand beside each other: commas outside of brackets and quotes, and one."""
    outside = re.sub(r"'[^']*'|\"[^\"]*\"", "", value)
    while outside != (fewer := re.sub(r"[\[({][^\[\](){}]*[\])}]", "", outside)):
        outside = fewer
    return outside.count(",") + 1
