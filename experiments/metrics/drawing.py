"""The plot of the study: what each metric takes off for other words and for another meaning, and which it prefers.

In the style of the other studies' plots; numbers come in, and text goes out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sonar_slt.page.svg import COLOURS, line, page, text

LEFT, WIDE, SIDE = 190, 300, 250
ROW = 46


def drawn(
    titles: Mapping[str, str],
    shares: Mapping[str, Mapping[str, Mapping[str, float]]],
    preferences: Mapping[str, Mapping[str, Any]],
    *,
    damages: Sequence[str],
) -> str:
    """A row for each metric: bars of two damages, and how often the harmless one of them is preferred."""
    foot = 44 + ROW * len(titles)
    right = LEFT + WIDE + 60
    top = max(120.0, *(shares[name][damage]["share"] for name in titles for damage in damages))
    said = [*_legend(damages), *_axes(foot, right, top)]
    for row, (name, title) in enumerate(titles.items()):
        y = 44 + ROW * row
        said.append(text(LEFT - 10, y + 20, title, "end"))
        for place, damage in enumerate(damages):
            figure = shares[name][damage]
            wide, at = WIDE * figure["share"] / top, y + 17 * place
            said += [
                f'<rect x="{LEFT}" y="{at}" width="{wide:.1f}" height="14" fill="{COLOURS[place]}"/>',
                text(LEFT + wide + 6, at + 12, f"{figure['share']:.0f}"),
            ]
        low, high = (right + SIDE * end / 100 for end in preferences[name]["interval"])
        x = right + SIDE * preferences[name]["value"] / 100
        said += [
            line(low, y + 16, high, y + 16, COLOURS[2], 3),
            f'<circle cx="{x:.1f}" cy="{y + 16}" r="5" fill="{COLOURS[2]}"/>',
            text(x + (10 if x < right + SIDE - 30 else -10), y + 36, f"{preferences[name]['value']:.0f} %", "middle"),
        ]
    return page(said, width=round(right + SIDE + 40), height=foot + 50)


def _axes(foot: float, right: float, top: float) -> list[str]:
    said = []
    for tick in range(0, int(top) + 1, 20):
        x = LEFT + WIDE * tick / top
        said += [line(x, 34, x, foot, "#333" if tick == 100 else "#e4e4e4"), text(x, foot + 16, str(tick), "middle")]
    for tick in (0, 25, 50, 75, 100):
        x = right + SIDE * tick / 100
        said += [line(x, 34, x, foot, "#333" if tick == 50 else "#e4e4e4"), text(x, foot + 16, str(tick), "middle")]
    return [
        *said,
        text(LEFT + WIDE / 2, foot + 36, "points taken off; another meaning's sentence = 100", "middle", "#555"),
        text(right + SIDE / 2, foot + 36, "prefers the right meaning, %; 50: chance", "middle", "#555"),
    ]


def _legend(damages: Sequence[str]) -> list[str]:
    said, x = [], float(LEFT)
    for colour, damage in zip(COLOURS, damages, strict=False):
        said += [f'<rect x="{x:.1f}" y="10" width="12" height="12" fill="{colour}"/>', text(x + 18, 21, damage)]
        x += 40 + 7.2 * len(damage)
    return said
