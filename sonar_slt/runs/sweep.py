"""The runs of one sweep: which they are, what was swept, and which of them count.

Nothing is dropped: a run that failed, was killed, is under way or was done again stays, and says why it does not count.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sonar_slt.errors import UserError
from sonar_slt.runs.comparable import doubts
from sonar_slt.runs.effects import Effects, Point, effects
from sonar_slt.runs.figures import PREFERRED, Curve, Figure, curves_of, figures_of
from sonar_slt.runs.jobs import bare, jobs_missing, sweep_folder, sweep_named
from sonar_slt.runs.registry import LIST, Record, all_runs, find
from sonar_slt.runs.settings import given, grouped, swept_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class SweptRun:
    """One training of a sweep with its settings; `aside` says why its figures do not count, where they do not."""

    record: Record
    judged: Record  # the newest evaluation of it, else itself
    settings: Mapping[str, Any] = field(default_factory=dict)  # swept key -> typed value
    groups: Mapping[str, str] = field(default_factory=dict)  # swept key -> the group that the run is counted in
    seed: int | None = None
    figures: Mapping[str, Figure]
    curves: Mapping[str, Curve] = field(repr=False)
    aside: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Runs side by side. `levels` holds the groups of each swept key in order."""

    name: str
    folder: Path  # where its page belongs
    folders: tuple[Path, ...]  # of the sweeps that it is made of
    runs: tuple[SweptRun, ...]
    levels: Mapping[str, tuple[str, ...]]
    missing: tuple[str, ...] = ()  # jobs that left no run

    @classmethod
    def read(cls, root: Path, word: str | Sequence[str]) -> Sweep:
        """The sweep that a word means (`last`, a folder, its name), or several runs named one by one."""
        everything = all_runs(root)
        if isinstance(word, str):
            name, found = sweep_named(everything, root, word)
            runs = _trainings(found, everything, by_id=True)
        else:
            runs = _trainings([find(root, one) for one in word], everything, by_id=False)
            name = f"{len(runs)} runs"
        if len(runs) < 2:
            raise UserError(_too_few(runs, name))
        folders = tuple(dict.fromkeys(place for run in runs if (place := sweep_folder(run.record, root))))
        if not isinstance(word, str):
            whole = len(folders) == 1 and all(sweep_folder(run.record, root) for run in runs)
            name = bare(folders[0].name) if whole else name
            home = folders[0] if whole else root.parent / "sweeps" / f"compared_{_digest(runs)}"
            return cls(name=name, folder=home, folders=folders, **_settled(runs))
        missing = tuple(job for place in folders for job in jobs_missing(place, [run.record for run in runs]))
        return cls(name=name, folder=folders[-1], folders=folders, **_settled(runs), missing=missing)

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

    def target(self, asked: str | None) -> str:
        """The figure that is asked for, or the first that there is."""
        there = self.targets
        if asked in there or (asked is None and there):
            return asked or there[0]
        if not there:
            why = "; ".join(f"{run.record.id}: {run.aside or 'no score'}" for run in self.runs[:4])
            raise UserError(f"No two runs of {self.name} have a figure to be compared by yet ({why}).")
        near = difflib.get_close_matches(str(asked), there, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]}?" if near else ""
        shown = ", ".join(name for name in there if not name.rpartition("_")[2].istitle())
        raise UserError(
            f"target={asked}: the runs of {self.name} have no such figure.{hint} They have {shown}, and scores of one "
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


def _trainings(named: Iterable[Record], everything: Sequence[Record], *, by_id: bool) -> list[SweptRun]:
    """The trainings that these records mean, with all that went on from them, in the order of the jobs.

    Of the same work the newest that finished counts; `by_id` takes trainings with the same id for the same work, and
    otherwise only those that were gone on with.
    """
    by_folder = {run.folder.name: run for run in everything}
    judged: dict[str, Record] = {}
    for run in everything:  # the newest comes first and stays
        if run.verb == "evaluate" and run.status == "finished" and run.parent:
            judged.setdefault(Path(run.parent).name, run)
    begun: dict[str, Record] = {}
    for record in named:
        training = by_folder.get(Path(record.parent or "").name, record) if record.verb == "evaluate" else record
        if training.verb not in ("train", "evaluate") and training.status != "unreadable":
            raise UserError(
                f"{record.folder.name} is a run of {record.verb!r}; only trainings stand beside each other."
            )
        if record.verb == "evaluate" and not by_id:
            judged[training.folder.name] = record  # this very one was asked for
        first = _chain(training, by_folder)[0]
        begun[first.folder.name] = first
    chains = [_chain(run, by_folder) for run in (*begun.values(), *everything) if run.verb == "train"]
    groups: dict[str, dict[str, tuple[Record, ...]]] = {}
    for chain in (*((first,) for first in begun.values()), *chains):
        if chain[0].folder.name in begun:
            key = chain[0].id if by_id else chain[0].folder.name
            groups.setdefault(key, {})[chain[-1].folder.name] = chain
    rows = [row for same in groups.values() for row in _judged(list(same.values()), judged)]
    return sorted(rows, key=_order)


def _chain(record: Record, by_folder: Mapping[str, Record]) -> tuple[Record, ...]:
    """A training with those that it goes on from, the first one first."""
    chain = [record]
    while record.verb == "train" and record.parent and (former := by_folder.get(Path(record.parent).name)):
        if former.verb != "train" or former in chain:
            break
        record = former
        chain.insert(0, record)
    return tuple(chain)


def _judged(chains: Sequence[tuple[Record, ...]], judged: Mapping[str, Record]) -> Iterator[SweptRun]:
    """Every training of the same work; the newest that finished counts, the others say why they do not."""
    finished = [chain[-1] for chain in chains if chain[-1].status == "finished"]
    newest = max(finished, key=lambda run: run.folder.name, default=None)
    for chain in chains:
        run = chain[-1]
        scored, curves = judged.get(run.folder.name, run), curves_of(chain)
        minutes = run.seconds / 60 if run.seconds is not None else None
        yield SweptRun(
            record=run,
            judged=scored,
            settings={key: value for one in chain for key, value in given(one).items()},
            seed=run.seed,
            figures=figures_of(scored, curves, minutes),
            curves=curves,
            aside=None if run is newest else _aside(run, newest, chains),
        )


def _aside(run: Record, newest: Record | None, chains: Sequence[tuple[Record, ...]]) -> str:
    if newest and any(chain[-1] is newest and run in chain for chain in chains):
        return f"gone on with in {newest.folder.name}"
    if run.status == "finished" and newest:
        return f"done again in {newest.folder.name}"
    return f"{run.status}: {run.reason}" if run.reason else run.status


def _settled(runs: Sequence[SweptRun]) -> dict[str, Any]:
    """The runs with the values and groups of the keys that differ between them, and the groups of each key."""
    keys = swept_keys([run.record for run in runs], [run.settings for run in runs])
    levels: dict[str, tuple[str, ...]] = {}
    groups: dict[str, list[str]] = {}
    for key, values in keys.items():
        groups[key], levels[key] = grouped(values)
    settled = tuple(
        replace(
            run,
            settings={key: values[place] for key, values in keys.items()},
            groups={key: names[place] for key, names in groups.items()},
        )
        for place, run in enumerate(runs)
    )
    return {"runs": settled, "levels": levels}


def _order(run: SweptRun) -> tuple[str, int, str]:
    facts = run.record.facts
    job = facts.get("job")
    return Path(str(facts.get("sweep") or "")).name, job if isinstance(job, int) else 0, run.record.folder.name


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
