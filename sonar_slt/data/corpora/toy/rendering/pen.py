"""What everything is drawn with: filled shapes on a canvas, between points that were seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from sonar_slt.data.corpora.toy.rendering.look import Colour

Place = tuple[float, float]
Places = NDArray[np.float64]


class Pen:
    """A canvas and where a body's points are on it: `places` (137, 2) in its pixels, `seen` (137,).

    `unit` is the width of the shoulders; all widths are given in it.
    """

    def __init__(self, image: Image.Image, places: Places, seen: NDArray[np.bool_]) -> None:
        self._draw = ImageDraw.Draw(image)
        self.width, self.height = image.size
        self.places = places
        self.seen: list[bool] = seen.tolist()
        self.where: list[Place] = [(x, y) for x, y in places.tolist()]
        right, left = self.where[2], self.where[5]
        self.unit = max(8.0, left[0] - right[0]) if self.seen[2] and self.seen[5] else 0.33 * self.height

    def all_seen(self, points: Sequence[int]) -> bool:
        """Whether none of these is missing."""
        return all(map(self.seen.__getitem__, points))

    def chosen(self, points: Sequence[int]) -> list[Place]:
        """Where those of some points are that were seen."""
        return [self.where[point] for point in points if self.seen[point]]

    def area(self, places: Sequence[Place], colour: Colour) -> None:
        """A filled polygon, of three corners at least."""
        if len(places) > 2:
            self._draw.polygon(places, fill=colour)

    def line(self, places: Sequence[Place], colour: Colour, width: float) -> None:
        """A line of some width through places, two at least."""
        if len(places) > 1:
            self._draw.line(places, fill=colour, width=max(1, round(width * self.unit)))

    def disc(self, place: Place, colour: Colour, width: float) -> None:
        """A filled circle."""
        (x, y), half = place, 0.5 * width * self.unit
        self._draw.ellipse((x - half, y - half, x + half, y + half), fill=colour)

    def limb(self, places: Sequence[Place], colour: Colour, width: float) -> None:
        """A line with round ends."""
        self.line(places, colour, width)
        if len(places) > 1:
            for end in places:
                self.disc(end, colour, width)
