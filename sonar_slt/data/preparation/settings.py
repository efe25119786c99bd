"""How clips are prepared: their points, their precision, and the rules by which a clip is left out.

All of it is part of a corpus' fingerprint: other settings make another prepared folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.faults import KINDS
from sonar_slt.data.layout import Layout
from sonar_slt.data.layouts import named
from sonar_slt.errors import UserError

VERSION = 1
"""Raised when the same clip would be prepared to other bytes."""
PRECISIONS = ("float16", "float32")
UNUSABLE = (
    *("bad_id", "duplicate_id", "missing_split", "span_empty"),
    *("missing_clip", "unreadable", "empty_clip"),
)
"""The kinds of faults that leave nothing to store: such a clip can only be left out."""


OF_NO_CLIP = ("bad_row", "unlabelled_clip")
"""The kinds of faults that no clip bears."""


class Normaliser(Protocol):
    """What brings the points of a clip (frames, points, 3) to a frame that all clips share."""

    name: str

    def __call__(self, points: NDArray[np.float32], layout: Layout) -> NDArray[np.float32]:
        """The same points, in that frame; missing ones stay 0, 0, 0."""
        ...


class Preparation:
    """What is done with every clip of a corpus, whatever the corpus."""

    def __init__(
        self,
        *,
        normalise: Normaliser | None,
        layout: str | None = "signing",
        precision: str = "float16",
        leave_out: Sequence[str] = (*UNUSABLE, "empty_text"),
        least_confidence: float = 0.2,
        least_motion: float = 0.02,
        frame_tolerance: int = 1,
        repeats: bool = True,
    ) -> None:
        if precision not in PRECISIONS:
            raise UserError(f"preparation.precision={precision}: choose {' or '.join(PRECISIONS)}.")
        if normalise is None and precision == "float16":
            raise UserError(
                "preparation.precision=float16 cannot hold a picture's pixels: above 1024 it counts by whole ones. "
                "Choose normalise=signer, or preparation.precision=float32."
            )
        if unknown := [kind for kind in leave_out if kind not in KINDS]:
            raise UserError(
                f"preparation.leave_out: no kind of fault is called '{unknown[0]}'; {', '.join(KINDS)} are."
            )
        if noted := [kind for kind in leave_out if kind in OF_NO_CLIP]:
            raise UserError(
                f"preparation.leave_out: {noted[0]} is always noted alone, for it is of no clip; remove it."
            )
        if not 0 <= least_confidence <= 1:
            raise UserError(f"preparation.least_confidence={least_confidence}: a number from 0 to 1 was expected.")
        for key, value in {"least_motion": least_motion, "frame_tolerance": frame_tolerance}.items():
            if not value >= 0:
                raise UserError(f"preparation.{key}={value}: a number of at least 0 was expected.")
        self.normalise, self.precision, self.repeats = normalise, precision, repeats
        self._layout = None if layout is None else named(layout).name
        self.leave_out = frozenset(leave_out)
        self.least_confidence, self.least_motion = float(least_confidence), float(least_motion)
        self.frame_tolerance = frame_tolerance

    @property
    def layout(self) -> Layout | None:
        """The points that are kept, None for all that were recorded."""
        return None if self._layout is None else named(self._layout)

    def described(self) -> dict[str, Any]:
        """All that decides what a clip becomes, in plain values."""
        return {
            "version": VERSION,
            "normalise": None if self.normalise is None else self.normalise.name,
            "layout": self._layout,
            "precision": self.precision,
            "leave_out": sorted(self.leave_out),
            "least_confidence": self.least_confidence,
            "least_motion": self.least_motion,
            "frame_tolerance": self.frame_tolerance,
            "repeats": self.repeats,
        }
