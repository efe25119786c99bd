"""How a video's pictures lie as a viewer sees them: a quarter turned, upside down or mirrored, where it says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av.video.frame import VideoFrame


def sideways(frame: VideoFrame) -> bool:
    """Whether what is stored as the width is seen as the height."""
    (_, right_to_down), _ = _matrix(frame)
    return right_to_down != 0


def upright(picture: NDArray[np.uint8], frame: VideoFrame) -> NDArray[np.uint8]:
    """The stored picture (height, width, 3) as it is seen."""
    (right_to_right, right_to_down), (down_to_right, down_to_down) = _matrix(frame)
    if right_to_down:
        picture = picture.swapaxes(0, 1)
    down, right = (right_to_down, down_to_right) if right_to_down else (down_to_down, right_to_right)
    return picture[:: -1 if down < 0 else 1, :: -1 if right < 0 else 1]


def _matrix(frame: VideoFrame) -> tuple[tuple[int, int], tuple[int, int]]:
    """Where a step to the right and a step down lead, each as (right, down), to the nearest quarter of a turn."""
    found: Any = frame.side_data.get("DISPLAYMATRIX")
    if found is None:
        return (1, 0), (0, 1)
    stored = np.frombuffer(bytes(found), np.int32)  # three rows of three, of which the last are of perspective
    (a, b), (c, d) = (np.sign(stored[place : place + 2]).tolist() for place in (0, 3))
    if abs(stored[0]) >= abs(stored[1]):
        return (a or 1, 0), (0, d or 1)
    return (0, b), (c or 1, 0)
