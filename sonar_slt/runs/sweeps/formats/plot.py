"""The plot of a sweep: a panel for each figure, a row for each combination, a dot for each run.

The mean is an upright mark on its standard deviation; the dashed line is the baseline's mean, where one is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sonar_slt.page.svg import COLOURS, dot, line, page, text, ticks
from sonar_slt.runs.sweeps.comparison import Cell, Comparison, Row
from sonar_slt.runs.sweeps.formats.wording import Wording, marks

WIDE, GAP, TALL, TOP = 240, 56, 26, 58
LETTER = 6.9
"""Pixels of a letter, near enough to leave room for labels."""
MOST = 60
"""Letters of a label; longer ones are cut at the end."""
GREY, PALE = "#555", "#e4e4e4"


def as_svg(found: Comparison) -> str:
    """The whole picture."""
    words = Wording(found)
    labels = [_short(found.label(row)) for row in found.rows]
    left = 24 + LETTER * max(map(len, labels))
    foot = TOP + TALL * len(found.rows)
    drawn = [text(16, 22, found.name)]
    for place, (row, label) in enumerate(zip(found.rows, labels, strict=True)):
        y = TOP + TALL * place + TALL / 2 + 4
        drawn.append(text(left - 12, y, label, "end", "#111" if row.runs else GREY))
    for place, target in enumerate(found.targets):
        drawn += _panel(found, words, target, left + place * (WIDE + GAP), foot, COLOURS[place % len(COLOURS)])
    notes = list(words.legend()) + [f"{found.label(row)}: {why}" for row in found.rows for why in words.lacking(row)]
    if found.against:
        notes.insert(1, f"Dashed: the mean of {found.against}.")
    drawn += [text(16, foot + 52 + 18 * at, note, colour=GREY) for at, note in enumerate(notes)]
    wide = max(left + len(found.targets) * (WIDE + GAP), 32 + LETTER * max(map(len, notes)))
    return page(drawn, width=round(wide), height=foot + 60 + 18 * len(notes))


def _panel(found: Comparison, words: Wording, target: str, left: float, foot: float, colour: str) -> Iterator[str]:
    low, high = _over([value for row in found.rows if target in row.cells for value in _ends(row.cells[target])])

    def across(value: float) -> float:
        return left + WIDE * (value - low) / (high - low)

    yield text(left + WIDE / 2, 44, words.heading(target), "middle")
    for tick in ticks(low, high):
        yield line(across(tick), TOP - 6, across(tick), foot, PALE)
        yield text(across(tick), foot + 18, f"{tick:g}", "middle", GREY)
    for row in found.rows:
        if row.baseline and target in row.cells:
            x = across(row.cells[target].mean)
            yield line(x, TOP - 6, x, foot, GREY, dashed=True)
    for place, row in enumerate(found.rows):
        yield from _row(words, target, row, TOP + TALL * place + TALL / 2, across, colour, left)


def _row(
    words: Wording, target: str, row: Row, y: float, across: Callable[[float], float], colour: str, left: float
) -> Iterator[str]:
    cell = row.cells.get(target)
    if cell is None:
        yield text(left + WIDE / 2, y + 4, "no figure", "middle", "#b03a3a")
        return
    if cell.spread is not None:
        yield line(across(cell.mean - cell.spread), y, across(cell.mean + cell.spread), y, colour, 2)
    yield line(across(cell.mean), y - 7, across(cell.mean), y + 7, colour, 3)
    yield from (dot(across(value), y, "#1c2b3f") for value in cell.values.values())
    said = words.figure(target, cell.mean) + (marks(cell.difference) if cell.difference else "")
    yield text(across(max(_ends(cell))) + 7, y + 4, said, bold=cell.best)


def _ends(cell: Cell) -> list[float]:
    spread = cell.spread or 0.0
    return [cell.mean - spread, cell.mean + spread, *cell.values.values()]


def _over(values: Sequence[float]) -> tuple[float, float]:
    """What a panel spans: everything and some air, more of it on the right, where figures are written."""
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    air = (high - low) or abs(high) * 0.1 or 1.0
    return low - 0.08 * air, high + 0.25 * air


def _short(label: str) -> str:
    return label if len(label) <= MOST else f"{label[: MOST - 1]}…"
