"""Keypoint layouts: which index of a skeleton is what, what is joined to what, and what mirrors what.

Every corpus stores points in one of these layouts, so that normalising, augmenting and drawing need not know indices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Edge = tuple[int, int]

Channels = Literal["xyc", "xyz"]
"""What three numbers per point mean in an array that does not say it: places and a confidence, or places and depth."""


@dataclass(frozen=True)
class Layout:
    """The points of one skeleton, by name, by part and by role.

    `names[i]` says where on the body point `i` lies; the same name means the same place in every layout. `parts` cut
    the points without gap or overlap; body, face, left_hand and right_hand are always among them, an absent one empty.
    `mirror[i]` is the point that `i` becomes when left and right are exchanged, itself where the layout lacks that
    point. Pairs are given as (right, left). `head` are points of the body part that move with the head; `arms` are
    elbow, wrist and hand of the two sides, in the order of `wrists`. `roots[i]` is the point that `i` is best seen
    from: the wrist of a hand, the nose of the face, itself for none.
    """

    name: str
    points: int
    names: tuple[str, ...]
    channels: Channels
    parts: Mapping[str, slice]
    edges: tuple[Edge, ...]
    mirror: tuple[int, ...]
    shoulders: tuple[int, int]
    wrists: tuple[int, int]
    arms: tuple[tuple[int, ...], tuple[int, ...]]
    head: tuple[int, ...]
    roots: tuple[int, ...]
