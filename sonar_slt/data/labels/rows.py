"""Rows of label tables whose form is not known beforehand: columns parted by any delimiter, or json lines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from sonar_slt.data.faults import Fault
from sonar_slt.data.labels.tables import SEPARATORS, decoded, read_table
from sonar_slt.errors import UserError

JSON_LINES = frozenset({".jsonl", ".ndjson"})


@dataclass(frozen=True, slots=True)
class LabelRows:
    """Rows with their places, by column; faults of lines that are no rows; notes on how the file was saved."""

    rows: Sequence[tuple[str, Mapping[str, Any]]]
    faults: Sequence[Fault]
    notes: Sequence[str]


def read_rows(path: Path, *, required: Sequence[str], delimiter: str | None = None, quoting: bool = True) -> LabelRows:
    """The rows of a file: json lines by its suffix, else columns, parted by the `delimiter` or by whichever fits."""
    if path.suffix.lower() in JSON_LINES:
        return _json_lines(path, required)
    delimiters = delimiter or _sniffed(path, required)
    table = read_table(path, delimiters=delimiters, quoting=quoting, required=required, crlf=None)
    return LabelRows([(table.where(line), line.values) for line in table.rows], table.faults, table.notes)


def cell_text(cell: Any) -> str:
    """A cell as text; nothing for what is none, such as null and containers."""
    if isinstance(cell, str):
        return cell
    number = isinstance(cell, int) or (isinstance(cell, float) and isfinite(cell))
    return str(cell) if number else ""


def _sniffed(path: Path, required: Sequence[str]) -> str:
    """The delimiter that parts the first line into the columns that are needed; all of them where none does."""
    first = decoded(path)[0].split("\n", 1)[0].rstrip("\r")
    for delimiter in SEPARATORS:
        if {name.strip().strip('"') for name in first.split(delimiter)} >= set(required):
            return delimiter
    return "".join(SEPARATORS)


def _json_lines(path: Path, required: Sequence[str]) -> LabelRows:
    text, notes = decoded(path, crlf=None)
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
    lacking = [name for name in required if not any(name in row for _, row in rows)]
    if rows and lacking:
        there = ", ".join(dict.fromkeys(name for _, row in rows[:100] for name in row))[:200]
        raise UserError(f"'{path}' has {lacking[0]} in no row; its rows have {there or 'nothing'}.")
    return LabelRows(rows, faults, notes)
