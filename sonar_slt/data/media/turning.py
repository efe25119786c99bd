"""How a video's pictures lie as a viewer sees them: a quarter turned, upside down or mirrored, where it says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av.video.frame import VideoFrame


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a stored picture's width and height lead when it is seen; -1 is to the left or upwards.

    `sideways`, the stored width is seen as the height.
    """

    right: int = 1
    down: int = 1
    sideways: bool = False

    def __call__(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The stored picture (height, width, 3) as it is seen, not copied."""
        seen = picture.swapaxes(0, 1) if self.sideways else picture
        return seen[:: self.down, :: self.right]


def turn(frame: VideoFrame) -> Turn:
    """To the nearest quarter. To be asked of one frame and not of all: PyAV keeps a frame that is asked a while."""
    found: Any = frame.side_data.get("DISPLAYMATRIX")
    if found is None:
        return Turn()
    stored = np.frombuffer(bytes(found), np.int32)  # where a step to the right leads, and in the second row one down
    sideways = bool(abs(stored[0]) < abs(stored[1]))
    right, down = (stored[3], stored[1]) if sideways else (stored[0], stored[4])
    return Turn(-1 if right < 0 else 1, -1 if down < 0 else 1, sideways)
