"""The figure of a run that a search is after, where that is not what the verb returns."""

from __future__ import annotations

from pathlib import Path

from sonar_slt.errors import UserError, did_you_mean
from sonar_slt.runs.registry import all_runs, find
from sonar_slt.runs.sweeps.trainings import Trainings


def figure(root: Path, run: str | None, metric: str) -> float:
    """The value of `metric` that a run reached; refused where it has none, as no further trial will."""
    if run is None:
        raise UserError(f"sweeper.metric={metric}: its job made no run of which a figure could be read.")
    (row,) = Trainings(all_runs(root), logged=True).named([find(root, run)])
    if metric in row.figures:
        return row.figures[metric].value
    hint = did_you_mean(metric, row.figures)
    raise UserError(f"sweeper.metric={metric}: {run} has no such figure.{hint} It has {', '.join(row.figures)}.")
