"""Differences to a baseline: the row that is named, or for each row the one that is alike in all other keys.

Rows are paired over their seeds; where the sentences of both runs lie there, those are paired too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from sonar_slt.errors import UserError, did_you_mean
from sonar_slt.runs.sweeps.comparison import Cell, Comparison, Difference, Row
from sonar_slt.runs.sweeps.effects import interval
from sonar_slt.runs.sweeps.plan import apart
from sonar_slt.runs.sweeps.settings import typed, written
from sonar_slt.runs.sweeps.trainings import SweptRun

Sentences = Callable[[str, Sequence[tuple[SweptRun, SweptRun]]], tuple[tuple[float, float], int] | None]
"""Of a figure and pairs of runs: the interval over sentences, and in how many pairs alone it excludes 0."""


def against(found: Comparison, word: str, sentences: Sentences | None = None) -> Comparison:
    """The table with every row's difference to the baseline that a word names: settings, or the id of a run."""
    chosen = _by_settings(found, word) if "=" in word else _by_run(found, word)
    if len(chosen) == 1:
        partners = {place: chosen[0] for place in range(len(found.rows))}
    else:
        others = [key for key in found.keys if key not in _wanted(found, word)]
        by_others = {tuple(found.rows[place].settings[key] for key in others): place for place in chosen}
        keys = [tuple(row.settings[key] for key in others) for row in found.rows]
        partners = {place: by_others[key] for place, key in enumerate(keys) if key in by_others}
    rows = [
        replace(row, baseline=True)
        if place in chosen
        else _compared(row, found.rows[partners[place]], sentences)
        if place in partners
        else row
        for place, row in enumerate(found.rows)
    ]
    doubts = [
        f"{found.label(found.rows[place])} has no figures to hold others against."
        for place in chosen
        if not found.rows[place].cells
    ]
    if lonely := [row for place, row in enumerate(found.rows) if place not in partners]:
        doubts.append(f"No row with {word} is like {' or '.join(map(found.label, lonely[:3]))} in all other keys.")
    return replace(found, rows=tuple(rows), against=word, warnings=(*found.warnings, *doubts))


def _compared(row: Row, other: Row, sentences: Sentences | None) -> Row:
    cells = {
        name: replace(cell, difference=_difference(name, cell, other.cells[name], row, other, sentences))
        if name in other.cells
        else cell
        for name, cell in row.cells.items()
    }
    return replace(row, cells=cells)


def _difference(target: str, cell: Cell, base: Cell, row: Row, other: Row, sentences: Sentences | None) -> Difference:
    common = [replicate for replicate in cell.values if replicate in base.values]
    if not common:
        return Difference(mean=cell.mean - base.mean, pairs=0)
    values = np.array([cell.values[one] - base.values[one] for one in common])
    low, high = interval(values)
    found = sentences(target, [(row.runs[one], other.runs[one]) for one in common]) if sentences else None
    ends, alone = found or (None, None)
    return Difference(mean=float(values.mean()), pairs=len(common), low=low, high=high, sentences=ends, alone=alone)


def _by_run(found: Comparison, word: str) -> list[int]:
    """The row of a run that is told by its id, the beginning of it, or its folder."""
    hits: dict[str, int] = {}
    names: list[str] = []
    for place, row in enumerate(found.rows):
        for run in row.runs.values():
            for record in (run.record, run.judged):
                names.append(record.id)
                if word.rstrip("/").rpartition("/")[2] == record.folder.name or record.id.startswith(word):
                    hits[record.folder.name] = place
    if not hits:
        raise UserError(
            f"baseline={word}: no run of {found.name} that counts; expected the id of one, or settings such as "
            f"{_example(found)}.{did_you_mean(word, names, at_most=3)}"
        )
    if len(set(hits.values())) > 1:
        raise UserError(f"baseline={word} is the beginning of several runs of {found.name}: give more of the id.")
    return list(set(hits.values()))


def _by_settings(found: Comparison, word: str) -> list[int]:
    """The rows that have all the settings that are named."""
    wanted = _wanted(found, word)
    for key, value in wanted.items():
        if key in found.over:
            raise UserError(f"baseline={word}: {key} is what is averaged over; name another key, or change over=.")
        if key not in found.keys:
            raise UserError(
                f"baseline={word}: {key} was not swept in {found.name}, but {', '.join(found.keys) or 'no key'}."
                f"{did_you_mean(key, found.keys)}"
            )
        there = list(dict.fromkeys(row.settings[key] for row in found.rows))
        if value not in there:
            raise UserError(f"baseline={word}: {key} has the values {', '.join(there)}.")
    chosen = [
        place
        for place, row in enumerate(found.rows)
        if all(row.settings[key] == value for key, value in wanted.items())
    ]
    if not chosen:
        raise UserError(f"baseline={word}: no row of {found.name} has all of these settings.")
    return chosen


def _wanted(found: Comparison, word: str) -> Mapping[str, str]:
    """Key to value of a word such as `objective=[mse]` or `objective=[mse],augment=paper`."""
    parts = [part.strip() for part in apart(word, ", ") if part.strip()]
    if bad := [part for part in parts if "=" not in part]:
        raise UserError(f"baseline={word}: {bad[0]} is no setting; expected key=value, such as {_example(found)}.")
    return {key: written(typed(value)) for key, _, value in (part.partition("=") for part in parts)}


def _example(found: Comparison) -> str:
    return "baseline=" + ",".join(f"{key}={value}" for key, value in found.rows[0].settings.items())
