"""Which frames of a clip make an item."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def windows(frames: int, window: int, stride: int) -> NDArray[np.int64]:
    """The frames of each window (items, window): every `stride` frames one begins, and the last one holds the tail.

    Places behind the end repeat the last frame, so a clip of one frame has one window. No window begins behind the end.
    """
    if min(frames, window, stride) < 1:
        raise ValueError(f"{frames} frames in windows of {window} every {stride}: each must be at least 1")
    items = min(1 + math.ceil(max(0, frames - window) / stride), math.ceil(frames / stride))
    starts = np.arange(items, dtype=np.int64) * stride
    numbers: NDArray[np.int64] = np.minimum(starts[:, None] + np.arange(window, dtype=np.int64), frames - 1)
    return numbers
