"""MediaPipe Holistic as a kind of feature: 543 points of a body, a face and two hands in every frame of a clip."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from sonar_slt.data.layouts import MEDIAPIPE_543
from sonar_slt.data.manifest import Row
from sonar_slt.errors import UserError
from sonar_slt.features.extraction.made import Filmed, Made
from sonar_slt.features.skeletons.clips import skeletons
from sonar_slt.features.skeletons.environment import environment, lock_hash, locked
from sonar_slt.features.skeletons.holistic import Holistic

WORKER = resources.files(__package__).joinpath("worker.py")
VERSION = 1
"""Raised when the worker would find other points."""


class MediapipeHolistic:
    """Skeletons by MediaPipe Holistic, which follows one person: the one that its detector is surest of.

    That person is followed from frame to frame, and looked for again only where it was lost; `detection` and `tracking`
    are how sure the detector must be of a person, and the follower of having it still. `environments` is the folder in
    which MediaPipe gets an environment of its own when the first process is opened; `python` makes it, 3.11 or 3.12:
    the running one where it is None, else one that is found. The body's model is the middle one of three, the only one
    that MediaPipe carries with it. Depth is dropped.

    Points are smoothed over time as at 30 frames a second whatever the clip has, for MediaPipe knows no other rate.
    """

    track: Literal["points"] = "points"
    layout = MEDIAPIPE_543
    shape, dtype = (MEDIAPIPE_543.points, 3), "float32"

    def __init__(
        self,
        *,
        environments: str | Path,
        python: str | None = None,
        detection: float = 0.5,
        tracking: float = 0.5,
    ) -> None:
        for name, given in (("detection", detection), ("tracking", tracking)):
            if not 0 <= given <= 1:
                raise UserError(f"features.mediapipe_holistic.{name} is {given}, expected a number from 0 to 1.")
        self.environments, self.python = Path(environments), python
        self.detection, self.tracking = float(detection), float(tracking)

    def described(self) -> dict[str, Any]:
        """Everything that decides a point but the kind of processor, which may round otherwise; in plain values."""
        return {
            "name": "mediapipe_holistic",
            "version": VERSION,
            "layout": self.layout.name,
            "mediapipe": locked("mediapipe"),
            "lock": lock_hash(),
            "detection": self.detection,
            "tracking": self.tracking,
        }

    def made(self, corpus: Filmed, chunks: Sequence[Sequence[Row]], *, workers: int) -> Iterator[Made]:
        """The skeletons of every clip, looked at by so many processes side by side."""
        rows = [row for chunk in chunks for row in chunk]
        return skeletons(corpus, rows, self.open, workers=workers)

    def open(self) -> Holistic:
        """A process that looks at clips, for one thread and a `with`; the first makes the environment."""
        python = environment(self.environments, python=self.python)
        # -I: what PYTHONPATH names must not get in the way of an older numpy
        return Holistic([str(python), "-I", str(WORKER), str(os.getpid()), str(self.detection), str(self.tracking)])
