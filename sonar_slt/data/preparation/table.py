"""A prepared corpus on the screen: the table per split, the faults by kind, and where everything lies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from sonar_slt.data.preparation.outcome import Outcome


def show(console: Console, outcome: Outcome) -> None:
    """Everything that `prepare` ends with."""
    summary = outcome.summary
    verb = "Prepared" if outcome.made else "Prepared already"
    console.print(f"{verb}: {summary['corpus']} in {outcome.folder}")
    console.print(splits_table(summary))
    for line in (*summary["known"], *(f"Note: {note}" for note in summary["notes"])):
        console.print(line)
    if summary["faults"]:
        console.print(faults_table(summary["faults"]))
    else:
        console.print("No fault was found.")
    console.print(f"Faults, one a line: {outcome.faults}")
    console.print(f"To look at: {outcome.report}")


def splits_table(summary: Mapping[str, Any]) -> Table:
    """Clips, hours, frames and signers per split, and the words of each language."""
    splits = summary["splits"]
    codes = list(dict.fromkeys(code for found in splits.values() for code in found["languages"]))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("split", "clips", "of", "hours", "frames", "signers", "language", "sentences", "words", "distinct"):
        table.add_column(heading, justify="left" if heading in ("split", "language") else "right")
    for split, found in splits.items():
        counts = (found["clips"], found["labelled"])
        own = [
            split,
            *map(_number, counts),
            f"{found['hours']:.2f}",
            _number(found["frames"]),
            _number(found["signers"]),
        ]
        for place, code in enumerate(codes or [""]):
            table.add_row(*(own if not place else [""] * len(own)), *_language(code, found["languages"].get(code)))
    return table


def _language(code: str, found: Mapping[str, Any] | None) -> list[str]:
    if found is None:
        return [code, "", "", ""]
    sign = " 字" if found["unit"] == "characters" else ""
    by_machines = f" (+{_number(found['pseudo'])} by machine)" if found["pseudo"] else ""
    return [
        code,
        _number(found["sentences"]) + by_machines,
        _number(found["words"]) + sign,
        _number(found["vocabulary"]) + sign,
    ]


def faults_table(faults: Mapping[str, Mapping[str, int]]) -> Table:
    """How often each kind was found, and what was done."""
    totals = Counter({kind: sum(done.values()) for kind, done in faults.items()})
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, side in (("fault", "left"), ("found", "right"), ("done", "left")):
        table.add_column(heading, justify="left" if side == "left" else "right")
    for kind, number in totals.most_common():
        table.add_row(kind, _number(number), ", ".join(f"{count:,} {done}" for done, count in faults[kind].items()))
    return table


def _number(value: int) -> str:
    return f"{value:,}"
