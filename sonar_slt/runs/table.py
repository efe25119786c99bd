"""Runs on the screen: one line for each in a table, or all that is known of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sonar_slt.runs.registry import Record
from sonar_slt.runs.score_table import scores_table
from sonar_slt.runs.scores import is_number, score_rows

__all__ = ["key_scores", "runs_table", "score_rows", "scores_table", "show"]

COLOURS = {"running": "cyan", "finished": "green", "failed": "red", "killed": "yellow", "unreadable": "magenta"}


def runs_table(records: Iterable[Record]) -> Table:
    """Id, start, verb, name, status, minutes and the key scores of each run; a failed one says why."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("id", "started", "verb", "name", "status"):
        table.add_column(heading, no_wrap=heading in ("id", "started"))
    table.add_column("minutes", justify="right")
    table.add_column("scores", ratio=1)
    for run in records:
        started = run.started.strftime("%Y-%m-%d %H:%M") if run.started else "?"
        minutes = f"{run.seconds / 60:.1f}" if run.seconds is not None else ""
        last = Text(run.reason, style="dim") if run.reason else Text(key_scores(run.metrics))
        words = (Text(run.id), started, Text(run.verb), Text(run.name), _status(run), minutes, last)
        table.add_row(*words)
    return table


def key_scores(metrics: Mapping[str, Any]) -> str:
    """The few figures that fit a line: mean BLEU in trained and in unseen languages, retrieval, else what is there."""
    parts = []
    for title, seen in (("BLEU", True), ("unseen", False)):
        values = [bleu for row in score_rows(metrics) if row.get("seen") is seen and (bleu := _bleu(row)) is not None]
        if values:
            parts.append(f"{title} {sum(values) / len(values):.1f}")
    if is_number(retrieval := metrics.get("retrieval_at_1")):
        parts.append(f"R@1 {retrieval:.1f}")
    if space := metrics.get("space"):
        parts.append(f"AE {space['auto_encoding_bleu']['mean']:.1f}")
        parts += [f"MT {mean:.1f}" for mean in [space["translation_bleu"].get("mean")] if mean is not None]
        parts += [f"xsim++ {mean:.2f} %" for mean in [space["xsim_plus_plus"].get("mean")] if mean is not None]
    if not parts:
        numbers = [(key, value) for key, value in metrics.items() if is_number(value)]
        parts = [f"{key} {value:.4g}" for key, value in numbers[:3]]
    return "  ".join(parts)


def show(record: Record) -> RenderableType:
    """All that is known of one run, its scores last."""
    git = record.git or {}
    code = f"{str(git.get('sha') or 'no commit')[:12]}{' + changes' if git.get('dirty') else ''}" if git else None
    facts = {
        "folder": record.folder, "id": record.id, "verb": record.verb, "name": record.name,
        "status": _status(record), "reason": record.reason,
        "started": record.started.strftime("%Y-%m-%d %H:%M:%S") if record.started else None,
        "minutes": f"{record.seconds / 60:.1f}" if record.seconds is not None else None,
        "parent": record.parent, "code": code, "device": record.device, "seed": record.seed,
        "manifest": record.manifest_hash, "space": record.space_fingerprint,
        "versions": "  ".join(f"{name} {version}" for name, version in record.versions.items()),
        "command": " ".join(record.argv),
    }  # fmt: skip
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for key, value in facts.items():
        if value not in (None, ""):
            grid.add_row(key, value if isinstance(value, Text) else Text(str(value)))
    for key, value in record.metrics.items():
        if is_number(value):
            grid.add_row(Text(key), f"{value:.4g}")
    return Group(grid, Text(""), scores_table(record.metrics)) if score_rows(record.metrics) else grid


def _bleu(row: Mapping[str, Any]) -> float | None:
    value: Any = (row.get("bleu") or {}).get("value")
    return float(value) if is_number(value) else None


def _status(record: Record) -> Text:
    return Text(record.status, style=COLOURS[record.status])
