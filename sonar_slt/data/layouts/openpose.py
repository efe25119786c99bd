"""OpenPose's skeletons: BODY_25, 70 points of the face, and two hands."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from types import MappingProxyType

from sonar_slt.data.layout import Edge, Layout

BODY = slice(0, 25)
FACE = slice(25, 95)
LEFT_HAND = slice(95, 116)
RIGHT_HAND = slice(116, 137)

_BODY_EDGES: tuple[Edge, ...] = (
    *((0, 1), (1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (10, 11), (8, 12)),
    *((12, 13), (13, 14), (0, 15), (15, 17), (0, 16), (16, 18), (14, 19), (19, 20), (14, 21), (11, 22), (22, 23)),
    (11, 24),
)
_BODY_PAIRS: tuple[Edge, ...] = (
    *((2, 5), (3, 6), (4, 7), (9, 12), (10, 13), (11, 14), (15, 16), (17, 18), (22, 19), (23, 20), (24, 21)),
)
_FACE_PAIRS: tuple[Edge, ...] = (
    *((i, 16 - i) for i in range(8)),
    *((17 + i, 26 - i) for i in range(5)),
    *((31, 35), (32, 34), (36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)),
    *((48, 54), (49, 53), (50, 52), (55, 59), (56, 58), (60, 64), (61, 63), (65, 67), (68, 69)),
)


def _line(points: Iterable[int], *, closed: bool = False) -> list[Edge]:
    line = list(points)
    return [*pairwise(line), *([(line[-1], line[0])] if closed else [])]


def _face_edges() -> list[Edge]:
    outline, brows = _line(range(17)), _line(range(17, 22)) + _line(range(22, 27))
    nose = _line(range(27, 31)) + _line(range(31, 36))
    eyes = _line(range(36, 42), closed=True) + _line(range(42, 48), closed=True)
    mouth = _line(range(48, 60), closed=True) + _line(range(60, 68), closed=True)
    return outline + brows + nose + eyes + mouth


def _hand_edges() -> list[Edge]:
    return [edge for finger in range(5) for edge in _line((0, *range(4 * finger + 1, 4 * finger + 5)))]


def _shifted(edges: Iterable[Edge], part: slice) -> list[Edge]:
    return [(a + part.start, b + part.start) for a, b in edges]


def _mirror() -> tuple[int, ...]:
    mirror = list(range(137))
    hands = list(zip(range(95, 116), range(116, 137), strict=True))
    for a, b in [*_BODY_PAIRS, *_shifted(_FACE_PAIRS, FACE), *hands]:
        mirror[a], mirror[b] = b, a
    return tuple(mirror)


OPENPOSE_137 = Layout(
    name="openpose_137",
    points=137,
    parts=MappingProxyType({"body": BODY, "face": FACE, "left_hand": LEFT_HAND, "right_hand": RIGHT_HAND}),
    edges=(
        *_BODY_EDGES,
        *_shifted(_face_edges(), FACE),
        *_shifted(_hand_edges(), LEFT_HAND),
        *_shifted(_hand_edges(), RIGHT_HAND),
    ),
    mirror=_mirror(),
    shoulders=(2, 5),
    wrists=(4, 7),
    arms=((3, 4, *range(116, 137)), (6, 7, *range(95, 116))),
    head=(0, 15, 16, 17, 18),
    roots=(*range(25), *(55,) * 70, *(95,) * 21, *(116,) * 21),
)
"""OpenPose's BODY_25, 70 face points, left and right hand, in the order of its json files."""
