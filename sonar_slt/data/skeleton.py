"""Moving skeletons small enough to travel inside a web page: 12.5 frames a second, one byte a coordinate."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

import numpy as np

from sonar_slt.data.clips import Clips
from sonar_slt.data.manifest import Row

FPS = 12.5
HALF = 2.6
"""Shoulder widths from the shoulders to each edge of the square that is shown; the square is centred a little lower."""
LOWER = 0.4
MISSING = 255


def skeletons(data: Clips, rows: Iterable[Row]) -> dict[str, Any]:
    """Edges and clips as the report draws them: `data` is base64 of bytes (frames, points, 2), 0..254, 255 missing."""
    layout = data.corpus.layout
    return {
        "edges": [list(edge) for edge in layout.edges],
        "parts": {name: [part.start, part.stop] for name, part in layout.parts.items()},
        "clips": {row.id: _clip(data, row) for row in rows},
    }


def _clip(data: Clips, row: Row) -> dict[str, Any]:
    points = data.shown(row)
    kept = points[np.linspace(0, len(points) - 1, max(2, round(len(points) * FPS / row.fps))).round().astype(int)]
    places = (kept[..., :2] - [0, LOWER] + HALF) / (2 * HALF)
    inside = (kept[..., 2] > 0) & (places >= 0).all(axis=-1) & (places <= 1).all(axis=-1)
    coordinates = np.where(inside[..., None], np.clip(places, 0, 1) * 254, MISSING).round().astype(np.uint8)
    encoded = base64.b64encode(coordinates.tobytes()).decode("ascii")
    return {"fps": FPS, "frames": len(kept), "points": kept.shape[1], "data": encoded}
