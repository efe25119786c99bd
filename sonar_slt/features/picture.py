"""How a backbone wants its pictures: the size, and what becomes of a picture that is not square."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sonar_slt.errors import UserError

Fit = Literal["crop", "squeeze", "pad"]
Interpolation = Literal["bicubic", "bilinear"]

FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
"""Pillow widens both when a picture shrinks, so that nothing flickers from frame to frame."""

RIBBON = 8
"""No picture that a crop is taken from is longer than so many times its short side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A square of `size` pixels.

    `crop` brings the short side to size / share and takes the middle, `squeeze` keeps all and not the proportions,
    `pad` keeps all and both, between black bars.
    """

    size: int
    fit: Fit = "crop"
    share: float = 1.0  # of the short side that a crop keeps
    interpolation: Interpolation = "bicubic"

    def __post_init__(self) -> None:
        if self.fit not in get_args(Fit):
            raise UserError(f"fit={self.fit} is no way to fit a picture: choose one of {', '.join(get_args(Fit))}.")

    def __call__(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(height, width, 3) to (3, size, size)."""
        square = np.asarray(getattr(self, f"_{self.fit}")(Image.fromarray(picture)), dtype=np.uint8)
        return np.ascontiguousarray(square.transpose(2, 0, 1))

    def _crop(self, image: Image.Image) -> Image.Image:
        image = _shortened(image)
        short, aim = min(image.size), int(self.size / self.share)
        width, height = (aim if side == short else int(aim * side / short) for side in image.size)
        left, top = round((width - self.size) / 2), round((height - self.size) / 2)
        return self._resized(image, (width, height)).crop((left, top, left + self.size, top + self.size))

    def _squeeze(self, image: Image.Image) -> Image.Image:
        return self._resized(image, (self.size, self.size))

    def _pad(self, image: Image.Image) -> Image.Image:
        long = max(image.size)
        width, height = (max(1, round(self.size * side / long)) for side in image.size)
        square = Image.new("RGB", (self.size, self.size))
        square.paste(self._resized(image, (width, height)), ((self.size - width) // 2, (self.size - height) // 2))
        return square

    def _resized(self, image: Image.Image, size: tuple[int, int]) -> Image.Image:
        return image if image.size == size else image.resize(size, FILTERS[self.interpolation])


def _shortened(image: Image.Image) -> Image.Image:
    """The middle of a ribbon of pixels: all of it would be enlarged beyond any memory, and then cut off."""
    longest = RIBBON * min(image.size)
    if max(image.size) <= longest:
        return image
    width, height = (min(side, longest) for side in image.size)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))
