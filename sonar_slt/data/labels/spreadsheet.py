"""Numbers that a spreadsheet took for others: with dots as separators of thousands, the decimal point is lost.

`712.6200000000001` comes back as `7.126.200.000.000.000`. The digits are right, their place is not: every value that
they can stand for is named, and the right one is chosen by what else is known, or none is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sonar_slt.data.release import Span

DAY = 86_400.0
"""Seconds; no recording is longer, so a larger number has lost its decimal point."""
LONGEST = 120.0
"""Seconds; no clip of a sentence whose times must be mended without other times is longer."""
NEAR = 0.01
"""Seconds by which a mended time may differ from a time that is known."""
_PLAIN = re.compile(r"[+-]?\d{1,18}(\.\d{1,24})?([eE][+-]?\d{1,2})?", re.ASCII)
_COMMA = re.compile(r"[+-]?(\d{1,18}|\d{1,3}(\.\d{3}){1,5}),\d{1,24}", re.ASCII)
_DOTTED = re.compile(r"\d{1,3}(\.\d{3}){2,}", re.ASCII)
_ONE_DOT = re.compile(r"\d{1,3}\.\d{3}", re.ASCII)
_POWER = re.compile(r"(\d)[.,](\d{1,24})[eE][+]?\d{1,2}", re.ASCII)


def readings(written: str) -> list[float]:
    """Every number that this can stand for: one where it is whole, several where the point is lost, else none."""
    written = written.strip()
    value = None
    if _PLAIN.fullmatch(written):
        value = float(written)
    elif _COMMA.fullmatch(written):
        value = float(written.replace(".", "").replace(",", "."))
    if value is not None and abs(value) <= DAY:
        return [value]
    lost = _DOTTED.fullmatch(written) or value is not None or _POWER.fullmatch(written)
    return _placed(written) if lost else []


def _placed(written: str) -> list[float]:
    """The digits with the point at every place."""
    digits = re.sub(r"\D", "", re.split("[eE]", written)[0])
    if len(digits) > 24 or written.startswith("-"):
        return []
    values = [int(digits) / 10**place for place in range(len(digits) + 2)]
    return [value for value in values if value <= DAY]


def time(written: str, known: float | None) -> list[float]:
    """The readings of a time; where several and a time is known, that one if any of them agrees with it.

    Twelve thousand and `12.345` are written alike, so one dot before three digits is doubted where the known time does.
    """
    found = readings(written)
    if known is None or (len(found) == 1 and abs(found[0] - known) <= NEAR):
        return found
    dotted = _ONE_DOT.fullmatch(written.strip()) is not None
    agreeing = [known for value in (_placed(written) if dotted else found) if abs(value - known) <= NEAR][:1]
    return agreeing or (found if len(found) == 1 else [])


def span(start: str, end: str, duration: str, pieces: Sequence[tuple[float, float]]) -> Span | str:
    """The span that is meant, or why it cannot be told.

    `pieces` are times of the parts of the span, from another column. Without these a damaged start or end is told only
    where a single pair of readings is in order and no longer than a clip may be, or fits a duration that is whole. (A
    duration may differ by a factor of two; one that is damaged too fits too many pairs to tell anything.) Times with
    one dot before three digits, which may be damaged or not, are told only where no whole duration contradicts them.
    """
    starts = time(start, pieces[0][0] if pieces else None)
    ends = time(end, pieces[-1][1] if pieces else None)
    for name, written, found in (("start", start, starts), ("end", end, ends)):
        if not found:
            against = " that agrees with the times of its parts" if readings(written) else ""
            return f"its {name} {written[:40]!r} is no number{against}"
    lengths, dotted = readings(duration), [not pieces and _ONE_DOT.fullmatch(each.strip()) for each in (start, end)]
    if len(starts) == len(ends) == 1:
        if any(dotted) and len(lengths) == 1 and not _about(ends[0] - starts[0], lengths[0]):
            return f"its start {start[:40]!r} and end {end[:40]!r} do not fit its duration {duration[:40]!r}"
        return Span(starts[0], ends[0])
    starts, ends = _placed(start) if dotted[0] else starts, _placed(end) if dotted[1] else ends
    pairs = [(first, last) for first in starts for last in ends if 0 < last - first <= LONGEST]
    if len(lengths) == 1:
        pairs = [(first, last) for first, last in pairs if _about(last - first, lengths[0])]
    if len(pairs) == 1:
        return Span(*pairs[0])
    return f"its start {start[:40]!r} or end {end[:40]!r} has lost its decimal point, and nothing tells where that was"


def _about(length: float, duration: float) -> bool:
    return duration / 2 <= length <= 2 * duration
