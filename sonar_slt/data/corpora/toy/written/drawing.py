"""The toy world's clips as pictures: a body in a pullover, drawn from its points with a few filled shapes.

Pictures that are not wide show the middle of the scene, squeezed to their size as the corpora's own are.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from sonar_slt.data.corpora.toy.written.clip import Points

SCENE = (1280, 720)
_BACK, _SKIN, _SHADE, _DARK = (66, 74, 86), (224, 178, 148), (176, 128, 104), (46, 32, 30)
_CLOTHES = ((150, 60, 58), (58, 98, 150), (70, 120, 78), (134, 104, 52), (98, 74, 136), (60, 122, 128))
_ARMS, _TRUNK = ((2, 3, 4), (5, 6, 7)), (2, 5, 12, 9)
_BROWS, _EYES, _MOUTH = (range(42, 47), range(47, 52)), (range(61, 67), range(67, 73)), range(73, 85)
_HANDS = (95, 116)
_OUTLINE = range(25, 42)

Place = tuple[float, float]


def picture(points: Points, size: tuple[int, int], signer: int) -> Image.Image:
    """One frame (137, 3) as a picture; what was not seen is not drawn."""
    cloth = _CLOTHES[signer % len(_CLOTHES)]
    image = Image.new("RGB", size, _BACK)
    draw, places = ImageDraw.Draw(image), _placed(points, size)
    unit = max(1.0, size[1] / 260)
    trunk = _seen(places, _TRUNK)
    if len(trunk) < 4:  # hips are often out of sight
        shoulders = _seen(places, _TRUNK[:2])
        trunk = [*shoulders, *((x, float(size[1])) for x, _ in reversed(shoulders))]
    _area(draw, trunk, cloth)
    _line(draw, _seen(places, (0, 1)), _SHADE, round(14 * unit))
    _area(draw, [*_seen(places, _OUTLINE), *_seen(places, (*reversed(_BROWS[1]), *reversed(_BROWS[0])))], _SKIN)
    for part in (*_BROWS, *_EYES, _MOUTH):
        _line(draw, _seen(places, part), _DARK, round(2 * unit))
    for arm in _ARMS:
        _line(draw, _seen(places, arm), tuple(value * 3 // 4 for value in cloth), round(14 * unit))
    for hand in _HANDS:
        _area(draw, _seen(places, [hand + point for point in (0, 1, 5, 9, 13, 17)]), _SKIN)
        for finger in range(5):
            _line(draw, _seen(places, [hand + 4 * finger + joint for joint in range(1, 5)]), _SHADE, round(3 * unit))
    return image


def _placed(points: Points, size: tuple[int, int]) -> list[Place | None]:
    """Where each point is in the picture, None for one that was not seen."""
    wide = size[0] > 1.2 * size[1]
    shown = SCENE[0] if wide else SCENE[1]
    corner, scale = ((SCENE[0] - shown) / 2, 0.0), (size[0] / shown, size[1] / SCENE[1])
    places = (points[:, :2] - np.array(corner)) * np.array(scale)
    return [(x, y) if seen > 0 else None for (x, y), seen in zip(places.tolist(), points[:, 2].tolist(), strict=True)]


def _seen(places: list[Place | None], which: range | tuple[int, ...] | list[int]) -> list[Place]:
    return [place for point in which if (place := places[point]) is not None]


def _area(draw: ImageDraw.ImageDraw, places: list[Place], colour: tuple[int, ...]) -> None:
    if len(places) > 2:
        draw.polygon(places, fill=colour)


def _line(draw: ImageDraw.ImageDraw, places: list[Place], colour: tuple[int, ...], width: int) -> None:
    if len(places) > 1:
        draw.line(places, fill=colour, width=width)
