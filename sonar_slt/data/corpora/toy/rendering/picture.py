"""One frame as a picture: the wall, then the body from back to front, at twice the size and reduced."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.corpora.toy.rendering.body import ARMS, arm, hand, trunk
from sonar_slt.data.corpora.toy.rendering.head import head
from sonar_slt.data.corpora.toy.rendering.look import Look
from sonar_slt.data.corpora.toy.rendering.pen import Pen
from sonar_slt.data.corpora.toy.rendering.wall import wall
from sonar_slt.data.corpora.toy.signing.camera import HEIGHT, WIDTH

NEAR = (370.0, 20.0, 540.0)
"""Left and upper edge and width of the square that square pictures show: from over raised hands to hands at rest."""
_FINER = 2


def drawn(points: NDArray[np.float32], look: Look, *, size: tuple[int, int]) -> NDArray[np.uint8]:
    """One frame, points (137, 3) in pixels of the scene, as a picture (height, width, 3) of `size` (width, height).

    Wide pictures show the whole scene, others the square around the signer (`NEAR`), squeezed to their size. What was
    not seen is not drawn.
    """
    canvas = (size[0] * _FINER, size[1] * _FINER)
    image = wall(look, canvas).copy()
    pen = Pen(image, _placed(points, look, canvas), points[:, 2] > 0.0)
    trunk(pen, look)
    head(pen, look)
    for joints, fingers in sorted(ARMS, key=lambda each: -pen.where[each[0][-1]][1]):  # the higher hand is in front
        arm(pen, look, joints)
        hand(pen, look, fingers)
    return np.asarray(image.reduce(_FINER))


def _placed(points: NDArray[np.float32], look: Look, canvas: tuple[int, int]) -> NDArray[np.float64]:
    """Where each point is on the canvas: (137, 2)."""
    if canvas[0] > 1.2 * canvas[1]:
        corner, shown = np.zeros(2), np.array([WIDTH, HEIGHT])
    else:
        corner, shown = np.array(NEAR[:2]), np.full(2, NEAR[2])
    middle = corner + shown / 2
    scene = (points[:, :2] + look.shift - middle) * look.zoom + shown / 2
    return np.asarray(scene * (np.array(canvas) / shown))
