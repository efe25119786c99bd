"""Points of one layout in the order of another: the same name is the same place."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.layout import Layout
from sonar_slt.data.layouts.anatomy import Chain, mirrored

_RIGHT: Mapping[str, Chain] = {
    "right_eye": ("right_eye_outer", "right_eye_inner"),
    "right_wrist": ("right_hand_wrist",),
    "right_hand_wrist": ("right_wrist",),
    # The lower edge of a brow for its upper one: youtube_asl_85 has no other.
    **{f"right_brow_{place}": (f"right_mesh_{point}",) for place, point in {1: 46, 3: 52, 5: 55}.items()},
}
STAND_INS: Mapping[str, Chain] = MappingProxyType(
    {
        "nasion": ("right_eye_inner", "left_eye_inner"),
        "nose": ("nose_tip",),
        "neck": ("right_shoulder", "left_shoulder"),
        "mid_hip": ("right_hip", "left_hip"),
        **_RIGHT,
        **{mirrored(name): tuple(mirrored(part) for part in parts) for name, parts in _RIGHT.items()},
    }
)
"""What a point is taken from where the whole layout lacks it: the middle of these, and only where all are seen."""


def convert(points: NDArray[np.float32], source: Layout, target: Layout) -> NDArray[np.float32]:
    """`points` (frames, points, 3) of `source` as points of `target`.

    A point that `source` has nothing for is missing: confidence 0 at 0, 0. MediaPipe's coarse points of a hand are
    never used; the hand has its own.
    """
    if source.names == target.names:
        return points
    filled, given, middles = _plan(source.names, target.names)
    converted = np.zeros((len(points), target.points, 3), dtype=np.float32)
    converted[:, filled] = points[:, given]
    for place, parts in middles:
        converted[:, place] = _middle(points[:, parts])
    converted[~(converted[..., 2] > 0)] = 0
    return converted


def _middle(parts: NDArray[np.float32]) -> NDArray[np.float32]:
    """The middle of `parts` (frames, parts, 3), as sure as the least sure of them; missing where one of them is."""
    seen = (parts[..., 2] > 0).all(axis=1, keepdims=True)
    middle = np.concatenate([parts[..., :2].mean(axis=1), parts[..., 2].min(axis=1)[:, None]], axis=1)
    return np.where(seen, middle, np.float32(0))


@cache
def _plan(source: Chain, target: Chain) -> tuple[list[int], list[int], list[tuple[int, list[int]]]]:
    """Points of the target, the points of the source that fill them one to one, and those that are a middle of some."""
    index = {name: number for number, name in enumerate(source)}
    filled, given, middles = [], [], []
    for place, name in enumerate(target):
        parts = (name,) if name in index else STAND_INS.get(name, ())
        if not parts or any(part not in index for part in parts):
            continue
        if len(parts) == 1:
            filled.append(place)
            given.append(index[parts[0]])
        else:
            middles.append((place, [index[part] for part in parts]))
    return filled, given, middles
