"""A prepared corpus on the screen: the table per split, the faults by kind, and where everything lies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from sonar_slt.data.prepared_folder import PreparedFolder


def show(console: Console, outcome: PreparedFolder) -> None:
    """Everything that `prepare` ends with."""
    summary = outcome.summary
    verb, again = ("Prepared", "") if outcome.made else ("Prepared already", " (renew=true prepares it again)")
    console.print(f"{verb}: {summary['corpus']} in {outcome.folder}{again}")
    console.print(splits_table(summary), languages_table(summary), sep="\n")
    for line in (*summary["known"], *(f"Note: {note}" for note in summary["notes"])):
        console.print(line)
    if summary["faults"]:
        console.print(faults_table(summary["faults"]))
    else:
        console.print("No fault was found.")
    console.print(f"Faults, one a line: {outcome.faults}")
    console.print(f"To look at: {outcome.report}")


def splits_table(summary: Mapping[str, Any]) -> Table:
    """Clips beside what the labels have, hours, frames and signers per split."""
    table = _table("split", "clips", "in the labels", "hours", "frames", "signers")
    for split, found in summary["splits"].items():
        numbers = (_number(found[key]) for key in ("frames", "signers"))
        table.add_row(split, _number(found["clips"]), _number(found["labelled"]), f"{found['hours']:.2f}", *numbers)
    return table


def languages_table(summary: Mapping[str, Any]) -> Table:
    """Sentences and their words, by language and split."""
    table = _table("language", "split", "sentences", "words", "distinct words")
    splits = summary["splits"]
    for code in dict.fromkeys(code for found in splits.values() for code in found["languages"]):
        name = code
        for split, found in splits.items():
            if said := found["languages"].get(code):
                sign = " characters" if said["unit"] == "characters" else ""
                by_machines = f" + {_number(said['pseudo'])} by machine" if said["pseudo"] else ""
                words = (_number(said[key]) + sign for key in ("words", "vocabulary"))
                table.add_row(name, split, _number(said["sentences"]) + by_machines, *words)
                name = ""
    return table


def faults_table(faults: Mapping[str, Mapping[str, int]]) -> Table:
    """How often each kind was found, and what was done."""
    totals = Counter({kind: sum(done.values()) for kind, done in faults.items()})
    table = _table("fault", "found", "done", left=("fault", "done"))
    for kind, number in totals.most_common():
        table.add_row(kind, _number(number), ", ".join(f"{count:,} {done}" for done, count in faults[kind].items()))
    return table


def _table(*headings: str, left: Sequence[str] = ("split", "language")) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, justify="left" if heading in left else "right")
    return table


def _number(value: int) -> str:
    return f"{value:,}"
