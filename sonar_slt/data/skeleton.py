"""Moving skeletons small enough to travel inside a web page: 12.5 frames a second, one byte a coordinate."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.layout import Layout
from sonar_slt.data.sources import has_points

if TYPE_CHECKING:
    from sonar_slt.data.clips import Clips
    from sonar_slt.data.manifest import Row

FPS = 12.5
USUAL = 25.0
"""The frame rate of a clip that does not tell its own."""
HALF = 2.6
"""Shoulder widths from the shoulders to each edge of the square that is shown; the square is centred a little lower."""
LOWER = 0.4
MISSING = 255


def skeletons(data: Clips, rows: Iterable[Row]) -> dict[str, Any]:
    """Edges and clips as the report draws them; nothing of a corpus of pictures alone."""
    if not has_points(data.corpus):
        return {}
    return {**drawing(data.corpus.layout), "clips": {row.id: moving(data.shown(row), row.fps) for row in rows}}


def drawing(layout: Layout) -> dict[str, Any]:
    """What is joined to what, and which points are of which part."""
    return {
        "edges": [list(edge) for edge in layout.edges],
        "parts": {name: [part.start, part.stop] for name, part in layout.parts.items()},
    }


def moving(points: NDArray[Any], fps: float | None) -> dict[str, Any]:
    """A clip (frames, points, 3) in widths of its shoulders, for a page.

    `data` is base64 of bytes (frames, points, 2): 0 to 254, or 255 where a point is missing or outside.
    """
    number = max(2, round(len(points) * FPS / (fps or USUAL)))
    kept = points[np.linspace(0, len(points) - 1, number).round().astype(int)].astype(np.float32)
    places = (kept[..., :2] - [0, LOWER] + HALF) / (2 * HALF)
    inside = (kept[..., 2] > 0) & (places >= 0).all(axis=-1) & (places <= 1).all(axis=-1)
    coordinates = np.where(inside[..., None], np.clip(places, 0, 1) * 254, MISSING).round().astype(np.uint8)
    encoded = base64.b64encode(coordinates.tobytes()).decode("ascii")
    return {"fps": FPS, "frames": len(kept), "points": kept.shape[1], "data": encoded}
