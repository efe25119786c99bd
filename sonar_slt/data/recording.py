"""What a pose file holds once it is read: points over time in a named layout, whatever the file's format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.faults import Fault
from sonar_slt.data.layout import Layout


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recording:
    """Points of one signer.

    `points` (frames, points, 3) float32: x, y, confidence. A missing point has confidence 0 and lies at 0, 0, which is
    no place. x and y have one scale (a picture's pixels where it is known). `fps` and `size` (width, height) are None
    where the file is silent. `faults` were met while reading; their id is "", for only who asked knows it.
    """

    points: NDArray[np.float32]
    layout: Layout
    fps: float | None = None
    size: tuple[int, int] | None = None
    faults: Sequence[Fault] = ()

    def __post_init__(self) -> None:
        if self.points.ndim != 3 or self.points.shape[1:] != (self.layout.points, 3):
            raise ValueError(f"{self.points.shape} are no frames of {self.layout.points} points: {self.layout.name}")

    def __len__(self) -> int:
        return len(self.points)
