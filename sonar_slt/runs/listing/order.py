"""Runs in an order that is asked for: by what a record names, or by any figure that they reached, the best first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sonar_slt.errors import UserError, did_you_mean
from sonar_slt.runs.registry import Record
from sonar_slt.runs.scores.curves import curves_of
from sonar_slt.runs.scores.figures import figures_of
from sonar_slt.runs.scores.titles import higher_is_better

NEWEST = "started"
ORDERS: Mapping[str, tuple[Callable[[Record], Any], bool]] = {
    NEWEST: (lambda run: run.started and run.started.timestamp(), True),
    "minutes": (lambda run: run.seconds, True),
    "name": (lambda run: run.name, False),
    "verb": (lambda run: run.verb, False),
    "status": (lambda run: run.status, False),
    "id": (lambda run: run.id, False),
}
"""What a record names: how it is read, and whether large values come first."""
LOGGED = ("dev/", "train/")


def in_order(runs: Sequence[Record], by: str, *, reverse: bool = False) -> list[Record]:
    """The runs sorted: large numbers first, names from A, scores from the best; what lacks the value comes last."""
    values, largest = _values(runs, by)
    having = [place for place, value in enumerate(values) if value is not None]
    ordered = sorted(having, key=lambda place: values[place], reverse=largest is not reverse)
    return [runs[place] for place in [*ordered, *(place for place, value in enumerate(values) if value is None)]]


def figure(run: Record, key: str) -> float | None:
    """One figure of a run, from its record or, for `dev/…` and `train/…`, from its log."""
    return figures(run, logged=key.startswith(LOGGED)).get(key)


def figures(run: Record, *, logged: bool = False) -> dict[str, float]:
    """Every figure of a run; those of its log only where they are asked for, as a log takes longer to read."""
    found = figures_of(run, curves_of([run]) if logged else {})
    return {name: figure.value for name, figure in found.items()}


def _values(runs: Sequence[Record], by: str) -> tuple[list[Any], bool]:
    if by in ORDERS:
        read, largest = ORDERS[by]
        return [read(run) for run in runs], largest
    reached = [figures(run, logged=by.startswith(LOGGED)) for run in runs]
    values = [one.get(by) for one in reached]
    if runs and not any(value is not None for value in values):
        known = [*ORDERS, *sorted({name for one in reached for name in one})]
        few = ", ".join(name for name in known if not set(name) & set("/."))
        raise UserError(
            f"sort={by}: none of these runs has such a figure.{did_you_mean(by, known)} They have {few}, "
            "and more below these names."
        )
    return values, higher_is_better(by)
