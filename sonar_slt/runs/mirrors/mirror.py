"""What a mirror is told of a run, and what it has to offer.

A new one is a module here and a yaml in `conf/logger/`; `broadcast` opens, feeds and closes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

Ending = Literal["finished", "failed", "killed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a run when it begins; `record` is the rest of its record, such as versions and choices."""

    id: str
    name: str
    verb: str
    folder: Path
    config: Mapping[str, Any]
    parent: str | None
    group: str | None
    tags: tuple[str, ...]
    record: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Former:
    """The mirror of a run that this one goes on with: its run folder, and what was noted of it in the record there."""

    folder: Path
    noted: Mapping[str, Any]


@runtime_checkable
class Mirror(Protocol):
    """Anything it raises leaves it out of the rest of the run, and harms nothing else."""

    def open(self, facts: Facts, former: Sequence[Former]) -> Mapping[str, Any]:
        """Begin; what comes back is noted in the record. `former` are the runs gone on with, the nearest first."""

    def log(self, split: str, step: int, values: Mapping[str, float]) -> None:
        """Figures of a split at an optimiser step."""

    def samples(self, title: str, step: int, rows: Sequence[Mapping[str, Any]]) -> None:
        """What was said of some clips: one mapping per clip and language."""

    def finish(self, status: Ending, summary: Mapping[str, Any]) -> str | None:
        """End, with the final scores by name; a sentence for the user comes back where there is something to do."""
