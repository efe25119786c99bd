"""Every layout by name, and the way from one to another.

A layout is given by the names of its points: a new one is a few lines that list them.
"""

from __future__ import annotations

import copyreg
from collections.abc import Mapping
from types import MappingProxyType

from sonar_slt.data.layout import Layout
from sonar_slt.data.layouts.coco import COCO_133
from sonar_slt.data.layouts.conversion import convert
from sonar_slt.data.layouts.mediapipe import (
    MEDIAPIPE_75,
    MEDIAPIPE_178,
    MEDIAPIPE_543,
    MEDIAPIPE_553,
    MEDIAPIPE_576,
    MEDIAPIPE_586,
    YOUTUBE_ASL_85,
)
from sonar_slt.data.layouts.openpose import OPENPOSE_135, OPENPOSE_137
from sonar_slt.data.layouts.signing import SIGNING
from sonar_slt.errors import UserError

__all__ = [
    "COCO_133",
    "LAYOUTS",
    "MEDIAPIPE_75",
    "MEDIAPIPE_178",
    "MEDIAPIPE_543",
    "MEDIAPIPE_553",
    "MEDIAPIPE_576",
    "MEDIAPIPE_586",
    "OPENPOSE_135",
    "OPENPOSE_137",
    "SIGNING",
    "YOUTUBE_ASL_85",
    "by_points",
    "convert",
    "named",
]

LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        layout.name: layout
        for layout in (
            *(SIGNING, OPENPOSE_137, OPENPOSE_135, COCO_133),
            *(MEDIAPIPE_543, MEDIAPIPE_553, MEDIAPIPE_576, MEDIAPIPE_586, MEDIAPIPE_178, MEDIAPIPE_75, YOUTUBE_ASL_85),
        )
    }
)
"""Every layout by its name."""


def named(name: str) -> Layout:
    """The layout of that name."""
    if name not in LAYOUTS:
        raise UserError(f"There is no layout called {name!r}; there are {', '.join(LAYOUTS)}.")
    return LAYOUTS[name]


copyreg.pickle(Layout, lambda layout: (named, (layout.name,)))  # another process has the same ones under their names


def by_points(points: int) -> Layout | None:
    """The layout with so many points, None where there is none; no two here have the same number."""
    return next((layout for layout in LAYOUTS.values() if layout.points == points), None)
