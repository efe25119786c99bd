"""The plots of a study as plain svg: bars beside differences with their intervals, or a curve over an ordered axis.

Bars and curves show means over seeds, dots the seeds themselves; only numbers come in, and text goes out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from sonar_slt.page.svg import COLOURS, dot, line, page, text

Values = Mapping[str, Sequence[float]]  # column -> one figure per seed
Interval = tuple[float, float, float]  # mean, low, high


def bars(bleu: Mapping[str, Values], apart: Mapping[str, Mapping[str, Interval]], *, columns: Sequence[str]) -> str:
    """One row per arm: BLEU on the left, on the right how far its chrF2 is from the arm that it is held against."""
    left = 20 + 7.2 * max(map(len, bleu))
    right = left + 360
    tall = 16 * len(columns) + 14
    foot = 40 + tall * len(bleu)
    over = _over([end for intervals in apart.values() for _, *ends in intervals.values() for end in ends])
    drawn = [*_legend(columns, left), *_scale(right + 30, 300, foot, over), *_bleu_scale(left, foot)]
    for row, (title, values) in enumerate(bleu.items()):
        top = 40 + tall * row
        drawn.append(text(left - 10, top + 8 * len(columns) + 5, title, "end"))
        for place, column in enumerate(columns):
            drawn += _bar(left, top + 16 * place, values[column], COLOURS[place % len(COLOURS)])
            if title in apart:
                y = top + 16 * place + 7
                drawn += _whisker(right + 30, 300, y, over, apart[title][column], COLOURS[place % len(COLOURS)])
    return page(drawn, width=round(right + 350), height=foot + 50)


def curve(places: Sequence[tuple[float, Values]], *, axis: str) -> str:
    """BLEU over an ordered axis, logarithmic: the mean as a line, its spread over seeds upright, the seeds as dots."""
    columns = list(places[0][1])
    first, last = math.log(places[0][0]), math.log(places[-1][0])

    def across(at: float) -> float:
        return 70 + 460 * (math.log(at) - first) / (last - first or 1.0)

    drawn = _legend(columns, 70)
    for value in range(0, 101, 20):
        y = 320 - 2.7 * value
        drawn += [line(60, y, 540, y, "#e4e4e4"), text(54, y + 4, str(value), "end")]
    drawn += [text(across(at), 340, f"{at:g}", "middle") for at, _ in places]
    drawn += [text(300, 364, axis, "middle", "#555"), text(54, 21, "BLEU", "end", "#555")]
    for colour, column in zip(COLOURS, columns, strict=False):
        means = [(across(at), 320 - 2.7 * _mean(values[column])) for at, values in places]
        drawn.append(f'<polyline points="{_points(means)}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for (x, _), (_, values) in zip(means, places, strict=True):
            mean, spread = _mean(values[column]), _spread(values[column])
            drawn.append(line(x, 320 - 2.7 * (mean - spread), x, 320 - 2.7 * (mean + spread), colour, 2))
            drawn += [dot(x, 320 - 2.7 * value, colour) for value in values[column]]
    return page(drawn, width=580, height=380)


def _bar(left: float, top: float, values: Sequence[float], colour: str) -> list[str]:
    mean = _mean(values)
    drawn = [f'<rect x="{left:.1f}" y="{top:.1f}" width="{3.2 * mean:.1f}" height="13" fill="{colour}"/>']
    drawn += [dot(left + 3.2 * value, top + 6.5, "#1c2b3f") for value in values]
    return [*drawn, text(left + 3.2 * max(values) + 8, top + 11, f"{mean:.1f}")]


def _whisker(left: float, wide: float, y: float, over: tuple[float, float], apart: Interval, colour: str) -> list[str]:
    x, low, high = (left + wide * (value - over[0]) / (over[1] - over[0]) for value in apart)
    return [
        line(low, y, high, y, colour, 2),
        *(line(end, y - 4, end, y + 4, colour, 2) for end in (low, high)),
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>',
    ]


def _scale(left: float, wide: float, foot: float, over: tuple[float, float]) -> list[str]:
    """The axis of the differences: lines at round numbers, the one at 0 dark."""
    low, high = over
    step = next(step for step in (1, 2, 5, 10, 20, 50) if (high - low) / step <= 6)
    ticks = range(math.ceil(low / step) * step, math.floor(high / step) * step + 1, step)
    drawn = []
    for tick in ticks:
        x = left + wide * (tick - low) / (high - low)
        drawn += [
            line(x, 32, x, foot, "#333" if tick == 0 else "#e4e4e4"),
            text(x, foot + 16, f"{tick:+d}" if tick else "0", "middle"),
        ]
    told = "difference in sentence chrF2, 95 % interval"
    return [*drawn, text(left + wide / 2, foot + 36, told, "middle", "#555")]


def _bleu_scale(left: float, foot: float) -> list[str]:
    drawn = []
    for tick in range(0, 101, 20):
        x = left + 3.2 * tick
        drawn += [line(x, 32, x, foot, "#e4e4e4"), text(x, foot + 16, str(tick), "middle")]
    return [*drawn, text(left + 160, foot + 36, "BLEU, mean over seeds; a dot a seed", "middle", "#555")]


def _legend(columns: Sequence[str], left: float) -> list[str]:
    drawn, x = [], left
    for colour, column in zip(COLOURS, columns, strict=False):
        drawn += [f'<rect x="{x:.1f}" y="10" width="12" height="12" fill="{colour}"/>', text(x + 18, 21, column)]
        x += 40 + 7.2 * len(column)
    return drawn


def _over(ends: Sequence[float]) -> tuple[float, float]:
    """What the axis of the differences spans: all intervals, 0 and some air."""
    low, high = min([0.0, *ends]), max([0.0, *ends])
    air = 0.08 * (high - low) or 1.0
    return low - air, high + air


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _spread(values: Sequence[float]) -> float:
    """Standard deviation over seeds; 0 of a single one."""
    mean = _mean(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1)) if len(values) > 1 else 0.0
