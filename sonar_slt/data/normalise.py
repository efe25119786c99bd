"""Where a signer stands and how tall the picture is must not matter: points are brought to a frame of their own.

`normalise=signer` is this project's way, `normalise=frame` that of the reference tools.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.layout import Layout

Points = NDArray[np.float32]
"""(frames, points, 3): x, y, confidence; a missing point has confidence 0 and lies at 0, 0."""

LEAST_CONFIDENCE = 2.0**-14
"""What a seen point has at least: less would become 0 in half precision, and the point missing."""
FARTHEST = 1e9
"""A point with a number beyond this, or with one that is none, counts as missing."""
NARROWEST = 0.01
"""Shoulders nearer to each other than this share of the signer's spread say nothing of the signer's size."""


class BySigner:
    """Shoulder-centred and shoulder-scaled, once per clip: signers keep their motion and lose their place and size.

    A clip in which the two shoulders are never both seen, or always lie on one another, is centred and scaled by what
    is seen.
    """

    name = "signer"

    def __call__(self, points: Points, layout: Layout) -> Points:
        """`points` in any unit with one scale for x and y; the result is in widths of the shoulders."""
        seen, places = _seen(points)
        if not seen.any():
            return np.zeros_like(points)
        right, left = layout.shoulders
        both = seen[:, right] & seen[:, left]
        spread = 2 * float(np.sqrt(places[seen].var(axis=0, dtype=np.float64).mean()))
        centre, scale = places[seen].mean(axis=0, dtype=np.float64).astype(np.float32), spread
        if both.any():
            pair = np.median(places[both][:, [right, left]], axis=0)
            centre, width = pair.mean(axis=0), float(np.hypot(*(pair[0] - pair[1])))
            scale = width if width > NARROWEST * spread else spread
        return _placed(points, seen, (places - centre) / max(scale, 1e-6))


class ByFrame:
    """Every frame for itself: the middle of what is seen to the origin, the point farthest from it to distance 1.

    The signer's own motion across the picture is lost, and a hand that appears moves everything else.
    """

    name = "frame"

    def __call__(self, points: Points, layout: Layout) -> Points:
        """`points` in any unit with one scale for x and y; the result lies in the unit circle."""
        seen, places = _seen(points)
        count = seen.sum(axis=1).clip(1)[:, None, None]
        offset = places - places.sum(axis=1, keepdims=True, dtype=np.float64) / count
        radius = np.hypot(offset[..., 0], offset[..., 1]) * seen
        return _placed(points, seen, offset / radius.max(axis=1).clip(1e-4)[:, None, None])


def _seen(points: Points) -> tuple[NDArray[np.bool_], Points]:
    """Which points are there (frames, points), and where (frames, points, 2); whatever lies in the others is gone."""
    seen = (points[..., 2] > 0) & (np.abs(points) < FARTHEST).all(axis=-1)
    return seen, np.where(seen[..., None], points[..., :2], np.float32(0))


def _placed(points: Points, seen: NDArray[np.bool_], places: NDArray[np.floating]) -> Points:
    """The points at their new places with the confidence they had; missing ones are 0, 0, 0."""
    normalised = np.zeros(points.shape, dtype=np.float32)
    normalised[..., :2] = np.where(seen[..., None], places, 0)
    normalised[..., 2] = np.where(seen, np.maximum(points[..., 2], LEAST_CONFIDENCE), 0)
    return normalised
