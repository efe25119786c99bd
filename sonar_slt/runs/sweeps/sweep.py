"""The runs of one sweep: which they are, what was swept, and which of them count.

Nothing is dropped: a run that failed, was killed, is under way or was done again stays, and says why it does not count.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sonar_slt.errors import UserError, did_you_mean
from sonar_slt.runs.registry import LIST, Record, all_runs, find
from sonar_slt.runs.scores.figures import PREFERRED
from sonar_slt.runs.sweeps.comparable import doubts
from sonar_slt.runs.sweeps.effects import Effects, Point, effects
from sonar_slt.runs.sweeps.jobs import Job, jobs_of
from sonar_slt.runs.sweeps.naming import bare, sweep_folder, sweep_named
from sonar_slt.runs.sweeps.plan import Planned, unbegun
from sonar_slt.runs.sweeps.settings import grouped, swept_keys, told, written
from sonar_slt.runs.sweeps.trainings import SweptRun, Trainings, place_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A job that left nothing at all, with its settings where the plan of the sweep tells them."""

    name: str
    settings: Mapping[str, Any] | None
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Runs side by side. `levels` holds the groups of each swept key in order."""

    name: str
    folder: Path  # where its page belongs
    folders: tuple[Path, ...]  # of the sweeps that it is made of
    runs: tuple[SweptRun, ...]
    levels: Mapping[str, tuple[str, ...]]
    missing: tuple[Missing, ...] = ()

    @classmethod
    def read(cls, root: Path, word: str | Sequence[str], *, least: int = 2, logged: bool = True) -> Sweep:
        """The sweep that a word means (`last`, a folder, its name), or several runs named one by one.

        Fewer trainings than `least` are refused; without `logged` no curve is read, which is quicker.
        """
        everything = all_runs(root)
        trainings = Trainings(everything, logged=logged)
        if isinstance(word, str):
            name, found = sweep_named(everything, root, word)
            jobs = [job for one in found for job in jobs_of(one.folder)]
            own = [run for one in found for run in one.runs]
            runs = sorted(trainings.swept(own, jobs), key=lambda run: _order(run, jobs))
            waiting = [job for one in found for job in unbegun(one.folder, own, jobs)]
            folders = tuple(one.folder for one in reversed(found))
            home = folders[-1]
        else:
            runs, waiting = sorted(trainings.named([find(root, one) for one in word]), key=_order), []
            folders = tuple(dict.fromkeys(place for run in runs if (place := sweep_folder(run.record, root))))
            whole = len(folders) == 1 and all(sweep_folder(run.record, root) for run in runs)
            name = bare(folders[0].name) if whole else f"{len(runs)} runs"
            home = folders[0] if whole else root.parent / "sweeps" / f"compared_{_digest(runs)}"
        if len(runs) + len(waiting) * (least < 2) < least:
            raise UserError(_too_few(runs, name))
        return cls(name=name, folder=home, folders=folders, **_settled(runs, waiting))

    @property
    def counted(self) -> list[SweptRun]:
        """The runs whose figures enter the effects."""
        return [run for run in self.runs if run.aside is None]

    @property
    def targets(self) -> list[str]:
        """Every figure that two counted runs have, those that people ask for first."""
        names = [name for run in self.counted for name in run.figures]
        several = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        first = [name for name in PREFERRED if name in several]
        return [*first, *(name for name in several if name not in first)]

    @property
    def figures_of_any(self) -> list[str]:
        """Every figure that a counted run has."""
        return list(dict.fromkeys(name for run in self.counted for name in run.figures))

    def target(self, asked: str | None) -> str:
        """The figure that is asked for, or the first that there is."""
        there = self.targets
        if not there:
            why = "; ".join(f"{run.record.id}: {run.aside or 'no score'}" for run in self.runs[:4])
            raise UserError(f"No two runs of {self.name} have a figure to be compared by yet ({why}).")
        return there[0] if asked is None else self.known(asked, there)

    def known(self, asked: str, there: Sequence[str], key: str = "target") -> str:
        """A figure that is asked for; refused where it is not among those that are there."""
        if asked in there:
            return asked
        hint = did_you_mean(asked, there)
        shown = ", ".join(name for name in there if not name.rpartition("_")[2].istitle())
        raise UserError(
            f"{key}={asked}: the runs of {self.name} have no such figure.{hint} They have {shown}, and scores of one "
            "language, such as bleu/deu_Latn."
        )

    def effects(self, target: str) -> Effects:
        """What each key does to a figure, over the runs that have it, and why one might doubt it."""
        having = [run for run in self.counted if target in run.figures]
        points = [Point(settings=run.groups, seed=run.seed, value=run.figures[target].value) for run in having]
        found = effects(points, self.levels)
        lacking = len(self.counted) - len(having)
        told = [f"{lacking} finished runs have no such figure."] if lacking > 1 else []
        told += ["One finished run has no such figure."] if lacking == 1 else []
        return replace(found, caveats=(*found.caveats, *doubts(having, target), *told))


def _settled(runs: Sequence[SweptRun], waiting: Sequence[Planned]) -> dict[str, Any]:
    """The runs with the values and groups of the keys that differ between them, and the groups of each key."""
    told_of = [job for job in waiting if job.words]
    planned = [told(job.words) for job in told_of]
    nothing = [
        Record(folder=job.sweep / job.name, id=job.name, seed=words.get("seed"))
        for job, words in zip(told_of, planned, strict=True)
    ]
    words = [*(run.settings for run in runs), *planned]
    keys = swept_keys([*(run.record for run in runs), *nothing], words)
    levels: dict[str, tuple[str, ...]] = {}
    groups: dict[str, list[str]] = {}
    for key, values in keys.items():
        groups[key], levels[key] = grouped(values)
    settled = [
        replace(
            run,
            settings={key: values[place] for key, values in keys.items()},
            groups={key: names[place] for key, names in groups.items()},
        )
        for place, run in enumerate(runs)
    ]
    missing = [
        Missing(
            name=job.name,
            settings={key: values[place] for key, values in keys.items()},
            seed=words[place].get("seed"),
        )
        for place, job in enumerate(told_of, len(runs))
    ]
    missing += [Missing(name=job.name, settings=None) for job in waiting if not job.words]
    # A run that several jobs name stands once for the same settings.
    once = {(run.record.folder, *map(written, run.settings.values())): run for run in reversed(settled)}
    return {"runs": tuple(reversed(once.values())), "levels": levels, "missing": tuple(missing)}


def _order(run: SweptRun, jobs: Sequence[Job] = ()) -> tuple[str, int, str]:
    """By sweep and job; what was done before a sweep stands where the first job is that names it."""
    named = [job for job in jobs if run.skipped and job.run == run.record.folder.name]
    sweep, number = (named[0].sweep.name, named[0].number) if named else place_of(run.record)
    return sweep, number, run.record.folder.name


def _too_few(runs: Sequence[SweptRun], name: str) -> str:
    if not runs:
        return f"{name} has no training to compare. {LIST}"
    only = runs[0].record
    return (
        f"{name}: {only.folder.name} is the only training, and one is nothing to compare; "
        f"`sonar-slt report run={only.id}` shows it."
    )


def _digest(runs: Iterable[SweptRun]) -> str:
    """The same runs make the same page."""
    return hashlib.sha256("\n".join(sorted(run.record.folder.name for run in runs)).encode()).hexdigest()[:8]
