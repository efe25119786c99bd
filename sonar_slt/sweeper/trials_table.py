"""A study on the screen and as a table in its folder: every trial, which key counts, and the best one as a command."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from sonar_slt.files import write_atomically
from sonar_slt.runs.sweeps.jobs import jobs_of

if TYPE_CHECKING:
    from sonar_slt.sweeper.study import Study, Trial

SHOWN = 20
"""Trials on the screen; all of them are in the file."""


def show(study: Study, command: str | None) -> None:
    """Print it, and write `trials.csv`."""
    runs, trials, best = _runs(study.folder), study.trials, study.best
    _write(study, trials, runs)
    console = Console(highlight=False, markup=False)
    ordered = sorted(trials, key=lambda trial: _order(study, trial))
    if trials:
        console.print(_table(ordered[:SHOWN], runs))
    if len(trials) > SHOWN:
        console.print(f"… and {len(trials) - SHOWN} more in {study.folder / 'trials.csv'}", soft_wrap=True)
    if shares := study.importance():
        told = ", ".join(f"{key} {share:.0%}" for key, share in shares.items())
        console.print(f"What parts the better trials from the others: {told}", soft_wrap=True)
    if best is None:
        console.print(f"No trial of {study.folder} reached a value.", soft_wrap=True)
        return
    console.print(f"Best: {best.value:.6g}, trial {best.number} of {len(trials)}:\n{command}", soft_wrap=True)
    console.print(f"Its runs side by side: sonar-slt table {study.folder.name}", soft_wrap=True)


def _table(trials: list[Trial], runs: dict[int, str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("trial", "value"):
        table.add_column(name, justify="right")
    for name in ("settings", "run, or reason"):
        table.add_column(name, overflow="fold")
    for trial in trials:
        value = f"{trial.value:.6g}" if trial.value is not None else "failed" if trial.reason else "running"
        table.add_row(str(trial.number), value, " ".join(trial.words), trial.reason or runs.get(trial.number, ""))
    return table


def _order(study: Study, trial: Trial) -> tuple[bool, float]:
    """The best first, those without a value last."""
    value = trial.value or 0.0
    return trial.value is None, -value if study.sweeper.maximises else value


def _write(study: Study, trials: list[Trial], runs: dict[int, str]) -> None:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["trial", "value", *study.space, "run", "reason"])
    for trial in trials:
        values = [word.partition("=")[2] for word in trial.words]
        rows.writerow([trial.number, trial.value, *values, runs.get(trial.number), trial.reason])
    write_atomically(study.folder / "trials.csv", text.getvalue())


def _runs(folder: Path) -> dict[int, str]:
    """The folder of the run that did the work of each trial."""
    return {job.number: job.run for job in jobs_of(folder) if job.run}
