"""The rows of a sweep: its trainings (or evaluations), each with what went on from it and what judged it.

Of the same work the newest that finished counts; every other one stays, and says why it does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sonar_slt.errors import UserError
from sonar_slt.runs.registry import Record
from sonar_slt.runs.scores.curves import Curve, curves_of
from sonar_slt.runs.scores.figures import Figure, figures_of
from sonar_slt.runs.sweeps.jobs import Job
from sonar_slt.runs.sweeps.settings import given, told

NOT_OF_WHAT = frozenset({"inputs", "seed"})
"""Words of an evaluation that say which training is meant; its seed is that of the intervals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweptRun:
    """One training of a sweep with its settings; `aside` says why its figures do not count, where they do not."""

    record: Record
    judged: Record  # the newest evaluation of it, else itself
    settings: Mapping[str, Any] = field(default_factory=dict)  # swept key -> typed value
    groups: Mapping[str, str] = field(default_factory=dict)  # swept key -> the group that the run is counted in
    seed: int | None = None
    figures: Mapping[str, Figure] = field(default_factory=dict)
    curves: Mapping[str, Curve] = field(default_factory=dict, repr=False)
    aside: str | None = None
    skipped: bool = False  # its work had been done before the sweep began


class Trainings:
    """All runs of a folder, and how they hang together. Without `logged` no curve is read."""

    def __init__(self, everything: Sequence[Record], *, logged: bool) -> None:
        self._everything, self._logged = everything, logged
        self.by_folder = {run.folder.name: run for run in everything}
        self._judged: dict[str, Record] = {}
        for run in everything:  # the newest comes first and stays
            if run.verb == "evaluate" and run.status == "finished" and run.parent:
                self._judged.setdefault(self._training(run).folder.name, run)

    def named(self, records: Sequence[Record]) -> list[SweptRun]:
        """The trainings of runs that were named one by one; an evaluation that was named is the one that counts."""
        judged = dict(self._judged)
        for record in records:
            if record.verb == "evaluate":
                judged[self._training(record).folder.name] = record
        chains = self._chains([self._training(record) for record in records])
        groups = _together(chains, lambda chain: chain[0].folder.name)
        return [row for same in groups for row in self._rows(same, judged)]

    def swept(self, records: Sequence[Record], jobs: Sequence[Job]) -> list[SweptRun]:
        """The trainings of a sweep, or its evaluations where it is one of those; jobs without a run stand for them."""
        own = {record.folder.name for record in records}
        done: dict[str, list[Job]] = {}
        for job in jobs:
            if (run := self._run_of(job, records)) is not None:
                done.setdefault(run.folder.name, []).append(job)
                own |= set() if job.skipped else {run.folder.name}
        records = [self.by_folder[name] for name in dict.fromkeys([*own, *done])]
        evaluations = [record for record in records if record.verb == "evaluate"]
        chains = self._chains([record for record in records if record.verb != "evaluate"])
        groups = _together([*chains, *((one,) for one in evaluations)], lambda chain: chain[0].id)
        rows = [row for same in groups for row in self._rows(same, self._judged)]
        rows = [each for row in rows for each in self._for_each_job(row, done, own)]
        here = {id(job) for same in done.values() for job in same}
        return rows + [_unborn(job) for job in jobs if id(job) not in here]

    def _run_of(self, job: Job, records: Sequence[Record]) -> Record | None:
        """The run that did the work of a job; of one that was killed before it could name its own, found by itself."""
        if job.run is not None:
            return self.by_folder.get(job.run)
        place = job.sweep.name, job.number
        return next((run for run in records if place_of(run) == place), None)

    def _for_each_job(self, row: SweptRun, done: Mapping[str, Sequence[Job]], own: set[str]) -> Iterator[SweptRun]:
        """A run once for its own job, and for every job that was skipped because of it, by that job's words."""
        names = [record.folder.name for record in self._chain(row.record)]
        skipped = [job for name in names for job in done.get(name, ()) if job.skipped]
        if not skipped or own & {*names}:
            yield row
        for job in skipped:
            yield replace(row, settings={**row.settings, **_words(job)}, skipped=True)

    def _training(self, record: Record) -> Record:
        """What an evaluation judged; its rerun names the former evaluation, and that its training."""
        while record.verb == "evaluate" and (parent := self.by_folder.get(Path(record.parent or "").name)):
            record = parent
        return record

    def _chains(self, trainings: Iterable[Record]) -> list[tuple[Record, ...]]:
        """Every training that these begin with, or go on with, and each that went on from it."""
        begun: dict[str, Record] = {}
        for training in trainings:
            if training.verb not in ("train", "evaluate") and training.status != "unreadable":
                raise UserError(
                    f"{training.folder.name} is a run of {training.verb!r}; only trainings stand beside each other."
                )
            first = self._chain(training)[0]
            begun[first.folder.name] = first
        heirs = [self._chain(run) for run in self._everything if run.verb == "train"]
        found = [*((first,) for first in begun.values()), *(one for one in heirs if one[0].folder.name in begun)]
        return list({chain[-1].folder.name: chain for chain in found}.values())

    def _chain(self, record: Record) -> tuple[Record, ...]:
        """A training with those that it goes on from, the first one first."""
        chain = [record]
        while record.verb == "train" and record.parent and (former := self.by_folder.get(Path(record.parent).name)):
            # A rerun names what it was made from, but begins anew.
            if former.verb != "train" or former in chain or record.facts.get("rerun_of") == record.parent:
                break
            record = former
            chain.insert(0, record)
        return tuple(chain)

    def _rows(self, chains: Sequence[tuple[Record, ...]], judged: Mapping[str, Record]) -> Iterator[SweptRun]:
        """Every training of the same work; the newest that finished counts, the others say why they do not."""
        finished = [chain[-1] for chain in chains if chain[-1].status == "finished"]
        newest = max(finished, key=lambda run: run.folder.name, default=None)
        for chain in chains:
            run = chain[-1]
            aside = None if run is newest else _aside(run, newest, chains)
            yield self._evaluation(run, aside) if run.verb == "evaluate" else self._row(chain, judged, aside)

    def _row(self, chain: tuple[Record, ...], judged: Mapping[str, Record], aside: str | None) -> SweptRun:
        run = chain[-1]
        scored, curves = judged.get(run.folder.name, run), curves_of(chain) if self._logged else {}
        return SweptRun(
            record=run,
            judged=scored,
            settings={key: value for one in chain for key, value in given(one).items()},
            seed=run.seed,
            figures=figures_of(scored, curves, run.seconds / 60 if run.seconds is not None else None),
            curves=curves,
            aside=aside,
        )

    def _evaluation(self, run: Record, aside: str | None) -> SweptRun:
        """An evaluation as a row of its own: told by the words of its training and by its own."""
        training = self._training(run)
        words = {key: value for one in self._chain(training) for key, value in given(one).items()}
        own = {key: value for key, value in given(run).items() if training is run or key not in NOT_OF_WHAT}
        return SweptRun(
            record=run,
            judged=run,
            settings={**words, **own},
            seed=training.seed,
            figures=figures_of(run, {}, run.seconds / 60 if run.seconds is not None else None),
            aside=aside,
        )


def _together(chains: Iterable[tuple[Record, ...]], key: Any) -> list[list[tuple[Record, ...]]]:
    groups: dict[str, list[tuple[Record, ...]]] = {}
    for chain in chains:
        groups.setdefault(key(chain), []).append(chain)
    return list(groups.values())


def place_of(run: Record) -> tuple[str, int]:
    """The name of a run's sweep, and the number of its job there."""
    job = run.facts.get("job")
    return Path(str(run.facts.get("sweep") or "")).name, job if isinstance(job, int) else -1


def _unborn(job: Job) -> SweptRun:
    record = job.record()
    return SweptRun(record=record, judged=record, settings=_words(job), seed=record.seed, aside=_why(record))


def _words(job: Job) -> dict[str, Any]:
    """The words of a job; of an evaluation without those that say what it evaluates."""
    words = told(job.words)
    return {key: value for key, value in words.items() if key not in NOT_OF_WHAT} if "inputs" in words else words


def _aside(run: Record, newest: Record | None, chains: Sequence[tuple[Record, ...]]) -> str:
    if newest and any(chain[-1] is newest and run in chain for chain in chains):
        return f"gone on with in {newest.folder.name}"
    if run.status == "finished" and newest:
        return f"done again in {newest.folder.name}"
    return _why(run)


def _why(run: Record) -> str:
    return f"{run.status}: {run.reason}" if run.reason else run.status
