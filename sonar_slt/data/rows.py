"""Rows of label tables whose form is not known beforehand: columns parted by any delimiter, or json lines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from sonar_slt.data.faults import Fault
from sonar_slt.data.tables import SEPARATORS, decoded, read_table

JSON_LINES = frozenset({".jsonl", ".ndjson"})


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows with their places, by column; faults of lines that are no rows; notes on how the file was saved."""

    rows: Sequence[tuple[str, Mapping[str, Any]]]
    faults: Sequence[Fault]
    notes: Sequence[str]


def read_rows(path: Path, *, required: Sequence[str], delimiter: str | None = None, quoting: bool = True) -> Rows:
    """The rows of a file: json lines by its suffix, else columns, parted by the `delimiter` or by whichever fits."""
    if path.suffix.lower() in JSON_LINES:
        return _json_lines(path)
    table = read_table(path, delimiters=delimiter or _sniffed(path, required), quoting=quoting, required=required)
    return Rows([(table.where(line), line.values) for line in table.rows], table.faults, table.notes)


def cell_text(cell: Any) -> str:
    """A cell as text; nothing for what is none, such as null and containers."""
    if isinstance(cell, str):
        return cell
    number = isinstance(cell, int | float) and isfinite(cell)
    return str(cell) if number else ""


def _sniffed(path: Path, required: Sequence[str]) -> str:
    """The delimiter that parts the first line into the columns that are needed; all of them where none does."""
    first = decoded(path)[0].split("\n", 1)[0].rstrip("\r")
    for delimiter in SEPARATORS:
        if {name.strip().strip('"') for name in first.split(delimiter)} >= set(required):
            return delimiter
    return "".join(SEPARATORS)


def _json_lines(path: Path) -> Rows:
    text, notes = decoded(path)
    rows: list[tuple[str, Mapping[str, Any]]] = []
    faults: list[Fault] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"line {number} of '{path.name}'"
        row, why = None, ""
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            why = f" ({str(error)[:80]})"
        if isinstance(row, dict):
            rows.append((where, row))
        else:
            faults.append(Fault(id=path.name, kind="bad_row", told=f"{where} is no json object{why}"))
    return Rows(rows, faults, notes)
