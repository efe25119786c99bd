"""Two runs side by side on the screen, and a run beside what it would be today; both fit into 80 columns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sonar_slt.runs.difference.configs import Change, Difference
from sonar_slt.runs.difference.figures import Both, Figures
from sonar_slt.runs.provenance.code import changed_between
from sonar_slt.runs.registry import Record
from sonar_slt.runs.scores.numbers import score_text
from sonar_slt.runs.scores.titles import language_title, title

NOTHING = "—"
MOST = 12
"""So many lines of changed files are shown."""
NAMES = {
    "changed": "uncommitted changes", "code": "code of the package", "lock": "lock file",
    "manifest": "corpus", "space": "space",
}  # fmt: skip
"""How the parts of an origin are called."""


def difference_table(
    first: Record, second: Record, *, config: Difference, origin: Sequence[Change], figures: Figures
) -> RenderableType:
    """All that differs between two runs."""
    parts: list[RenderableType] = [_heads(first, second)]
    parts += _section("Config", _changes(config.computed), "nothing that decides a result")
    parts += _section("Where and how alone", _changes(config.apart), None)
    parts += _section("Code, packages, data", _changes(_named(origin)), "nothing that is known")
    parts += _commits(first, second)
    parts += _section("Scores", _scores(figures.scores), None)
    parts += _section("Other figures", _figures(figures.others), None)
    if not figures.scores and not figures.others:
        parts += [Text(""), Text("Neither run has figures yet.", style="dim")]
    parts += [Text(doubt, style="yellow") for doubt in figures.doubts]
    return Group(*parts)


def again_table(
    record: Record, *, asked: Sequence[Change], drift: Sequence[Change], origin: Sequence[Change], told: Iterable[str]
) -> RenderableType:
    """What is not as it was when this run is done again."""
    ended = f"{record.status}: {record.reason}" if record.reason else record.status
    parts: list[RenderableType] = [Text(f"Again: {record.folder.name} ({record.verb}, {ended})", overflow="fold")]
    parts += [Text(line) for line in (*told, *([] if asked or drift else ["The config is the same."]))]
    parts += _section("Changed by your words", _changes(asked), None)
    parts += _section("Changed by no word of yours: the defaults are others today", _changes(drift), None)
    parts += _section("Code, packages, data: then and now", _changes(_named(origin)), None)
    return Group(*parts)


def machine_readable(
    first: Record, second: Record, *, config: Difference, origin: Sequence[Change], figures: Figures
) -> dict[str, Any]:
    """The same for machines."""
    commits = _between(first, second)
    return {
        "runs": [_head(first), _head(second)],
        "config": {"computed": _rows(config.computed), "apart": _rows(config.apart)},
        "origin": _rows(origin),
        "code": {"commits": commits[0], "stat": commits[1]} if commits else None,
        "scores": [{"language": one.language, **_row(one)} for one in figures.scores],
        "figures": [_row(one) for one in figures.others],
        "doubts": list(figures.doubts),
    }


def _head(run: Record) -> dict[str, Any]:
    facts = {"id": run.id, "folder": run.folder.name, "verb": run.verb, "name": run.name, "status": run.status}
    return {**facts, "seconds": run.seconds, "device": run.device, "seed": run.seed, "parent": run.parent}


def _heads(first: Record, second: Record) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    table.add_column(overflow="fold", ratio=1)
    rows = [(key, *(str(_head(run)[key] or NOTHING) for run in (first, second))) for key in ("id", "folder", "verb")]
    rows += [("status", *(_status(run) for run in (first, second)))]
    rows += [("minutes", *(_minutes(run) for run in (first, second)))]
    for row in rows:
        table.add_row(*map(Text, row))
    if first.id == second.id:
        table.add_row(Text("", style="dim"), Text("The same id: both are the same work."))
    return table


def _minutes(run: Record) -> str:
    return f"{run.seconds / 60:.1f}" if run.seconds is not None else NOTHING


def _status(run: Record) -> str:
    return f"{run.status}: {run.reason}" if run.reason else run.status


def _section(heading: str, body: RenderableType | None, nothing: str | None) -> list[RenderableType]:
    """A part with its heading; one without content says so, or is left out."""
    if body is None:
        return [] if nothing is None else [Text(""), Text(f"{heading}: {nothing}.")]
    return [Text(""), Text(heading, style="bold"), body]


def _changes(found: Sequence[Change]) -> RenderableType | None:
    if not found:
        return None
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 2))
    table.add_column(overflow="fold", max_width=40)
    table.add_column(overflow="fold")
    for one in found:
        sides = (_value(one.first, one.only == "second"), _value(one.second, one.only == "first"))
        table.add_row(Text(one.key), Text(" → ".join(sides)))
    return table


def _value(value: Any, absent: bool) -> str:
    """A value as one types it; a dash where the key is not there."""
    if absent:
        return NOTHING
    if isinstance(value, str):
        return value or "''"
    return json.dumps(value, ensure_ascii=False, default=str)


def _named(origin: Sequence[Change]) -> list[Change]:
    shown = [(one.key.removeprefix("packages."), one) for one in origin]
    return [Change(NAMES.get(key, key), one.first, one.second, one.only) for key, one in shown]


def _between(first: Record, second: Record) -> tuple[int, list[str]] | None:
    one, two = (str((run.git or {}).get("sha") or "") for run in (first, second))
    return changed_between(one, two) if one != two else None


def _commits(first: Record, second: Record) -> list[RenderableType]:
    """How many commits lie between both, and which files they changed."""
    found = _between(first, second)
    if found is None:
        return []
    number, lines = found
    largest = sorted(lines[:-1], key=_size, reverse=True)[:MOST]
    shown = [line for line in lines[:-1] if line in largest]
    more = len(lines) - 1 - len(shown)
    shown += [*([f"… and {more} smaller changes"] if more > 0 else []), *lines[-1:]]
    heading = f"{number} commit{'' if number == 1 else 's'} between them"
    return [Text(heading), *(Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in shown)]


def _size(line: str) -> int:
    """How many lines of a file were changed, from its line of the statistics; a picture has none."""
    count = line.rpartition("|")[2].split()
    return int(count[0]) if count and count[0].isdigit() else 0


def _scores(rows: Sequence[Both]) -> RenderableType | None:
    if not rows:
        return None
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in ("", "score"):
        table.add_column(heading, no_wrap=True)
    for heading in ("first", "second", "difference"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("intervals", no_wrap=True)
    former = None
    for one in rows:
        code = str(one.language)
        values = [score_text(value, one.name) or NOTHING for value in (one.first, one.second)]
        shared = {True: "overlap", False: "apart", None: ""}[one.overlap]
        table.add_row("" if code == former else language_title(code), title(one.name), *values, _delta(one), shared)
        former = code
    return table


def _figures(rows: Sequence[Both]) -> RenderableType | None:
    if not rows:
        return None
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("", overflow="fold")
    for heading in ("first", "second", "difference"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in rows:
        values = [f"{value:.4g}" if value is not None else NOTHING for value in (one.first, one.second)]
        table.add_row(one.name, *values, f"{one.delta:+.4g}" if one.delta else ("0" if one.delta == 0 else ""))
    return table


def _delta(one: Both) -> str:
    if one.delta is None:
        return ""
    return f"{'-' if one.delta < 0 else '+'}{score_text(abs(one.delta), one.name)}"


def _rows(found: Iterable[Change]) -> list[dict[str, Any]]:
    return [{"key": one.key, "first": one.first, "second": one.second, "only": one.only} for one in found]


def _row(one: Both) -> Mapping[str, Any]:
    row: dict[str, Any] = {"name": one.name, "first": one.first, "second": one.second, "difference": one.delta}
    if any(one.intervals):
        row |= {"intervals": [list(ends) if ends else None for ends in one.intervals], "overlap": one.overlap}
    return row
