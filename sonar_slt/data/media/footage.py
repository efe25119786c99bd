"""What is known of a clip's pictures once they are measured, and how a part of a longer recording is cut from it."""

from __future__ import annotations

import hashlib
import os
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import floor
from pathlib import Path

from sonar_slt.data.faults import Fault
from sonar_slt.data.media.turning import Turn
from sonar_slt.data.release import Span
from sonar_slt.errors import UserError

ENDS = 1 << 16
"""So many bytes at each end of a file go into its content."""

LARGEST = 36_000_000
"""A picture of more pixels is not read: 8K video has 33 million, and a few bytes can claim to be far more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    """The pictures of a clip.

    `frames` are those of its span, cut to what there is. `size` is width and height as a viewer sees them, turned where
    the recording says so. `content` is a short hash of the whole recording: of sizes, of the names of a folder's
    pictures, and of the first and last 64 KiB (of a folder, of its first and last picture), so that a corpus need not
    be read through. `start` is the second of a video's first picture where its sound begins before; spans count from
    the sound, and there the file's own clock shows `clock`. `times` are the seconds of all pictures where the rate
    varies, None where a picture's number tells its time. `turn` makes the stored pictures of a video seen ones. The
    faults' id is "", for only who asked knows it.
    """

    frames: int
    fps: float | None
    size: tuple[int, int] | None
    content: str
    start: float = 0.0
    clock: float = 0.0
    times: Sequence[float] | None = field(default=None, repr=False)
    turn: Turn = field(default_factory=Turn)
    faults: Sequence[Fault] = ()

    def number(self, second: float) -> int:
        """The number of the picture that is shown nearest to a second."""
        return _nearest(second, self.times or (self.start,), self.fps or 0.0)

    def second(self, number: int) -> float:
        """When a picture is shown."""
        if self.times is None:
            return self.start + number / self.fps if self.fps else self.start
        return self.times[number]


def cut(whole: Footage, span: Span | None, path: Path) -> tuple[Footage, range]:
    """The part of a recording that a span names, and its numbers; what lies outside is cut off, with a fault."""
    if span is None:
        return whole, range(whole.frames)
    kept, faults = inside(whole.frames, span, whole.fps, path, start=whole.start, times=whole.times)
    times = None if whole.times is None else whole.times[kept.start : kept.stop]
    return replace(whole, frames=len(kept), times=times, faults=(*whole.faults, *faults)), kept


def inside(
    frames: int,
    span: Span,
    fps: float | None,
    path: Path,
    *,
    start: float = 0.0,
    times: Sequence[float] | None = None,
) -> tuple[range, list[Fault]]:
    """Which of so many frames a span names, the first of them at `start`; the fault of one that names more.

    The one rule for counted and for timed frames: each border goes to the nearest, of two as near to the later one.
    """
    if not fps:
        raise UserError(
            f"'{path}' has no frame rate of its own, and a part from {span.start:g} s to {span.end:g} s cannot be cut "
            "without one: give the corpus' by data.fps=NUMBER."
        )
    if times:
        begin, end = (_nearest(border, times, fps) for border in (span.start, span.end))
    else:
        begin, end = (border - round(start * fps) for border in span.frames(fps))
    kept = range(min(max(begin, 0), frames), min(max(end, 0), frames))
    if end <= begin or (begin >= 0 and end <= frames):
        return kept, []
    told = f"runs from {span.start:g} s to {span.end:g} s in '{path.name}', which "
    close = times[-1] + 1 / fps if times else start + frames / fps
    told += f"ends at {close:.2f} s" if end > frames else f"has its first picture at {start:.2f} s"
    return kept, [Fault(id="", kind="span_beyond", told=told, done="cut")]


def _nearest(second: float, times: Sequence[float], fps: float) -> int:
    """The number of the frame nearest to a second, of two the later; outside of the times the rate is steady."""
    behind = bisect_right(times, second)
    if 0 < behind < len(times):
        return behind - (second - times[behind - 1] < times[behind] - second)
    edge = max(behind - 1, 0)
    return edge + floor((second - times[edge]) * fps + 0.5)


def content(*known: object, ends: Sequence[Path] = ()) -> str:
    """A short hash of what is known of a recording and of the ends of some of its files."""
    found = hashlib.blake2b(repr(known).encode(), digest_size=16)
    for path in ends:
        with path.open("rb") as stream:
            found.update(stream.read(ENDS))
            stream.seek(max(os.fstat(stream.fileno()).st_size - ENDS, 0))
            found.update(stream.read(ENDS))
    return found.hexdigest()
