"""Which frames of a clip are read: all, every so many-th, so many evenly, a window, one out of each part.

While training, what is left open is drawn at random; elsewhere it is decided, so that a clip always looks the same.
"""

from __future__ import annotations

from random import Random
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sonar_slt.errors import UserError

Indices = NDArray[np.int64]


class Sampling(Protocol):
    """The frames that are read of a clip of so many, in their order; at least one, none twice."""

    def __call__(self, frames: int, random: Random | None = None) -> Indices:
        """`random` is given while training alone."""

    def longest(self, frames: NDArray[np.int32]) -> NDArray[np.int32]:
        """How many frames are read at most of clips of so many."""


class All:
    """Every frame; a clip longer than `limit` is thinned evenly to so many."""

    def __init__(self, *, limit: int | None = 512) -> None:
        self.limit = _positive("limit", limit) if limit is not None else None

    def __call__(self, frames: int, random: Random | None = None) -> Indices:
        """All of them, or `limit` spread evenly over the clip."""
        return np.arange(frames) if self.limit is None else _evenly(frames, self.limit)

    def longest(self, frames: NDArray[np.int32]) -> NDArray[np.int32]:
        """At most `limit`."""
        return frames if self.limit is None else np.minimum(frames, np.int32(self.limit))


class Every:
    """One frame in `step`, from a random one of the first `step` on."""

    def __init__(self, *, step: int = 2) -> None:
        self.step = _positive("step", step)

    def __call__(self, frames: int, random: Random | None = None) -> Indices:
        """From the first frame on where nothing is drawn."""
        first = random.randrange(self.step) if random else 0
        return np.arange(min(first, frames - 1), frames, self.step)  # a clip of one frame keeps it

    def longest(self, frames: NDArray[np.int32]) -> NDArray[np.int32]:
        """The count from the first frame on."""
        return (frames + np.int32(self.step - 1)) // np.int32(self.step)


class Uniform:
    """`frames` frames spread evenly from the first to the last; shorter clips are read whole."""

    def __init__(self, *, frames: int = 64) -> None:
        self.frames = _positive("frames", frames)

    def __call__(self, frames: int, random: Random | None = None) -> Indices:
        """Always the same ones."""
        return _evenly(frames, self.frames)

    def longest(self, frames: NDArray[np.int32]) -> NDArray[np.int32]:
        """At most `frames`."""
        return np.minimum(frames, np.int32(self.frames))


class Window(Uniform):
    """`frames` frames in a row, from a random place; from the middle where nothing is drawn."""

    def __call__(self, frames: int, random: Random | None = None) -> Indices:
        """Shorter clips are read whole."""
        spare = max(0, frames - self.frames)
        first = random.randint(0, spare) if random else spare // 2
        return np.arange(first, min(first + self.frames, frames))


class Jitter(Uniform):
    """The clip in `frames` equal parts and a random frame of each; the middle one where nothing is drawn."""

    def __call__(self, frames: int, random: Random | None = None) -> Indices:
        """Shorter clips are read whole."""
        if frames <= self.frames:
            return np.arange(frames)
        borders = (np.arange(self.frames + 1) * frames) // self.frames
        starts, sizes = borders[:-1], np.diff(borders)
        inside = [random.randrange(size) for size in sizes.tolist()] if random else (sizes - 1) // 2
        chosen: Indices = starts + np.asarray(inside)
        return chosen


def _evenly(frames: int, kept: int) -> Indices:
    if frames <= kept:
        return np.arange(frames)
    if kept == 1:
        return np.array([(frames - 1) // 2])
    evenly: Indices = (np.arange(kept) * (frames - 1) * 2 + kept - 1) // (2 * (kept - 1))  # rounded, in whole numbers
    return evenly


def _positive(name: str, value: int) -> int:
    if value < 1:
        raise UserError(f"sampling.{name}={value}: at least one frame of a clip is read.")
    return value
