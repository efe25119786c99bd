"""The final scores of a run as flat names, and the sentences that stand beside them.

`bleu/deu_Latn` with `_low` and `_high`, its signature, the floors, the number of sentences and the hash of their ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from sonar_slt.files import read_lines
from sonar_slt.runs.folder import all_hypotheses
from sonar_slt.runs.scores.entries import score_rows
from sonar_slt.runs.scores.numbers import is_number

NO_SCORES = frozenset({"resamples", "seed", "seen", "anchored"})
"""Numbers of an entry that are no figures of the system."""
SHOWN = 50
"""Sentences of a language that a mirror shows."""


def final_scores(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Every figure of a run's `metrics` under one name each; signatures and hashes stay texts."""
    found: dict[str, Any] = {}
    for name, value in metrics.items():
        if is_number(value):
            found[name] = value
        elif isinstance(value, Mapping):
            found |= {f"{name}/{key}": inner for key, inner in value.items() if is_number(inner)}
    for entry in score_rows(metrics):
        found |= _of_language(entry)
    return found


def _of_language(entry: Mapping[str, Any]) -> dict[str, Any]:
    code: str = entry["language"]
    found: dict[str, Any] = {}
    for name, value in entry.items():
        if isinstance(value, Mapping) and "signature" in value:
            low, high = value.get("interval") or (None, None)
            figures = {"": value["value"], "_low": low, "_high": high, "_signature": value["signature"]}
            found |= {f"{name}/{code}{end}": figure for end, figure in figures.items() if figure is not None}
        elif (is_number(value) and name not in NO_SCORES) or name in ("ids_hash", "references"):
            found[f"{name}/{code}"] = value
    for floor, scores in (entry.get("floors") or {}).items():
        found |= {f"{name}/{code}_{floor}": value for name, value in scores.items() if is_number(value)}
    return found


def said(folder: Path) -> Iterator[dict[str, Any]]:
    """Some hypotheses of each language, spread over the split, with their scores as columns of their own."""
    for path in all_hypotheses(folder):
        for _, group in groupby(read_lines(path), key=lambda line: line.get("language")):
            lines = list(group)
            count = min(SHOWN, len(lines))
            for line in (lines[place * len(lines) // count] for place in range(count)):
                scores = line.get("scores") or {}
                yield {**{key: value for key, value in line.items() if key != "scores"}, **scores}
