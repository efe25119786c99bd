"""Runs on the screen: one line for each in a table, with the figures that it is compared by."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from sonar_slt.runs.registry import Record
from sonar_slt.runs.score_table import scores_table
from sonar_slt.runs.scores import is_number, score_rows

__all__ = ["job_of", "key_scores", "reason_of", "runs_table", "score_rows", "scores_table", "status_of"]

COLOURS = {"running": "cyan", "finished": "green", "failed": "red", "killed": "yellow", "unreadable": "magenta"}
FIGURES = {"bleu": "BLEU", "bleu/unseen": "unseen", "retrieval_at_1": "R@1"}
"""The figures that have a column of their own where any run has them."""


def runs_table(records: Sequence[Record], *, figure: str = "") -> Table:
    """A line for each run: what it was, how it ended, its key scores and the `figure` that they are sorted by.

    Columns that no run fills are left out; a run that failed says why at the end of its line.
    """
    scores = [_figures(run.metrics) for run in records]
    columns = {heading: key for key, heading in FIGURES.items() if any(key in one for one in scores)}
    asked = _asked(records, figure) if figure not in FIGURES else {}
    columns = {heading: key for heading, key in columns.items() if key == "bleu" or not asked}
    jobs = [job_of(run) for run in records]
    remarks = [_remark(run, one) for run, one in zip(records, scores, strict=True)]
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for heading in ("id", "started", "verb"):
        table.add_column(heading, no_wrap=True)
    table.add_column("name", overflow="fold", min_width=min(16, max((len(run.name) for run in records), default=1)))
    for heading in ["job"] if any(jobs) else []:
        table.add_column(heading, overflow="fold")
    table.add_column("status", no_wrap=True)
    for heading in ("min", *columns, *([figure] if asked else [])):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in [""] if any(remark.plain for remark in remarks) else []:
        table.add_column(heading, overflow="fold")
    for place, (run, one) in enumerate(zip(records, scores, strict=True)):
        minutes = f"{run.seconds / 60:.1f}" if run.seconds is not None else ""
        figures = [f"{one[key]:.1f}" if key in one else "" for key in columns.values()]
        figures += [f"{asked[run.folder]:.4g}" if run.folder in asked else ""] if asked else []
        cells = [Text(run.id), _when(run.started), Text(run.verb), Text(run.name)]
        cells += [*([Text(jobs[place])] if any(jobs) else []), status_of(run), minutes, *figures]
        table.add_row(*cells, *([remarks[place]] if any(remark.plain for remark in remarks) else []))
    return table


def key_scores(metrics: Mapping[str, Any]) -> str:
    """The few figures that fit a line: mean BLEU in trained and in unseen languages, retrieval, else what is there."""
    figures = _figures(metrics)
    return "  ".join([*(f"{FIGURES[key]} {value:.1f}" for key, value in figures.items()), *_others(metrics, figures)])


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
    return f"on {host}, last written {_ago(_last_sign(record.folder))}"


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
    if is_number(retrieval := metrics.get("retrieval_at_1")):
        found["retrieval_at_1"] = float(retrieval)
    return found


def _others(metrics: Mapping[str, Any], figures: Mapping[str, float]) -> list[str]:
    """The figures of a text space, or the first numbers of a run that has no other."""
    parts = []
    if space := metrics.get("space"):
        parts.append(f"AE {space['auto_encoding_bleu']['mean']:.1f}")
        parts += [f"MT {mean:.1f}" for mean in [space["translation_bleu"].get("mean")] if mean is not None]
        parts += [f"xsim++ {mean:.2f} %" for mean in [space["xsim_plus_plus"].get("mean")] if mean is not None]
    if not (parts or figures):
        parts = [f"{key} {value:.4g}" for key, value in metrics.items() if is_number(value)][:3]
    return parts


def _asked(records: Sequence[Record], key: str) -> dict[Path, float]:
    """A figure that the runs are sorted by and that no column shows."""
    from sonar_slt.runs.listing import ORDERS, figure

    if not key or key in ORDERS:
        return {}
    return {run.folder: value for run in records if (value := figure(run, key)) is not None}


def _remark(run: Record, figures: Mapping[str, float]) -> Text:
    reason = reason_of(run)
    return Text(reason, style="dim") if reason else Text("  ".join(_others(run.metrics, figures)))


def _bleu(row: Mapping[str, Any]) -> float | None:
    value: Any = (row.get("bleu") or {}).get("value")
    return float(value) if is_number(value) else None


def _when(started: datetime | None) -> str:
    """Day and time; the year only where it is another one."""
    if started is None:
        return "?"
    return started.strftime("%m-%d %H:%M" if started.year == datetime.now().year else "%Y-%m-%d %H:%M")


def _last_sign(folder: Path) -> float:
    """When a run last wrote something."""
    times = [path.stat().st_mtime for name in ("record.json", "train_log.jsonl") if (path := folder / name).is_file()]
    return max(times, default=0.0)


def _ago(moment: float) -> str:
    minutes = max(0.0, time.time() - moment) / 60
    for unit, most, length in (("minutes", 120, 1), ("hours", 48 * 60, 60)):
        if minutes < most:
            return f"{minutes / length:.0f} {unit} ago"
    return f"{minutes / 1440:.0f} days ago"
