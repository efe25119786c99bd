"""Keypoint layouts: which index of a skeleton is what, what is joined to what, and what mirrors what.

Every corpus stores points in one of these layouts, so that normalising, augmenting and drawing need not know indices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Edge = tuple[int, int]


@dataclass(frozen=True)
class Layout:
    """The points of one skeleton, by part and by role.

    `mirror[i]` is the point that `i` becomes when left and right are exchanged. `head` are points of the body part
    that move with the head; `arms` are elbow, wrist and hand of the two sides, in the order of `wrists`.
    `roots[i]` is the point that `i` is best seen from: the wrist of a hand, the nose of the face, itself for none.
    """

    name: str
    points: int
    parts: Mapping[str, slice]
    edges: tuple[Edge, ...]
    mirror: tuple[int, ...]
    shoulders: tuple[int, int]
    wrists: tuple[int, int]
    arms: tuple[tuple[int, ...], tuple[int, ...]]
    head: tuple[int, ...]
    roots: tuple[int, ...]
