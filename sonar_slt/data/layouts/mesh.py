"""MediaPipe's face mesh by name: 468 points, and ten more of the irises where they were asked for.

The counterpart of the mesh's n-th right point is its n-th left one; its canonical face model says so exactly. The
points that also have a name in the scheme of 68 are those that public conversions between the two agree on; where they
do not, the nearest point at the same share of the way along the lip or the jaw. Iris points were told from a recording.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sonar_slt.data.layouts.anatomy import BROWS, RIGHT_EYE, Chain, mirrored

_MIDDLE = (0, 1, 2, 4, 5, 6, *range(8, 20), 94, 151, 152, 164, 168, 175, 195, 197, 199, 200)
_RIGHT = tuple(point for point in range(248) if point not in _MIDDLE)
_LEFT = range(248, 468)

_NAMED: Mapping[int, str] = MappingProxyType(
    {
        **dict(zip((70, 63, 105, 66, 107), BROWS, strict=False)),
        **dict(zip((33, 160, 158, 133, 153, 144), RIGHT_EYE, strict=True)),
        **{10: "forehead", 168: "nasion", 4: "nose_tip", 2: "nose_base"},
        **{127: "right_jaw_1", 234: "right_jaw_2", 93: "right_jaw_3", 136: "right_jaw_6", 150: "right_jaw_7"},
        **{176: "right_jaw_8", 152: "chin"},
        **{61: "right_mouth_corner", 39: "right_upper_lip_1", 37: "right_upper_lip_2", 0: "upper_lip"},
        **{91: "right_lower_lip_1", 84: "right_lower_lip_2", 17: "lower_lip"},
        **{78: "right_inner_mouth_corner", 81: "right_inner_upper_lip", 13: "inner_upper_lip"},
        **{178: "right_inner_lower_lip", 14: "inner_lower_lip"},
    }
)


def _names() -> tuple[str, ...]:
    names = {point: _NAMED.get(point, f"mesh_{point}") for point in _MIDDLE}
    for right, left in zip(_RIGHT, _LEFT, strict=True):
        names[right] = _NAMED.get(right, f"right_mesh_{right}")
        names[left] = mirrored(names[right])
    irises = {"right": ("inner", "top", "outer", "bottom"), "left": ("outer", "top", "inner", "bottom")}
    rings = ((f"{side}_pupil", *(f"{side}_iris_{place}" for place in ring)) for side, ring in irises.items())
    return (*(names[point] for point in range(468)), *(name for ring in rings for name in ring))


MESH = _names()
"""The names of the 478 points; the last ten are the irises."""

_HALVES = (
    (10, 109, 67, 103, 54, 21, 162, 127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152),
    *((46, 53, 52, 65, 55), (70, 63, 105, 66, 107)),
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246, 33),
    *((61, 185, 40, 39, 37, 0), (61, 146, 91, 181, 84, 17)),
    *((78, 191, 80, 81, 82, 13), (78, 95, 88, 178, 87, 14)),
)
"""The right half of what MediaPipe calls the contours of the face: oval, brow, eye, lips."""


def _chains() -> tuple[Chain, ...]:
    right = [tuple(MESH[point] for point in half) for half in _HALVES]
    return (*right, *(tuple(mirrored(name) for name in chain) for chain in right))


CONTOURS = _chains()
