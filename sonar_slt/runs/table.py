"""Runs on the screen: one line for each in a table, or all that is known of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sonar_slt.runs.registry import Record

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
    if _is_number(retrieval := metrics.get("retrieval_at_1")):
        parts.append(f"R@1 {retrieval:.1f}")
    if space := metrics.get("space"):
        parts.append(f"AE {space['auto_encoding_bleu']['mean']:.1f}")
        parts += [f"MT {mean:.1f}" for mean in [space["translation_bleu"].get("mean")] if mean is not None]
        parts += [f"xsim++ {mean:.2f} %" for mean in [space["xsim_plus_plus"].get("mean")] if mean is not None]
    if not parts:
        numbers = [(key, value) for key, value in metrics.items() if _is_number(value)]
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
        if _is_number(value):
            grid.add_row(Text(key), f"{value:.4g}")
    return Group(grid, Text(""), scores_table(record.metrics)) if score_rows(record.metrics) else grid


def scores_table(metrics: Mapping[str, Any]) -> Table:
    """BLEU per language with its interval, the two round trips of the reference, chrF2 and N; trained ones first."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("language", ""):
        table.add_column(heading)
    for heading in ("BLEU", "95 % interval", "ceiling", "auto-enc.", "chrF2", "N"):
        table.add_column(heading, justify="right")
    for row in sorted(score_rows(metrics), key=lambda row: not row.get("seen")):
        ceiling, chrf = row.get("ceiling"), (row.get("chrf") or {}).get("value")
        low_high = (row.get("bleu") or {}).get("interval")
        table.add_row(
            Text(str(row.get("name") or row.get("language"))),
            Text("trained", style="blue") if row.get("seen") else Text("unseen", style="yellow"),
            _figure(_bleu(row)),
            f"{low_high[0]:.1f} to {low_high[1]:.1f}" if low_high else "",
            _figure(ceiling),
            _figure(row.get("ae")),
            _figure(chrf),
            str(row.get("n", "")),
        )
    return table


def score_rows(metrics: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The rows of `metrics["scores"]`, one per language; anything else there is passed over."""
    rows = metrics.get("scores")
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def _bleu(row: Mapping[str, Any]) -> float | None:
    value: Any = (row.get("bleu") or {}).get("value")
    return float(value) if _is_number(value) else None


def _status(record: Record) -> Text:
    return Text(record.status, style=COLOURS[record.status])


def _figure(value: Any) -> str:
    return f"{value:.1f}" if _is_number(value) else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
