"""A layout follows from the names of its points: what mirrors what, what is joined, and what is seen from where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

from sonar_slt.data.layout import Channels, Edge, Layout
from sonar_slt.data.layouts.anatomy import BODY_CHAINS, FACE_CHAINS, HANDS, SIDES, Chain, hand_chains, mirrored

_HEAD = {"nose", "upper_neck", "head_top"} | {
    f"{side}_{place}" for side in SIDES for place in ("eye", "ear", "body_eye_inner", "body_eye_outer", "body_mouth")
}


def draw(
    name: str,
    parts: Mapping[str, Sequence[str]],
    *,
    channels: Channels,
    body: Iterable[Chain] = BODY_CHAINS,
    face: Iterable[Chain] = FACE_CHAINS,
    face_from: str = "nasion",
) -> Layout:
    """The layout of `parts` in their order, each given by the names of its points.

    `body` and `face` are what is joined there, `face_from` is the point that the face is seen from.
    """
    names = tuple(point for part in parts.values() for point in part)
    index = {point: number for number, point in enumerate(names)}
    fingers_from = {side: _first(index, f"{side}_hand_wrist", f"{side}_wrist") for side in SIDES}
    chains = [*body, *face, *(chain for side in SIDES for chain in hand_chains(side, fingers_from[side]))]
    slices = _slices(parts)
    seen_from = {"face": face_from, **{f"{side}_hand": wrist for side, wrist in fingers_from.items()}}
    right, left = (_arm(side, index) for side in SIDES)
    return Layout(
        name=name,
        points=len(names),
        names=names,
        channels=channels,
        parts=MappingProxyType(slices),
        edges=_edges(chains, index),
        mirror=tuple(index.get(mirrored(point), number) for number, point in enumerate(names)),
        shoulders=(index["right_shoulder"], index["left_shoulder"]),
        wrists=(right[1], left[1]),
        arms=(right, left),
        head=tuple(index[point] for point in parts["body"] if point in _HEAD),
        roots=_roots(slices, {part: index[root] for part, root in seen_from.items() if root in index}),
    )


def _first(index: Mapping[str, int], *names: str) -> str:
    return next(name for name in names if name in index)


def _slices(parts: Mapping[str, Sequence[str]]) -> dict[str, slice]:
    slices, start = {}, 0
    for part, points in parts.items():
        slices[part] = slice(start, start + len(points))
        start += len(points)
    return slices


def _edges(chains: Iterable[Chain], index: Mapping[str, int]) -> tuple[Edge, ...]:
    lines = [[index[point] for point in chain if point in index] for chain in chains]
    return tuple(edge for line in lines for edge in pairwise(line))


def _arm(side: str, index: Mapping[str, int]) -> tuple[int, ...]:
    """Elbow, wrist (the body's, else the hand's), what the body knows of the hand, and the hand."""
    wrist = _first(index, f"{side}_wrist", f"{side}_hand_wrist")
    coarse = [f"{side}_body_{finger}" for finger in ("little", "index", "thumb")]
    names = dict.fromkeys((f"{side}_elbow", wrist, *coarse, *HANDS[side]))
    return tuple(index[name] for name in names if name in index)


def _roots(slices: Mapping[str, slice], seen_from: Mapping[str, int]) -> tuple[int, ...]:
    roots = list(range(max(part.stop for part in slices.values())))
    for part, root in seen_from.items():
        for point in range(slices[part].start, slices[part].stop):
            roots[point] = root
    return tuple(roots)
