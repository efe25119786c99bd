"""Trunk, arms and hands of a figure. Lengths are in widths of the shoulders; hands are larger than life."""

from __future__ import annotations

from collections.abc import Sequence

from sonar_slt.data.corpora.toy.rendering.look import BLACK, WHITE, Look, mixed
from sonar_slt.data.corpora.toy.rendering.pen import Pen
from sonar_slt.data.layouts.openpose import LEFT_HAND, RIGHT_HAND

_NECK, _SHOULDERS = 1, (2, 5)
ARMS = (((2, 3, 4), RIGHT_HAND.start), ((5, 6, 7), LEFT_HAND.start))
"""Shoulder, elbow and wrist of each arm, and the first point of its hand."""
_PALM = (0, 1, 2, 5, 9, 13, 17)
_HAND_SIZE, _FINGER, _EDGE = 1.3, 0.062, 0.03


def trunk(pen: Pen, look: Look) -> None:
    """Chest and neck, down to the edge of the picture; not beyond the neck where a shoulder is lost."""
    if not pen.seen[_NECK]:
        return
    (x, y), u, bottom = pen.where[_NECK], pen.unit, float(pen.height)
    sides = []
    for point, out in zip(_SHOULDERS, (-u, u), strict=True):
        slope = (x + 0.15 * out, y - 0.08 * u)
        side, down = pen.where[point]
        there = [(side + 0.02 * out, down - 0.05 * u), (side + 0.12 * out, down + 0.1 * u), (side - 0.02 * out, bottom)]
        sides.append([slope, *(there if pen.seen[point] else [(x + 0.15 * out, bottom)])])
    body = [*sides[0], *reversed(sides[1])]
    pen.area(body, look.cloth)
    pen.line(body, mixed(look.cloth, BLACK, 0.35), 0.02)
    neck = [(-0.13, -0.35), (0.13, -0.35), (0.15, -0.06), (0.0, 0.1), (-0.15, -0.06)]
    pen.area([(x + right * u, y + down * u) for right, down in neck], mixed(look.skin, BLACK, 0.2))


def arm(pen: Pen, look: Look, joints: Sequence[int]) -> None:
    """The upper arm in the sleeve's dark tone, the forearm in its light one or bare."""
    upper, lower = pen.chosen(joints[:2]), pen.chosen(joints[1:])
    dark, light = mixed(look.cloth, BLACK, 0.25), mixed(look.cloth, WHITE, 0.16)
    edge = mixed(look.cloth, BLACK, 0.5)
    pen.limb(upper, edge, 0.25)
    pen.limb(upper, dark, 0.21)
    pen.limb(lower, edge, 0.2)
    pen.limb(lower, light if look.sleeve else mixed(look.skin, BLACK, 0.1), 0.16)


def hand(pen: Pen, look: Look, first: int) -> None:
    """Palm and fingers, each with a dark edge; they pale towards the little finger, and the thumb is redder."""
    seen = pen.seen[first : first + 21]
    if not seen[0]:
        return
    root = pen.places[first]
    where = [(x, y) for x, y in (root + _HAND_SIZE * (pen.places[first : first + 21] - root)).tolist()]
    edge = mixed(look.skin, BLACK, 0.55)
    palm = [where[point] for point in _PALM if seen[point]]
    pen.line([*palm, *palm[:1]], edge, 2 * _EDGE)
    pen.area(palm, mixed(look.skin, BLACK, 0.12))
    for finger in (4, 3, 2, 1, 0):
        bones = [where[point] for point in range(4 * finger + 1, 4 * finger + 5) if seen[point]]
        pen.line(bones, edge, _FINGER + 2 * _EDGE)
        if bones:
            pen.disc(bones[-1], edge, _FINGER + 2 * _EDGE)
    for finger in (4, 3, 2, 1, 0):
        bones = [where[point] for point in range(4 * finger + 1, 4 * finger + 5) if seen[point]]
        tone = mixed(look.skin, WHITE, 0.13 * finger) if finger else mixed(look.skin, (190, 60, 50), 0.45)
        pen.line(bones, tone, _FINGER)
