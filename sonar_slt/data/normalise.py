"""Where a signer stands and how tall the picture is must not matter: points are brought to the signer's own frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.layout import Layout


def by_signer(points: NDArray[np.float32], layout: Layout) -> NDArray[np.float32]:
    """Shoulder-centred and shoulder-scaled, once per clip: signers keep their motion and lose their place and size.

    `points` (frames, points, 3) in pixels; missing ones have confidence 0 and become 0, 0, 0. A clip in which the two
    shoulders are never both seen is scaled by the spread of what is seen.
    """
    seen = points[..., 2] > 0
    left, right = layout.shoulders
    both = seen[:, left] & seen[:, right]
    places = points[..., :2]
    if both.any():
        pair = np.median(places[both][:, [left, right]], axis=0)
        centre, scale = pair.mean(axis=0), float(np.hypot(*(pair[0] - pair[1])))
    elif seen.any():
        centre, scale = places[seen].mean(axis=0), 2 * float(places[seen].std())
    else:
        return np.zeros_like(points)
    normalised = points.copy()
    normalised[..., :2] = (places - centre) / max(scale, 1e-6)
    normalised[~seen] = 0
    return normalised
