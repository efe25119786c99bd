"""What is known of a clip's pictures once they are measured, and how a part of a longer recording is cut from it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sonar_slt.data.faults import Fault
from sonar_slt.data.release import Span
from sonar_slt.errors import UserError

ENDS = 1 << 16
"""So many bytes at each end of a file go into its content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    """The pictures of a clip.

    `frames` are those of its span, cut to what there is. `size` is width and height as a viewer sees them, turned where
    the recording says so. `content` is a short hash of the whole recording: of sizes, of the names of a folder's
    pictures, and of the first and last 64 KiB (of a folder, of its first and last picture), so that a corpus need not
    be read through. `start` is the second of a video's first picture where its sound begins before; spans count from
    the sound. The faults' id is "", for only who asked knows it.
    """

    frames: int
    fps: float | None
    size: tuple[int, int] | None
    content: str
    start: float = 0.0
    faults: Sequence[Fault] = ()


def cut(whole: Footage, span: Span | None, path: Path) -> Footage:
    """The part of a recording that a span names; what lies outside of the recording is cut off, with a fault."""
    if span is None:
        return whole
    frames, faults = inside(whole.frames, span, whole.fps, path, start=whole.start)
    return replace(whole, frames=len(frames), faults=(*whole.faults, *faults))


def inside(frames: int, span: Span, fps: float | None, path: Path, *, start: float = 0.0) -> tuple[range, list[Fault]]:
    """Which of so many frames a span names, the first of them at `start`; the fault of one that names more."""
    if not fps:
        raise UserError(
            f"'{path}' has no frame rate of its own, and a part from {span.start:g} s to {span.end:g} s cannot be cut "
            "without one: give the corpus' by data.fps=NUMBER."
        )
    begin, end = (border - round(start * fps) for border in span.frames(fps))
    kept = range(min(max(begin, 0), frames), min(max(end, 0), frames))
    if end <= begin or (begin >= 0 and end <= frames):
        return kept, []
    told = f"runs from {span.start:g} s to {span.end:g} s in '{path.name}', which "
    told += f"ends at {start + frames / fps:.2f} s" if end > frames else f"has its first picture at {start:.2f} s"
    return kept, [Fault(id="", kind="span_beyond", told=told, done="cut")]


def content(*known: object, ends: Sequence[Path] = ()) -> str:
    """A short hash of what is known of a recording and of the ends of some of its files."""
    found = hashlib.blake2b(repr(known).encode(), digest_size=16)
    for path in ends:
        with path.open("rb") as stream:
            found.update(stream.read(ENDS))
            stream.seek(max(os.fstat(stream.fileno()).st_size - ENDS, 0))
            found.update(stream.read(ENDS))
    return found.hexdigest()
