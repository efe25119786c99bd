"""Plain svg: the few marks that our plots are made of, on a white page. Only numbers come in, and text goes out."""

from __future__ import annotations

import math
from collections.abc import Iterable
from xml.sax.saxutils import escape

COLOURS = ("#3b6ea8", "#d98b3a", "#5b9a5b", "#9a5b8f")

PAGE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"
 font-family="sans-serif" font-size="13">
<rect width="100%" height="100%" fill="white"/>
{content}
</svg>
"""


def page(drawn: Iterable[str], *, width: int, height: float) -> str:
    """A whole picture of these marks."""
    return PAGE.format(width=width, height=height, content="\n".join(drawn))


def text(x: float, y: float, said: str, anchor: str = "start", colour: str = "#111", *, bold: bool = False) -> str:
    """Words that begin, end or are centred at a place."""
    weight = ' font-weight="bold"' if bold else ""
    return f'<text{weight} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(said)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, colour: str, width: int = 1, *, dashed: bool = False) -> str:
    """A straight line."""
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    dashes = ' stroke-dasharray="4 4"' if dashed else ""
    return f'<line {ends} stroke="{colour}" stroke-width="{width}"{dashes}/>'


def dot(x: float, y: float, colour: str) -> str:
    """One run."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>'


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers between two ends: multiples of 1, 2 or 5 times a power of ten, not more than `most`."""
    if not high > low:
        return [low]
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(step for step in (power, 2 * power, 5 * power, 10 * power, 20 * power) if (high - low) / step < most)
    return [round(place * step, 10) for place in range(math.ceil(low / step), math.floor(high / step) + 1)]
