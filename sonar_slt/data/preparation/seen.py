"""How well a signer was seen and how much moves, told from the points of a clip as they were recorded.

Only arms, hands, shoulders and head count: legs are out of the picture in most corpora, and a face has most points.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.layout import Layout

Points = NDArray[np.float32]


def confidence(points: Points, layout: Layout) -> float:
    """The mean confidence of the signing parts of (frames, points, 3); a missing point counts 0."""
    signing = [*layout.shoulders, *layout.head, *layout.arms[0], *layout.arms[1]]
    return float(points[:, signing, 2].mean(dtype=np.float64)) if len(points) and signing else 0.0


def motion(points: Points, layout: Layout) -> float | None:
    """How far the hand that moves more strays from its mean place, in widths of the shoulders.

    It is the spread of a typical point of the arm, so that one point that jumps does not count. None where that cannot
    be told: a single frame, no shoulders, no hand that is seen twice.
    """
    width = _shoulder_width(points, layout)
    sides = [_spread(points[:, list(side)]) for side in layout.arms]
    known = [spread for spread in sides if spread is not None]
    return max(known) / width if width and known and len(points) > 1 else None


def _shoulder_width(points: Points, layout: Layout) -> float:
    left, right = (points[:, point] for point in layout.shoulders)
    both = (left[:, 2] > 0) & (right[:, 2] > 0)
    if not both.any():
        return 0.0
    return float(np.median(np.hypot(*(left[both, :2] - right[both, :2]).astype(np.float64).T)))


def _spread(points: Points) -> float | None:
    """The median over points of the standard deviation of their places, of those that are seen twice."""
    seen = (points[..., 2] > 0)[..., None]
    times = seen.sum(axis=0)[:, 0]
    places = np.where(seen, points[..., :2], 0).astype(np.float64)
    mean = places.sum(axis=0) / np.maximum(times, 1)[:, None]
    squares = (np.where(seen, places - mean, 0) ** 2).sum(axis=(0, 2)) / np.maximum(times, 1)
    return float(np.median(np.sqrt(squares[times > 1]))) if (times > 1).any() else None
