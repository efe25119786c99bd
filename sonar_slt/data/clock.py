"""Times as tables write them: seconds, or hours, minutes and seconds with colons between."""

from __future__ import annotations

import re

_SECONDS = re.compile(r"-?\d{1,9}([.,]\d{1,24})?", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2}(?:[.,]\d{1,24})?)", re.ASCII)


def seconds(written: str) -> float | None:
    """`12.34`, `12,34`, `0:12.34` and `00:00:12,340` in seconds; None for anything else."""
    written = written.strip()
    if _SECONDS.fullmatch(written):
        return float(written.replace(",", "."))
    if (found := _CLOCK.fullmatch(written)) is None:
        return None
    hours, minutes, rest = found.groups()
    last = float(rest.replace(",", "."))
    return None if int(minutes) > 59 or last >= 60 else int(hours or 0) * 3600 + int(minutes) * 60 + last
