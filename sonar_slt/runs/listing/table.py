"""Runs on the screen: one line for each in a table, with the figures that it is compared by."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from sonar_slt.runs.listing.order import ORDERS, figure
from sonar_slt.runs.registry import Record, last_written
from sonar_slt.runs.scores.entries import score_rows
from sonar_slt.runs.scores.numbers import is_number

COLOURS = {"running": "cyan", "finished": "green", "failed": "red", "killed": "yellow", "unreadable": "magenta"}
FIGURES = {"bleu": "BLEU", "bleu/unseen": "unseen", "retrieval_at_1": "R@1"}
"""The figures that have a column of their own where any run has them."""


def runs_table(records: Sequence[Record], *, figure: str = "", width: int = 120) -> Table:
    """A line for each run: what it was, how it ended, its key scores and the `figure` that they are sorted by.

    The last column has the figures below each other; a run without any says there why it ended, or what else it found.
    Names give way first where the terminal is narrow.
    """
    scores = [_figures(run.metrics) for run in records]
    columns = [key for key in FIGURES if any(key in one for one in scores)]
    if asked := _asked(records, figure) if figure not in FIGURES else {}:
        columns = [*(key for key in columns if key == "bleu"), figure]
        scores = [one | asked.get(run.folder, {}) for run, one in zip(records, scores, strict=True)]
    headings = {key: f"{FIGURES.get(key, key):>{max(6, len(FIGURES.get(key, key)) + 1)}}" for key in columns}
    facts: dict[str, list[Text]] = {
        "id": [Text(run.id) for run in records],
        "started": [Text(_when(run.started)) for run in records],
        "verb": [Text(run.verb) for run in records],
        "name": [Text(run.name) for run in records],
        "job": [Text(job_of(run)) for run in records],
        "status": [status_of(run) for run in records],
        "min": [Text(minutes_of(run), justify="right") for run in records],
    }
    if not any(cell.plain for cell in facts["job"]):
        del facts["job"]
    taken = sum(1 + max([len(heading), *map(len, cells)]) for heading, cells in facts.items() if heading != "name")
    room = width - taken - 1 - max(24 if any(map(reason_of, records)) else 0, sum(map(len, headings.values())))
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for heading in facts:
        named = heading == "name"
        table.add_column(heading, no_wrap=not named, overflow="fold", max_width=max(8, room) if named else None)
    table.add_column(Text("".join(headings.values())), overflow="fold")
    last = [_last(run, one, headings) for run, one in zip(records, scores, strict=True)]
    for cells in zip(*facts.values(), last, strict=True):
        table.add_row(*cells)
    return table


def job_of(record: Record) -> str:
    """The number of a run's job, with the sweep's name where that is not the run's own."""
    if (job := record.facts.get("job")) is None:
        return ""
    sweep = Path(str(record.facts.get("sweep"))).name.rpartition("_")[2]
    return f"#{job}" if record.name.endswith(sweep) else f"{sweep} #{job}"


def reason_of(record: Record) -> str:
    """Why a run ended, or where it is under way if that is not here."""
    if (host := record.elsewhere) is None:
        return record.reason or ""
    return f"on {host}, last written {_ago(last_written(record.folder))}"


def minutes_of(record: Record) -> str:
    """How long a run took, or has taken up to now."""
    seconds = record.seconds
    if record.status == "running" and record.started and not record.elsewhere:
        seconds = time.time() - record.started.timestamp()
    return "" if seconds is None else f"{seconds / 60:.1f}"


def status_of(record: Record) -> Text:
    """The status in its colour."""
    return Text(record.status, style=COLOURS[record.status])


def _figures(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Mean BLEU over trained and over unseen languages, and retrieval, as far as they are there."""
    found: dict[str, float] = {}
    for key, seen in (("bleu", True), ("bleu/unseen", False)):
        values = [bleu for row in score_rows(metrics) if row.get("seen") is seen and (bleu := _bleu(row)) is not None]
        if values:
            found[key] = sum(values) / len(values)
    retrieval: Any = metrics.get("retrieval_at_1")
    if is_number(retrieval):
        found["retrieval_at_1"] = float(retrieval)
    return found


def _others(metrics: Mapping[str, Any], figures: Mapping[str, object]) -> list[str]:
    """The figures of a text space, or the first numbers of a run that has no other."""
    parts = []
    if space := metrics.get("space"):
        parts.append(f"AE {space['auto_encoding_bleu']['mean']:.1f}")
        parts += [f"MT {mean:.1f}" for mean in [space["translation_bleu"].get("mean")] if mean is not None]
        parts += [f"xsim++ {mean:.2f} %" for mean in [space["xsim_plus_plus"].get("mean")] if mean is not None]
    if not (parts or figures):
        parts = [f"{key} {value:.4g}" for key, value in metrics.items() if is_number(value)][:3]
    return parts


def _asked(records: Sequence[Record], key: str) -> dict[Path, dict[str, float]]:
    """A figure that the runs are sorted by and that no column shows."""
    if not key or key in ORDERS:
        return {}
    return {run.folder: {key: value} for run in records if (value := figure(run, key)) is not None}


def _last(run: Record, found: Mapping[str, float], headings: Mapping[str, str]) -> Text:
    """The figures under their headings, and below them, or in their place, what is to be said in words."""
    cells = {key: _shown(found[key], key) for key in headings if key in found}
    reason = reason_of(run)
    words = Text(reason, style="dim") if reason else Text("  ".join(_others(run.metrics, cells)))
    if not cells:
        return words
    figures = "".join(f"{cells.get(key, ''):>{len(heading)}}" for key, heading in headings.items())
    return Text.assemble(figures, "\n", words) if words else Text(figures)


def _shown(value: float, key: str) -> str:
    return f"{value:.1f}" if key in FIGURES else f"{value:.4g}"


def _bleu(row: Mapping[str, Any]) -> float | None:
    value: Any = (row.get("bleu") or {}).get("value")
    return float(value) if is_number(value) else None


def _when(started: datetime | None) -> str:
    """Day and time; the year only where it is another one."""
    if started is None:
        return "?"
    return started.strftime("%m-%d %H:%M" if started.year == datetime.now().year else "%Y-%m-%d %H:%M")


def _ago(moment: float) -> str:
    minutes = max(0.0, time.time() - moment) / 60
    for unit, most, length in (("minutes", 120, 1), ("hours", 48 * 60, 60)):
        if minutes < most:
            return f"{minutes / length:.0f} {unit} ago"
    return f"{minutes / 1440:.0f} days ago"
