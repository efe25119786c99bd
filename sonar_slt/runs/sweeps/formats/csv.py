"""The table of a sweep as csv: one line for each combination, plain numbers, nothing rounded."""

from __future__ import annotations

import csv
import io
from typing import Any

from sonar_slt.runs.sweeps.comparison import Comparison, Row
from sonar_slt.runs.sweeps.formats.wording import Wording

FIGURES = ("mean", "std", "n")
DIFFERENCES = ("difference", "pairs", "low", "high", "sentences_low", "sentences_high", "sentences_pairs")


def as_csv(found: Comparison) -> str:
    """Header and rows; the names of a figure's columns are `bleu mean`, `bleu std` and so on."""
    words, stream = Wording(found), io.StringIO()
    parts = (*FIGURES, *(DIFFERENCES if found.against else ()))
    heads = [*found.keys, "runs", "counted", *(f"{target} {part}" for target in found.targets for part in parts)]
    heads += [*(["baseline"] if found.against else []), "note"]
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(heads)
    for row in found.rows:
        figures = [value for target in found.targets for value in _figures(row, target, found.against is not None)]
        mark = [int(row.baseline)] if found.against else []
        counts = (row.wanted, len(row.runs))
        writer.writerow([*row.settings.values(), *counts, *figures, *mark, "; ".join(words.lacking(row))])
    return stream.getvalue()


def _figures(row: Row, target: str, compared: bool) -> list[Any]:
    cell = row.cells.get(target)
    if cell is None:
        return [None, None, 0, *([None] * len(DIFFERENCES) if compared else [])]
    found: list[Any] = [cell.mean, cell.spread, len(cell.values)]
    if compared:
        apart = cell.difference
        ends = (apart.sentences if apart else None) or (None, None)
        found += [apart.mean, apart.pairs, apart.low, apart.high, *ends, apart.alone] if apart else [None] * 7
    return found
