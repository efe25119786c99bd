"""Which sweep a word means: the last, a folder, its name or the beginning of it, or the name without the time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sonar_slt.errors import UserError, did_you_mean
from sonar_slt.runs.registry import LIST, Record
from sonar_slt.runs.sweeps.jobs import JOBS

STAMP = re.compile(r"^\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d-\d+_")


@dataclass(slots=True)
class Found:
    """A sweep's folder, and the runs that bear its name."""

    folder: Path
    runs: list[Record] = field(default_factory=list)


def sweep_named(everything: Sequence[Record], root: Path, word: str) -> tuple[str, list[Found]]:
    """The name of a sweep and where it lies, the newest first; several where the same one was given several times.

    A sweep is known by its runs, and by the jobs in its folder though none of them left a run.
    """
    sweeps = _all(everything, root)
    if not sweeps:
        raise UserError(f"There is no sweep in {root} yet: `sonar-slt train -m seed=1,2,3` makes one. {LIST}")
    name = next(iter(sweeps)) if word == "last" else Path(word).name
    chosen = [one for one in sweeps if one == name] or [one for one in sweeps if bare(one) == name]
    if not chosen and (chosen := [one for one in sweeps if name and one.startswith(name)])[1:]:
        raise UserError(f"{word!r} is the beginning of several sweeps: {', '.join(chosen[:6])}. {LIST}")
    if not chosen and any(name in (run.id, run.folder.name) for run in everything):
        raise UserError(
            f"{word!r} is a run and no sweep: name several runs, or see it by `sonar-slt runs show {word}`."
        )
    if not chosen:
        names = list(dict.fromkeys([*map(bare, sweeps), *sweeps]))
        hint = did_you_mean(name, names, at_most=3) or f" The newest are {', '.join(names[:3])}."
        raise UserError(f"No sweep {word!r} among the {len(sweeps)} of the runs in {root}.{hint} {LIST}")
    return bare(chosen[0]), [sweeps[one] for one in chosen]


def bare(name: str) -> str:
    """A folder's name without the time in front."""
    return STAMP.sub("", name)


def sweep_folder(record: Record, root: Path) -> Path | None:
    """Where the sweep of a run lies; beside the runs if it was moved with them."""
    if not (sweep := record.facts.get("sweep")):
        return None
    beside = root.parent / "sweeps" / Path(str(sweep)).name
    return beside if beside.is_dir() or not Path(str(sweep)).is_dir() else Path(str(sweep))


def _all(everything: Sequence[Record], root: Path) -> dict[str, Found]:
    """Every sweep by the name of its folder, the last one to begin first."""
    sweeps: dict[str, Found] = {}
    for run in everything:
        if folder := sweep_folder(run, root):
            sweeps.setdefault(folder.name, Found(folder)).runs.append(run)
    for jobs in (root.parent / "sweeps").glob(f"*/{JOBS}"):
        sweeps.setdefault(jobs.parent.name, Found(jobs.parent))
    return dict(sorted(sweeps.items(), key=_begun, reverse=True))


def _begun(sweep: tuple[str, Found]) -> str:
    """Its own time; of a folder that bears none, that of its newest run."""
    name, found = sweep
    newest = max((run.folder.name for run in found.runs), default="")
    return name if STAMP.match(name) else newest
