"""Where a skeleton that was looked for is not there, told as the readers of pose files tell it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.faults import Fault
from sonar_slt.data.layouts import MEDIAPIPE_543
from sonar_slt.data.pose.sighting import listed


def person_faults(points: NDArray[np.float32]) -> list[Fault]:
    """The fault of frames in which no point of a body was found; points are (frames, 543, 3), its id is ""."""
    nobody = np.flatnonzero(~(points[:, MEDIAPIPE_543.parts["body"], 2] > 0).any(axis=1))
    if not len(nobody):
        return []
    told = f"nobody was found in {len(nobody)} of {len(points)} frames: {listed(nobody.tolist())}"
    return [Fault(id="", kind="no_person", told=told, done="kept")]
