"""The names of the places that a skeleton has points at, and how a layout follows from the names of its points.

A name that begins with left_ or right_ has a counterpart; left is the signer's own left, as in every toolkit here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

from sonar_slt.data.layout import Channels, Edge, Layout

Chain = tuple[str, ...]
"""Points that are joined one to the next; those that a layout lacks are passed over."""

SIDES = ("right", "left")
_FINGERS = ("thumb", "index", "middle", "ring", "little")
_JOINTS = ("wrist", *(f"{finger}_{joint}" for finger in _FINGERS for joint in range(1, 5)))
HANDS: Mapping[str, Chain] = MappingProxyType({side: tuple(f"{side}_hand_{j}" for j in _JOINTS) for side in SIDES})
"""The 21 points of a hand by its side: the wrist, then each finger from its root to its tip, thumb first."""


def mirrored(name: str) -> str:
    """The name of the counterpart, the name itself for what lies in the middle."""
    side, _, place = name.partition("_")
    return {"left": f"right_{place}", "right": f"left_{place}"}.get(side, name)


def _across(right: Iterable[str], middle: Iterable[str] = ()) -> Chain:
    """From the right over the middle to the left."""
    right = tuple(right)
    return (*right, *middle, *(mirrored(name) for name in reversed(right)))


def _numbered(place: str, count: int) -> Chain:
    return tuple(f"right_{place}_{number}" for number in range(1, count + 1))


JAW = _across(_numbered("jaw", 8), ["chin"])
BROWS = _across(_numbered("brow", 5))
NOSE = ("nasion", "nose_bridge_1", "nose_bridge_2", "nose_tip")
_NOSTRILS = _across(_numbered("nostril", 2), ["nose_base"])
_EYE = ("outer", "top_outer", "top_inner", "inner", "bottom_inner", "bottom_outer")
RIGHT_EYE = tuple(f"right_eye_{place}" for place in _EYE)
LEFT_EYE = tuple(f"left_eye_{_EYE[place]}" for place in (3, 2, 1, 0, 5, 4))
_LIPS = ("right_mouth_corner", "right_upper_lip_1", "right_upper_lip_2"), ("right_lower_lip_2", "right_lower_lip_1")
_INNER_LIPS = ("right_inner_mouth_corner", "right_inner_upper_lip"), ("right_inner_lower_lip",)
MOUTH = (
    *_across(_LIPS[0], ["upper_lip"]),
    *reversed(_across(reversed(_LIPS[1]), ["lower_lip"])),
    *_across(_INNER_LIPS[0], ["inner_upper_lip"]),
    *reversed(_across(_INNER_LIPS[1], ["inner_lower_lip"])),
)
FACE_68: Chain = (*JAW, *BROWS, *NOSE, *_NOSTRILS, *RIGHT_EYE, *LEFT_EYE, *MOUTH)
"""The 68 points of the face that OpenPose and COCO-WholeBody share, in their order."""


def _both(*right: Chain) -> tuple[Chain, ...]:
    return tuple(side for chain in right for side in (chain, tuple(mirrored(name) for name in chain)))


FACE_CHAINS: tuple[Chain, ...] = (
    *(JAW, BROWS[:5], BROWS[5:], NOSE, _NOSTRILS),
    *((*line, line[0]) for line in (RIGHT_EYE, LEFT_EYE, MOUTH[:12], MOUTH[12:])),
)
_LEGS = _both(
    ("right_hip", "right_knee", "right_ankle", "right_heel"),
    ("right_ankle", "right_big_toe", "right_small_toe"),
    ("nose", "right_eye", "right_ear"),
    ("right_shoulder", "right_elbow", "right_wrist", "right_hand_wrist"),
)
NECK_CHAINS: tuple[Chain, ...] = (
    ("nose", "neck", "mid_hip"),
    *_both(("neck", "right_shoulder"), ("mid_hip", "right_hip")),
    *_LEGS,
)
"""A body with a neck and a middle of the hips."""
BODY_CHAINS: tuple[Chain, ...] = (
    ("right_shoulder", "left_shoulder"),
    ("right_hip", "left_hip"),
    *_both(("right_shoulder", "right_hip")),
    *_LEGS,
)
"""A body without."""


def hand_chains(side: str, wrist: str) -> list[Chain]:
    """The fingers of a hand from its wrist."""
    return [(wrist, *HANDS[side][4 * finger + 1 : 4 * finger + 5]) for finger in range(len(_FINGERS))]


def lay_out(
    name: str,
    parts: Mapping[str, Sequence[str]],
    *,
    channels: Channels,
    body: Iterable[Chain],
    face: Iterable[Chain] = FACE_CHAINS,
    root: str = "nasion",
) -> Layout:
    """The layout of `parts` in their order, each given by the names of its points; `root` is what faces are seen from."""
    names = tuple(point for part in parts.values() for point in part)
    index = {point: number for number, point in enumerate(names)}
    wrists = {side: _wrist(side, index) for side in SIDES}
    chains = [*body, *face, *(chain for side in SIDES for chain in hand_chains(side, wrists[side]))]
    slices = _slices(parts)
    return Layout(
        name=name,
        points=len(names),
        names=names,
        channels=channels,
        parts=MappingProxyType(slices),
        edges=_edges(chains, index),
        mirror=tuple(index.get(mirrored(point), number) for number, point in enumerate(names)),
        shoulders=(index["right_shoulder"], index["left_shoulder"]),
        wrists=(_arm("right", index)[1], _arm("left", index)[1]),
        arms=(_arm("right", index), _arm("left", index)),
        head=tuple(index[point] for point in parts["body"] if point in _HEAD),
        roots=_roots(slices, {"face": root, **{f"{side}_hand": wrist for side, wrist in wrists.items()}}, index),
    )


_HEAD = {"nose", "upper_neck", "head_top"} | {
    f"{side}_{place}" for side in SIDES for place in ("eye", "ear", "body_eye_inner", "body_eye_outer", "body_mouth")
}


def _slices(parts: Mapping[str, Sequence[str]]) -> dict[str, slice]:
    slices, start = {}, 0
    for part, points in parts.items():
        slices[part] = slice(start, start + len(points))
        start += len(points)
    return slices


def _edges(chains: Iterable[Chain], index: Mapping[str, int]) -> tuple[Edge, ...]:
    lines = [[index[point] for point in chain if point in index] for chain in chains]
    return tuple(dict.fromkeys(edge for line in lines for edge in pairwise(line) if edge[0] != edge[1]))


def _wrist(side: str, index: Mapping[str, int]) -> str:
    """The wrist that fingers begin at: the hand's own, else the body's."""
    return next(wrist for wrist in (f"{side}_hand_wrist", f"{side}_wrist") if wrist in index)


def _arm(side: str, index: Mapping[str, int]) -> tuple[int, ...]:
    """Elbow, wrist, whatever else of the hand the body has, and the hand."""
    coarse = tuple(f"{side}_body_{finger}" for finger in ("little", "index", "thumb"))
    names = (f"{side}_elbow", f"{side}_wrist", *coarse, *HANDS[side])
    return tuple(index[name] for name in names if name in index)


def _roots(slices: Mapping[str, slice], roots: Mapping[str, str], index: Mapping[str, int]) -> tuple[int, ...]:
    seen_from = list(range(len(index)))
    for part, root in roots.items():
        seen_from[slices[part]] = [index[root]] * (slices[part].stop - slices[part].start) if root in index else range(
            slices[part].start, slices[part].stop
        )
    return tuple(seen_from)
