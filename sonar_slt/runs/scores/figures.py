"""The figures that a run can be compared by, each under a key that a person can type: bleu, chrf/unseen, dev/loss.

They are gathered from whatever the run's record and logs hold, so that a new score needs no line here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sonar_slt.runs.registry import Record
from sonar_slt.runs.scores.curves import Curve
from sonar_slt.runs.scores.entries import score_rows
from sonar_slt.runs.scores.numbers import is_number
from sonar_slt.runs.scores.titles import FIGURES, higher_is_better

PREFERRED = ("bleu", "space.auto_encoding_bleu.mean", "retrieval_at_1", "dev/bleu", "dev/loss", "train/loss")
"""What runs are compared by where nobody says: the first of these that any of them has."""
PASSED_OVER = frozenset(
    {"scores", "mean_bleu", "legacy", "diagnosis", "n", "n_decoded", "resamples", "seed", "norm", "split", "language"}
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One value of a run, and the ends of its interval where it has one."""

    value: float
    low: float | None = None
    high: float | None = None


def figures_of(judged: Record, curves: Mapping[str, Curve], minutes: float | None = None) -> dict[str, Figure]:
    """Every figure of a run: `judged` is the record that holds its scores, `curves` what was logged on the way."""
    found = _scores(judged.metrics)
    found |= {key: Figure(value) for key, value in _numbers(judged.metrics) if key not in found}
    for name, curve in curves.items():
        values = [value for _, value in curve]
        if name.startswith("dev/") and values:
            found[name] = Figure(max(values) if higher_is_better(name) else min(values))
        elif values:
            last = values[-max(1, len(values) // 10) :]  # a single batch's loss says little
            found[name] = Figure(sum(last) / len(last))
    if minutes is not None:
        found["minutes"] = Figure(minutes)
    return found


def _scores(metrics: Mapping[str, Any]) -> dict[str, Figure]:
    """Each score of each language, and its means over the trained and the unseen ones."""
    rows = score_rows(metrics)
    found: dict[str, Figure] = {}
    for name in dict.fromkeys(key for row in rows for key in row):
        per_language = [(row, figure) for row in rows if (figure := _figure(name, row.get(name))) is not None]
        for suffix, seen in (("", True), ("/unseen", False)):
            if chosen := [figure for row, figure in per_language if row.get("seen") is seen]:
                found[name + suffix] = _mean(chosen)
        if name in FIGURES:
            found |= {f"{name}/{row['language']}": figure for row, figure in per_language if row.get("language")}
    return found


def _figure(name: str, value: Any) -> Figure | None:
    if name not in PASSED_OVER and is_number(value):
        return Figure(float(value))
    if not isinstance(value, Mapping) or "signature" not in value or not is_number(value.get("value")):
        return None
    low, high = value.get("interval") or (None, None)
    return Figure(float(value["value"]), low, high)


def _mean(figures: list[Figure]) -> Figure:
    """Mean of values and of ends: an interval on the wide side, as scores of the same clips move together."""

    def over(values: list[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return sum(known) / len(known) if len(known) == len(values) else None

    value = sum(figure.value for figure in figures) / len(figures)
    return Figure(value, over([figure.low for figure in figures]), over([figure.high for figure in figures]))


def _numbers(metrics: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, float]]:
    for key, value in metrics.items():
        if key in PASSED_OVER:
            continue
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{above}{key}.")
        elif is_number(value):
            yield above + key, float(value)
    means = metrics.get("mean_bleu") if not above else None
    if isinstance(means, Mapping):
        named = {"bleu": means.get("trained"), "bleu/unseen": means.get("unseen")}
        yield from ((key, float(value)) for key, value in named.items() if is_number(value))
