"""Moving skeletons small enough to travel inside a web page: 12.5 frames a second, one byte a coordinate, deflated.

What is written is how each coordinate changes from frame to frame, which is little and therefore packs well.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.filmstrip import filmstrip
from sonar_slt.data.layout import Layout
from sonar_slt.data.sources import PICTURES, Features, all_have_points
from sonar_slt.data.view import All

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
CODING = "delta-deflate"


def skeletons(data: Clips, rows: Iterable[Row]) -> dict[str, Any]:
    """Edges and clips as the report draws them; film strips where the corpus has pictures alone and they were kept."""
    if not all_have_points(data.corpus):
        return _films(data, rows)
    return {**drawing(data.corpus.layout), "clips": {row.id: moving(data.shown(row), row.fps) for row in rows}}


def _films(data: Clips, rows: Iterable[Row]) -> dict[str, Any]:
    """Strips of the small pictures that an adapter reads; those of a view that hides something are not shown."""
    pictures = data.seen.sources.get(PICTURES)
    if not isinstance(pictures, Features) or not isinstance(data.seen.view, All):
        return {}
    clips = {}
    for row in rows:
        frames = np.asarray(pictures.of(-1, row.id)).transpose(0, 2, 3, 1)  # (frames, height, width, 3)
        fps = (row.fps or USUAL) * len(frames) / row.frames  # some of the clip's frames were kept
        clips[row.id] = filmstrip(list(frames), fps, rate=FPS)
    return {"clips": clips}


def drawing(layout: Layout) -> dict[str, Any]:
    """What is joined to what, and which points are of which part."""
    return {
        "edges": [list(edge) for edge in layout.edges],
        "parts": {name: [part.start, part.stop] for name, part in layout.parts.items()},
    }


def moving(points: NDArray[Any], fps: float | None) -> dict[str, Any]:
    """A clip (frames, points, 3) in widths of its shoulders, for a page; `places_of` gives its places back."""
    number = max(2, round(len(points) * FPS / (fps or USUAL)))
    kept = points[np.linspace(0, len(points) - 1, number).round().astype(int)].astype(np.float32)
    places = (kept[..., :2] - [0, LOWER] + HALF) / (2 * HALF)
    inside = (kept[..., 2] > 0) & (places >= 0).all(axis=-1) & (places <= 1).all(axis=-1)
    coordinates = np.where(inside[..., None], np.clip(places, 0, 1) * 254, MISSING).round().astype(np.uint8)
    return {"fps": FPS, "frames": len(kept), "points": kept.shape[1], "coding": CODING, "data": _packed(coordinates)}


def places_of(clip: Mapping[str, Any]) -> NDArray[np.uint8]:
    """Bytes (frames, points, 2) of a clip for a page: 0 to 254, or 255 where a point is missing or outside."""
    raw = base64.b64decode(clip["data"])
    shape = (clip["frames"], clip["points"], 2)
    if clip.get("coding") != CODING:  # written by an older version, as it is
        return np.frombuffer(raw, np.uint8).reshape(shape)
    return np.cumsum(np.frombuffer(zlib.decompress(raw), np.uint8).reshape(shape), axis=0, dtype=np.uint8)


def _packed(coordinates: NDArray[np.uint8]) -> str:
    """Differences from frame to frame, modulo 256 so that nothing is lost, deflated, in base64."""
    changes = np.diff(coordinates, axis=0, prepend=np.zeros_like(coordinates[:1]))
    return base64.b64encode(zlib.compress(changes.tobytes(), 9)).decode("ascii")
