"""What of a clip the model may see: everything, or everything but one thing, to learn whether that thing matters.

A view holds in training and in evaluation alike; it is a question asked of a corpus, not an augmentation.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.layout import Layout
from sonar_slt.errors import UserError

Clip = NDArray[Any]
"""Points (frames, points, 3) or another track (frames, ...) in the precision of their store."""


class View(Protocol):
    """A clip in, what may be seen of it out; `random` is seeded by the clip, so that a clip always looks the same."""

    def __call__(self, clip: Clip, layout: Layout | None, random: np.random.Generator) -> Clip:
        """`clip` (frames, points, 3) of normalised points in a layout, or another track (frames, ...) and None."""


class All:
    """Everything."""

    def __call__(self, clip: Clip, layout: Layout | None, random: np.random.Generator) -> Clip:
        """The clip itself."""
        return clip


class Shuffled:
    """All frames, in random order."""

    def __call__(self, clip: Clip, layout: Layout | None, random: np.random.Generator) -> Clip:
        """The frames of the clip, permuted; each track by itself."""
        return clip[random.permutation(len(clip))]


class OneHand:
    """Only the hand that moves more, so that left-handed signers keep their dominant hand too."""

    def __call__(self, clip: Clip, layout: Layout | None, random: np.random.Generator) -> Clip:
        """The clip without the arm and hand that travel less."""
        layout = _of_points(layout, "one_hand")
        first, second = (_travelled(clip[:, wrist]) for wrist in layout.wrists)
        return _without(clip, layout.arms[0 if first < second else 1])


class NoFace:
    """Neither face nor head."""

    def __call__(self, clip: Clip, layout: Layout | None, random: np.random.Generator) -> Clip:
        """The clip without the points of face and head."""
        layout = _of_points(layout, "no_face")
        face = layout.parts["face"]
        return _without(clip, (*layout.head, *range(face.start, face.stop)))


def _of_points(layout: Layout | None, name: str) -> Layout:
    if layout is None:
        raise UserError(f"view={name} hides points, and the adapter reads pictures or features: choose view=all.")
    return layout


def _without(clip: Clip, points: tuple[int, ...]) -> Clip:
    hidden = clip.copy()
    hidden[:, list(points)] = 0
    return hidden


def _travelled(wrist: Clip) -> float:
    places = wrist[wrist[:, 2] > 0, :2]
    return float(np.abs(np.diff(places, axis=0)).sum()) if len(places) > 1 else 0.0
