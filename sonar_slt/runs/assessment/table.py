"""A verdict on the screen: systems, pairs, controls and judges, one block per language.

What speaks against trusting it comes last, in words: failed controls, open items, sheets that did not return.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sonar_slt.runs.scores.titles import language_title


def verdict_table(found: Mapping[str, Any]) -> RenderableType:
    """All blocks of a verdict."""
    parts: list[RenderableType] = []
    for code, block in found["languages"].items():
        name = language_title(code)
        parts += [Text(f"{name}, {found['split']}", style="bold"), _systems(found["systems"], block), Text("")]
        if block["pairs"]:
            parts += [_pairs(found["systems"], block["pairs"]), Text("")]
        parts += [_judges(block["judges"]), *_remarks(found["systems"], block), Text("")]
    if found["missing"]:
        parts.append(Text(f"No ratings yet of {', '.join(found['missing'])}.", style="yellow"))
    return Group(*parts)


def _systems(names: Mapping[str, Any], block: Mapping[str, Any]) -> Table:
    table = _table(("system", "mean, 0 to 100", "95 % interval", "z", "95 % interval", "clips"), left=1)
    for row in block["systems"]:
        cells = [*_score(row["raw"], ".1f"), *_score(row["z"], "+.2f")] if row["raw"] else [""] * 4
        table.add_row(_named(names, row["system"]), *cells, str(row["clips"]))
    for kind, title in (("reference", "(the reference)"), ("other", "(another clip's sentence)")):
        if (value := block["controls"][kind]) is not None:
            table.add_row(Text(title, style="dim"), f"{value:.1f}", "", "", "", "")
    return table


def _pairs(names: Mapping[str, Any], pairs: Sequence[Mapping[str, Any]]) -> Table:
    table = _table(("pair", "difference of z", "p", "p, Holm", "clips"), left=1)
    for row in pairs:
        one, other = row["systems"]
        differs = row["p_holm"] < 0.05
        table.add_row(
            _named(names, one) + Text(" and ") + _named(names, other),
            f"{row['difference']:+.2f}",
            _chance(row["p"]),
            Text(_chance(row["p_holm"]), style="green" if differs else ""),
            str(row["clips"]),
        )
    return table


def _judges(judges: Sequence[Mapping[str, Any]]) -> Table:
    headings = ("judge", "controls", "reference", "other's", "p", "again: differs by", "mean", "spread", "rated")
    table = _table(headings, left=2)
    colours = {"passed": "green", "failed": "red", "too few": "yellow"}
    for row in judges:
        table.add_row(
            Text(_judge(row)),
            Text(f"{row['control']} ({row['controls']})", style=colours[row["control"]]),
            _figure(row["reference"]),
            _figure(row["other"]),
            _chance(row["control_p"]) if row["controls"] else "",
            f"{_figure(row['repeat_difference'])} ({row['repeats']})" if row["repeats"] else "",
            _figure(row["mean"]),
            _figure(row["spread"]),
            str(row["rated"]),
        )
    return table


def _remarks(names: Mapping[str, Any], block: Mapping[str, Any]) -> Iterator[Text]:
    if block["agreement"] is not None:
        yield Text(f"Judges agree with each other at a correlation of {block['agreement']:.2f}.")
    if failed := [_judge(row) for row in block["judges"] if row["control"] == "failed"]:
        yield Text(
            f"Rates another clip's sentence no lower than the reference: judge {', '.join(failed)}.", style="red"
        )
    if without := block["without_failed"]:
        means = (f"{_named(names, row['system'])} {row['raw']['value']:.1f}" for row in without if row["raw"])
        yield Text(f"Without them: {', '.join(means)}.", style="red")
    for row in block["judges"]:
        if row["spread"] == 0:
            yield Text(f"Judge {_judge(row)} gave every system the same: standardised, that says nothing.", style="red")
        if row["open"] or row["not_judged"]:
            told = [f"left {row['open']} open"] * bool(row["open"])
            told += [f"could not judge {row['not_judged']}"] * bool(row["not_judged"])
            yield Text(f"Judge {_judge(row)} {' and '.join(told)}.", style="yellow")
    if number := len(block["comments"]):
        yield Text(f"{number} comments: output=FILE.json writes them.")


def _table(headings: Sequence[str], left: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place < left else "right")
    return table


def _named(names: Mapping[str, Any], folder: str) -> Text:
    run = names.get(folder) or {}
    return Text(f"{run.get('name') or folder} {run.get('id') or ''}".strip())


def _judge(row: Mapping[str, Any]) -> str:
    return f"{row['judge']} ({row['name']})" if row["name"] else str(row["judge"])


def _score(score: Mapping[str, Any], shape: str) -> tuple[str, str]:
    low, high = score["interval"]
    return f"{score['value']:{shape}}", f"{low:{shape}} to {high:{shape}}"


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _chance(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else "<0.001"
