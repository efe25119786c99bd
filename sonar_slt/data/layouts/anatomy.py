"""The names of the places that a skeleton has points at, and what is joined to what.

A name that begins with left_ or right_ has a counterpart; left is the signer's own left, as in every toolkit here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

Chain = tuple[str, ...]
"""Points that are joined one to the next; those that a layout lacks are passed over."""

SIDES = ("right", "left")


def mirrored(name: str) -> str:
    """The name of the counterpart, the name itself for what lies in the middle."""
    side, _, place = name.partition("_")
    return {"left": f"right_{place}", "right": f"left_{place}"}.get(side, name)


def across(right: Iterable[str], middle: Iterable[str] = ()) -> Chain:
    """From the right over the middle to the left."""
    right = tuple(right)
    return (*right, *middle, *(mirrored(name) for name in reversed(right)))


def both(*right: Chain) -> tuple[Chain, ...]:
    """Each chain, and behind it its mirror image."""
    return tuple(side for chain in right for side in (chain, tuple(mirrored(name) for name in chain)))


def _right(place: str, count: int) -> Chain:
    return tuple(f"right_{place}_{number}" for number in range(1, count + 1))


_FINGERS = ("thumb", "index", "middle", "ring", "little")
_JOINTS = ("wrist", *(f"{finger}_{joint}" for finger in _FINGERS for joint in range(1, 5)))
HANDS: Mapping[str, Chain] = MappingProxyType({side: tuple(f"{side}_hand_{j}" for j in _JOINTS) for side in SIDES})
"""The 21 points of a hand by its side: the wrist, then each finger from its root to its tip, thumb first."""

JAW = across(_right("jaw", 8), ["chin"])
BROWS = across(_right("brow", 5))  # from the temple inwards on the right, outwards on the left
NOSE = ("nasion", "nose_bridge_1", "nose_bridge_2", "nose_tip")
NOSTRILS = across(_right("nostril", 2), ["nose_base"])
_LIDS = ("outer", "top_outer", "top_inner", "inner", "bottom_inner", "bottom_outer")
RIGHT_EYE = tuple(f"right_eye_{place}" for place in _LIDS)
LEFT_EYE = tuple(f"left_eye_{_LIDS[place]}" for place in (3, 2, 1, 0, 5, 4))
OUTER_LIPS = (
    *across(("right_mouth_corner", "right_upper_lip_1", "right_upper_lip_2"), ["upper_lip"]),
    *reversed(across(("right_lower_lip_1", "right_lower_lip_2"), ["lower_lip"])),
)
INNER_LIPS = (
    *across(("right_inner_mouth_corner", "right_inner_upper_lip"), ["inner_upper_lip"]),
    *reversed(across(["right_inner_lower_lip"], ["inner_lower_lip"])),
)
FACE_68: Chain = (*JAW, *BROWS, *NOSE, *NOSTRILS, *RIGHT_EYE, *LEFT_EYE, *OUTER_LIPS, *INNER_LIPS)
"""The 68 points of the face that OpenPose and COCO-WholeBody share, in their order."""

FACE_CHAINS: tuple[Chain, ...] = (
    *(JAW, BROWS[:5], BROWS[5:], NOSE, NOSTRILS),
    *((*line, line[0]) for line in (RIGHT_EYE, LEFT_EYE, OUTER_LIPS, INNER_LIPS)),
)
_LIMBS = both(
    ("nose", "right_eye", "right_ear"),
    ("right_shoulder", "right_elbow", "right_wrist", "right_hand_wrist"),
    ("right_hip", "right_knee", "right_ankle", "right_heel"),
    ("right_ankle", "right_big_toe", "right_small_toe"),
)
NECK_CHAINS: tuple[Chain, ...] = (
    ("nose", "neck", "mid_hip"),
    *both(("neck", "right_shoulder"), ("mid_hip", "right_hip")),
    *_LIMBS,
)
"""A body with a neck and a middle of the hips."""
BODY_CHAINS: tuple[Chain, ...] = (
    ("right_shoulder", "left_shoulder"),
    ("right_hip", "left_hip"),
    *both(("right_shoulder", "right_hip")),
    *_LIMBS,
)
"""A body without them."""


def hand_chains(side: str, wrist: str) -> list[Chain]:
    """The fingers of a hand, each from its wrist."""
    return [(wrist, *HANDS[side][first : first + 4]) for first in range(1, 21, 4)]
