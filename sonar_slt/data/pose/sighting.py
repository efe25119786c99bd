"""What a pose file saw, before anybody is chosen: a row for every person in every frame, whatever the file's format.

Here is also what all formats share: which frames a span asks for, and which points count as seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.faults import Fault
from sonar_slt.data.layout import Layout
from sonar_slt.data.release import Span
from sonar_slt.data.unreadable import Unreadable
from sonar_slt.errors import UserError

FARTHEST = 1e5  # pixels; no picture is so large, a coordinate beyond is damage
FRACTION = 2.0  # half of the points of a clip in pixels never lie so close to the corner


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sightings:
    """Everybody in a file, frame by frame.

    `people` (sightings, points, 3) are x, y, confidence as the file has them; `frame` (sightings,) ascends and counts
    from the first of the `length` frames that were asked for, whose number in the file is `first`. `places` (points,)
    are where the points of a file that has not all of them stand in the layout. Of `silent` frames the file says
    nothing. `in_pixels` tells that the coordinates are no fractions of the picture.
    """

    people: NDArray[np.float32]
    frame: NDArray[np.intp]
    length: int
    layout: Layout
    places: NDArray[np.intp] | None = None
    first: int = 0
    silent: Sequence[int] = ()
    fps: float | None = None
    size: tuple[int, int] | None = None
    in_pixels: bool = False
    faults: Sequence[Fault] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A span of a recording, None for all of it, and the frame rate where the file itself tells none."""

    span: Span | None
    fps: float | None

    def rate(self, told: float | None) -> float | None:
        """The file's own frame rate where it is one, otherwise what was given."""
        return float(told) if told is not None and isfinite(told) and told > 0 else self.fps

    def frames(self, total: int, fps: float | None, name: str) -> tuple[range, list[Fault]]:
        """The frames to read of the `total` that file `name` has at `fps`, and the fault of a span that ends beyond."""
        if self.span is None:
            return range(total), []
        if fps is None:
            raise UserError(
                f"'{name}' does not tell its frame rate, without which a span in seconds cannot be cut from it: "
                "give it by data.pose.fps=NUMBER."
            )
        if not (isfinite(self.span.start * fps) and isfinite(self.span.end * fps)):
            raise Unreadable(f"'{name}': from {self.span.start} to {self.span.end} is no span in seconds.")
        start, end = self.span.frames(fps)
        asked = range(min(max(start, 0), total), min(max(end, 0), total))
        if end <= total or end <= start:
            return asked, []
        told = (
            f"the span ends at {self.span.end:g} s, but '{name}' after {total} frames ({total / fps:g} s); "
            f"{len(asked)} frames are left of it"
        )
        return asked, [Fault(id="", kind="span_beyond", told=told, done="cut")]


def settled(people: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The same points, with 0, 0, 0 for each that was not seen, and which of them the file claims at no place at all.

    A point was seen where its confidence is above 0; a coordinate or confidence that is NaN, infinite or farther out
    than any picture reaches is no place.
    """
    with np.errstate(all="ignore"):
        claimed = ~(people[..., 2] <= 0)  # (sightings, points); a NaN claims too
        placed = (np.abs(people) <= FARTHEST).all(axis=-1)
    points = np.where((claimed & placed)[..., None], people, np.float32(0))
    return points, claimed & ~placed


def fractions(people: NDArray[np.float32]) -> bool:
    """Whether the points lie at fractions of the picture and not at pixels of it."""
    seen = people[..., 2] > 0
    return bool(seen.any() and np.median(np.abs(people[seen][:, :2])) <= FRACTION)


def listed(frames: Iterable[int], most: int = 8) -> str:
    """Numbers of frames for a message, runs of them joined: 3, 5-7, 9."""
    runs = [
        [number for _, number in run] for _, run in groupby(enumerate(sorted(frames)), lambda pair: pair[1] - pair[0])
    ]
    told = [f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs[:most]]
    return ", ".join(told) + (f" and {sum(map(len, runs[most:]))} more" if len(runs) > most else "")
