"""The figures of two runs side by side: how far they lie apart, and whether their intervals overlap.

Overlapping intervals prove nothing; whether a difference on the same sentences is more than chance, paired tests say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sonar_slt.runs.registry import Record
from sonar_slt.runs.scores.entries import score_rows, scores_in
from sonar_slt.runs.scores.numbers import is_number

Interval = tuple[float, float]
ROWS = frozenset({"scores", "legacy", "significance", "diagnosis"})
"""Parts of the metrics that have rows of their own."""


@dataclass(frozen=True, slots=True)
class Both:
    """One figure of both runs, None where a run has none."""

    name: str
    language: str | None
    first: float | None
    second: float | None
    intervals: tuple[Interval | None, Interval | None] = (None, None)

    @property
    def delta(self) -> float | None:
        """The second less the first."""
        return self.second - self.first if self.first is not None and self.second is not None else None

    @property
    def overlap(self) -> bool | None:
        """Whether the intervals share a point; None where one of them is lacking."""
        one, two = self.intervals
        return max(one[0], two[0]) <= min(one[1], two[1]) if one and two else None


@dataclass(frozen=True, slots=True)
class Figures:
    """The scores by language, the other numbers, and why one might not hold them against each other."""

    scores: tuple[Both, ...]
    others: tuple[Both, ...]
    doubts: tuple[str, ...]


def figures(first: Record, second: Record) -> Figures:
    """Every figure that one of two runs has."""
    rows = [{str(row.get("language")): row for row in score_rows(run.metrics)} for run in (first, second)]
    codes = list(dict.fromkeys([*rows[0], *rows[1]]))
    found = [figure for code in codes for figure in _scores(code, rows[0].get(code, {}), rows[1].get(code, {}))]
    one, two = dict(_numbers(first.metrics)), dict(_numbers(second.metrics))
    others = [Both(name, None, one.get(name), two.get(name)) for name in dict.fromkeys([*one, *two])]
    return Figures(tuple(found), tuple(others), tuple(_doubts(first, second, *rows)))


def _scores(code: str, one: Mapping[str, Any], two: Mapping[str, Any]) -> Iterator[Both]:
    ours, theirs = scores_in(one), scores_in(two)
    for name in scores_in({**theirs, **ours}):
        both = ours.get(name, {}), theirs.get(name, {})
        values = tuple(score.get("value") for score in both)
        yield Both(name, code, values[0], values[1], (_interval(both[0]), _interval(both[1])))


def _interval(score: Mapping[str, Any]) -> Interval | None:
    ends = score.get("interval")
    return (float(ends[0]), float(ends[1])) if isinstance(ends, list | tuple) and all(map(is_number, ends)) else None


def _numbers(metrics: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, float]]:
    for key, value in metrics.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{above}{key}.")
        elif is_number(value) and key not in ROWS:
            yield f"{above}{key}", value


def _doubts(first: Record, second: Record, one: Mapping[str, Any], two: Mapping[str, Any]) -> Iterator[str]:
    splits = [run.metrics.get("split") for run in (first, second)]
    if all(splits) and splits[0] != splits[1]:
        yield f"The scores are of different splits: {splits[0]} and {splits[1]}."
        return
    common = [(one[code], two[code]) for code in one if code in two]
    if any(a.get("ids_hash") and b.get("ids_hash") and a["ids_hash"] != b["ids_hash"] for a, b in common):
        yield "The scores are of different sentences, and do not belong beside each other."
    signed = [(x.get("signature"), scores_in(b)[n].get("signature"))
              for a, b in common for n, x in scores_in(a).items() if n in scores_in(b)]  # fmt: skip
    if any(x and y and x != y for x, y in signed):
        yield "The scores have different signatures: they were reckoned in different ways."
