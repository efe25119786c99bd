"""The table of a sweep before it is drawn: a row for each combination of swept keys, its figures over the seeds.

A row is never dropped. One whose runs failed, or did not begin, stays without figures and says why.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sonar_slt.errors import UserError
from sonar_slt.runs.scores.figures import PREFERRED
from sonar_slt.runs.scores.titles import higher_is_better
from sonar_slt.runs.sweeps.comparable import doubts
from sonar_slt.runs.sweeps.settings import in_order, written
from sonar_slt.runs.sweeps.sweep import Sweep
from sonar_slt.runs.sweeps.trainings import SweptRun

SEED = "seed"
USUAL = ("bleu", "bleu/unseen", "chrf", "retrieval_at_1")
"""The columns where nobody says: those of them that any run has, else the first that runs are compared by."""
SHOWN = 6
"""So many of the jobs of which nothing is known are named."""

Replicate = tuple[str, ...]
"""The values of the keys that are averaged over, mostly just the seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A row less its baseline: over the replicates that both have, and over the sentences of those."""

    mean: float
    pairs: int  # 0: no seed is in both, so that it is a difference of means
    low: float | None = None  # ends of the 95 % interval over the pairs, by Student's t
    high: float | None = None
    sentences: tuple[float, float] | None = None  # ends of the 95 % interval over sentences, mean of all pairs
    alone: int | None = None  # pairs whose own interval over sentences excludes 0 on the side of the mean

    @property
    def over_seeds(self) -> bool:
        """Whether the interval over the pairs excludes 0."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)

    @property
    def over_sentences(self) -> bool:
        """Whether the interval over sentences excludes 0."""
        return self.sentences is not None and (self.sentences[0] > 0 or self.sentences[1] < 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One figure of a row: a value for each replicate that has it."""

    values: Mapping[Replicate, float]
    best: bool = False
    difference: Difference | None = None

    @property
    def mean(self) -> float:
        """Over the replicates."""
        return statistics.fmean(self.values.values())

    @property
    def spread(self) -> float | None:
        """Standard deviation over the replicates; None of a single one."""
        return statistics.stdev(self.values.values()) if len(self.values) > 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One combination of swept keys."""

    settings: Mapping[str, str]  # as they are typed
    runs: Mapping[Replicate, SweptRun]  # those that count
    lacking: Mapping[Replicate, str] = field(default_factory=dict)  # the others and why they have no figures
    cells: Mapping[str, Cell] = field(default_factory=dict)
    baseline: bool = False

    @property
    def wanted(self) -> int:
        """How many replicates were asked for."""
        return len(self.runs) + len(self.lacking)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All rows of a sweep, the columns of its table, and what one has to know about them."""

    name: str
    keys: tuple[str, ...]
    over: tuple[str, ...]
    targets: tuple[str, ...]
    rows: tuple[Row, ...]
    against: str | None = None
    resamples: int = 0  # of the sentences, where differences were tested over them
    warnings: tuple[str, ...] = ()

    def label(self, row: Row) -> str:
        """A row in one line, as one types its settings."""
        return " ".join(f"{key}={value}" for key, value in row.settings.items()) or self.name


def compare(sweep: Sweep, *, targets: Sequence[str] | None = None, over: Sequence[str] = (SEED,)) -> Comparison:
    """The rows of a sweep with their figures; `over` names the keys that make replicates."""
    if strangers := [key for key in over if key != SEED and key not in sweep.levels]:
        swept = ", ".join([*(key for key in sweep.levels if key != SEED), SEED])
        raise UserError(f"over={strangers[0]}: no key that was swept in {sweep.name}; there is {swept}.")
    keys = [key for key in sweep.levels if key not in over]
    if SEED not in over and SEED not in keys and len({run.seed for run in sweep.runs}) > 1:
        keys.append(SEED)
    chosen = _targets(sweep, targets)
    rows = _best([_filled(row, chosen) for row in _rows(sweep, keys, over)], chosen)
    return Comparison(
        name=sweep.name,
        keys=tuple(keys),
        over=tuple(over),
        targets=tuple(chosen),
        rows=tuple(rows),
        warnings=tuple(_warnings(sweep, chosen)),
    )


def _targets(sweep: Sweep, asked: Sequence[str] | None) -> list[str]:
    there = sweep.figures_of_any
    if not there:  # nothing finished: the rows say why
        return list(asked or ())
    if asked is not None:
        return [sweep.known(name, there, "targets" if len(asked) > 1 else "target") for name in dict.fromkeys(asked)]
    usual = [name for name in USUAL if name in there]
    return usual or [name for name in (*PREFERRED, *there) if name in there][:1]


def _rows(sweep: Sweep, keys: Sequence[str], over: Sequence[str]) -> Iterator[Row]:
    runs: dict[Replicate, dict[Replicate, SweptRun]] = {}
    lacking: dict[Replicate, dict[Replicate, str]] = {}
    values = [{SEED: run.seed, **run.settings} for run in sweep.runs]
    waiting = [{SEED: job.seed, **job.settings} for job in sweep.missing if job.settings is not None]
    places = [tuple(written(one.get(key)) for key in keys) for one in (*values, *waiting)]
    replicates = [tuple(written(one.get(key)) for key in over) for one in (*values, *waiting)]
    for place in places:
        runs.setdefault(place, {})
        lacking.setdefault(place, {})
    for run, place, replicate in zip(sweep.runs, places, replicates, strict=False):
        if run.aside is None:
            runs[place][_unlike(replicate, runs[place])] = run
    reasons = [
        *(run.aside for run in sweep.runs),
        *(f"did not begin: {job.name}" for job in sweep.missing if job.settings is not None),
    ]
    for reason, place, replicate in zip(reasons, places, replicates, strict=True):
        if reason is not None and replicate not in runs[place]:  # else it was done again and finished
            lacking[place][replicate] = reason
    orders = [in_order([one.get(key) for one in (*values, *waiting)]) for key in keys]
    for place in sorted(runs, key=lambda place: [order.index(one) for order, one in zip(orders, place, strict=True)]):
        yield Row(settings=dict(zip(keys, place, strict=True)), runs=runs[place], lacking=lacking[place])


def _unlike(replicate: Replicate, there: Iterable[Replicate]) -> Replicate:
    """The same for two runs with equal settings and seed, which were named one by one: none of them is dropped."""
    count = sum(one[: len(replicate)] == replicate for one in there)
    return (*replicate, f"no. {count + 1}") if count else replicate


def _filled(row: Row, targets: Sequence[str]) -> Row:
    cells = {}
    for target in targets:
        values = {at: run.figures[target].value for at, run in row.runs.items() if target in run.figures}
        if values:
            cells[target] = Cell(values=values)
    return replace(row, cells=cells)


def _best(rows: Sequence[Row], targets: Sequence[str]) -> list[Row]:
    """The rows with the best mean of each column marked, where there are two to choose from."""
    best: dict[str, float] = {}
    for target in targets:
        means = [row.cells[target].mean for row in rows if target in row.cells]
        if len(means) > 1 and not math.isclose(min(means), max(means), abs_tol=1e-12):
            best[target] = max(means) if higher_is_better(target) else min(means)
    return [
        replace(row, cells={name: replace(cell, best=cell.mean == best.get(name)) for name, cell in row.cells.items()})
        for row in rows
    ]


def _warnings(sweep: Sweep, targets: Sequence[str]) -> Iterator[str]:
    said: dict[str, list[str]] = {}
    for target in targets:
        for doubt in doubts([run for run in sweep.counted if target in run.figures], target):
            said.setdefault(doubt, []).append(target)
    yield from said
    if unknown := [job.name for job in sweep.missing if job.settings is None]:
        yield f"These jobs left no run: {', '.join(unknown[:SHOWN])}{', …' * (len(unknown) > SHOWN)}."
