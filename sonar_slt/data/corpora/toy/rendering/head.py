"""Head and face of a figure. What moves in a face moves further than in life: at 64 pixels a brow is one of them."""

from __future__ import annotations

import numpy as np

from sonar_slt.data.corpora.toy.rendering.look import BLACK, Look, mixed
from sonar_slt.data.corpora.toy.rendering.pen import Pen, Place, Places
from sonar_slt.data.layouts.openpose import FACE

_EARS = [17, 18]
_OUTLINE = slice(FACE.start, FACE.start + 17)
_KEYS = [FACE.start, FACE.start + 8, FACE.start + 16]
"""The outline beside both ears, and the chin between."""
_BROWS, _EYES, _PUPILS = ((17, 22), (22, 27)), ((36, 42), (42, 48)), (68, 69)
_LIPS, _INNER_LIPS = (48, 60), (60, 68)
_SKULL = np.linspace(0.0, np.pi, 9)

_SIZE = 1.3  # of the whole head, from between the ears
_TURN = 1.9  # how much further a face turns than its points do
_APART = 1.25  # how much wider than true the features stand
_BROW, _USUAL = 2.3, 0.085  # by what brows' height over the eyes is stretched, around what is usual
_EYE, _MOUTH = (1.6, 1.7), (1.7, 2.2)  # by what eyes and mouth are stretched to the side and upwards
_DARK, _WHITE, _RED, _LIP = (34, 24, 26), (246, 244, 240), (96, 10, 22), (176, 62, 66)


def head(pen: Pen, look: Look) -> None:
    """Hair, skull and face; a plain head where the face was lost and the ears were not."""
    if pen.all_seen(_KEYS):
        right, chin, left = pen.places[_KEYS]
        middle, across = (right + left) / 2, _SIZE * (left - right) / 2
        up = _SIZE * (middle - chin)
        outline = middle + _SIZE * (pen.places[_OUTLINE] - middle)
        jaw = [place for place, seen in zip(_listed(outline), pen.seen[_OUTLINE], strict=True) if seen]
    elif pen.all_seen(_EARS):
        right, left = pen.places[_EARS]
        middle, across = (right + left) / 2, _SIZE * (left - right) / 2
        up = 1.8 * np.array([across[1], -across[0]])
        jaw = _arc(middle, -across, -up)
    else:
        return
    _skull(pen, look, middle, across, up, jaw)
    _face(pen, look, middle, across / np.hypot(*across))


def _skull(pen: Pen, look: Look, middle: Places, across: Places, up: Places, jaw: list[Place]) -> None:
    if look.long_hair:
        ends = _listed(middle - 1.2 * up + np.outer([-1.25, 1.25], across))
        pen.area([*_arc(middle, 1.2 * across, 1.1 * up), *ends], mixed(look.hair, BLACK, 0.25))
    crown = _arc(middle, 1.03 * across, 0.95 * up)
    pen.area([*jaw, *crown], look.skin)
    pen.line(jaw, mixed(look.skin, BLACK, 0.35), 0.02)
    forehead = _arc(middle, 0.98 * across, look.hairline * up)
    pen.area([*_arc(middle, 1.14 * across, 1.08 * up), *reversed(forehead)], look.hair)


def _face(pen: Pen, look: Look, middle: Places, right: Places) -> None:
    """Brows, eyes, nose and mouth; nothing where an eye was lost."""
    seen = pen.seen[FACE]
    if not all(any(seen[first:last]) for first, last in _EYES):
        return
    axes = np.array([right, [right[1], -right[0]]])  # to the right of the picture and up, along the head
    features = _SIZE * (pen.places[FACE] - middle) @ axes.T
    _stretch(features, np.array(seen), _SIZE * pen.unit)
    where = _listed(middle + features @ axes)

    def part(first: int, last: int) -> list[Place]:
        return [where[point] for point in range(first, last) if seen[point]]

    pen.line(part(27, 31), mixed(look.skin, BLACK, 0.3), 0.045)
    for eye, pupil in zip(_EYES, _PUPILS, strict=True):
        pen.area(part(*eye), _WHITE)
        pen.line(part(eye[0], eye[0] + 4), _DARK, 0.018)
        if seen[pupil]:
            pen.disc(where[pupil], _DARK, 0.05)
    for brow in _BROWS:
        pen.line(part(*brow), mixed(look.hair, BLACK, 0.4), 0.05)
    pen.area(part(*_LIPS), _LIP)
    pen.area(part(*_INNER_LIPS), _RED)


def _stretch(features: Places, seen: Places, unit: float) -> None:
    """Move a face further than it moved, in place: (70, 2), to the right and up from between the ears."""
    eyes = [np.mean(features[first:last][seen[first:last]], axis=0) for first, last in _EYES]
    turned, level = (eyes[0] + eyes[1]) / 2
    features[:, 0] = (features[:, 0] - turned) * _APART + turned * _TURN
    for (first, last), (x, y) in zip(_EYES, eyes, strict=True):
        own = np.array([(x - turned) * _APART + turned * _TURN, y])
        features[first:last] = own + (features[first:last] - own) * _EYE
    brows = slice(_BROWS[0][0], _BROWS[1][1])
    usual = _USUAL * unit
    features[brows, 1] = level + 1.25 * usual + (features[brows, 1] - level - usual) * _BROW
    mouth = slice(_LIPS[0], _INNER_LIPS[1])
    if seen[mouth].any():
        own = features[mouth][seen[mouth]].mean(axis=0)
        features[mouth] = own + (features[mouth] - own) * _MOUTH


def _arc(middle: Places, across: Places, up: Places) -> list[Place]:
    """Half an ellipse, from the end of `across` over that of `up`."""
    return _listed(middle + np.outer(np.cos(_SKULL), across) + np.outer(np.sin(_SKULL), up))


def _listed(places: Places) -> list[Place]:
    return [(x, y) for x, y in places.tolist()]
