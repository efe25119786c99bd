"""The curves as one wide table, for a spreadsheet: a row per step, a column per name. The final scores beside it."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sonar_slt.errors import UserError
from sonar_slt.files import write_atomically
from sonar_slt.runs.mirrors.mirror import Ending, Facts, Former


class CsvMirror:
    """`curves.csv` and `scores.csv` in the run folder, each written anew as a whole, at most every so many seconds."""

    def __init__(self, *, every: float = 10.0) -> None:
        if every < 0:
            raise UserError(f"logger.csv.every={every}: expected a number of seconds, at least 0.")
        self.every = every
        self._rows: dict[int, dict[str, float]] = {}
        self._columns: dict[str, None] = {}
        self._written = 0.0

    def open(self, facts: Facts, former: Sequence[Former]) -> Mapping[str, Any]:
        """Know where the tables go."""
        self._folder = facts.folder
        return {"file": "curves.csv"}

    def log(self, split: str, step: int, values: Mapping[str, float]) -> None:
        """Put figures into the row of their step; a new name is a new column at the end."""
        named = {f"{split}/{name}": value for name, value in values.items()}
        self._rows.setdefault(step, {}).update(named)
        self._columns |= dict.fromkeys(named)
        if time.monotonic() - self._written >= self.every:
            self._write()

    def samples(self, title: str, step: int, rows: Sequence[Mapping[str, Any]]) -> None:
        """Nothing: `samples.jsonl` and `hypotheses/` in the same folder hold them."""

    def finish(self, status: Ending, summary: Mapping[str, Any]) -> None:
        """Write the last rows, and the final scores where there are any."""
        if self._rows:
            self._write()
        if summary:
            write_atomically(self._folder / "scores.csv", _table(("name", "value"), summary.items()))

    def _write(self) -> None:
        lines = ((step, *(row.get(name, "") for name in self._columns)) for step, row in sorted(self._rows.items()))
        write_atomically(self._folder / "curves.csv", _table(("step", *self._columns), lines))
        self._written = time.monotonic()


def _table(columns: Iterable[str], lines: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(lines)
    return text.getvalue()
