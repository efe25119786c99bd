"""Colour: another light and another camera."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from sonar_slt.augment.augmentation import share
from sonar_slt.augment.pictures import PictureAugmentation, between, rounded

LUMA = (0.299, 0.587, 0.114)
"""How much red, green and blue add to how bright a colour looks (ITU-R BT.601)."""


class Colour(PictureAugmentation):
    """Saturation, contrast around the clip's mean grey, and brightness, each times a factor within 1 ± its share."""

    draws: ClassVar = 3

    def __init__(self, *, brightness: float = 0.2, contrast: float = 0.2, saturation: float = 0.2) -> None:
        self.brightness = share(brightness, "colour.brightness")
        self.contrast = share(contrast, "colour.contrast")
        self.saturation = share(saturation, "colour.saturation")

    def changed(self, clip: Tensor, draw: Sequence[float]) -> Tensor:
        """The same factors for every frame; all three are one weighted sum of a pixel, its grey and a number."""
        strengths = (self.brightness, self.contrast, self.saturation)
        bright, contrast, saturation = (between(1 - s, 1 + s, d) for s, d in zip(strengths, draw, strict=True))
        pictures = clip.float()
        red, green, blue = pictures.unbind(dim=1)
        grey = (red * LUMA[0]).add_(green, alpha=LUMA[1]).add_(blue, alpha=LUMA[2]).unsqueeze(1)
        offset = grey.mean() * (bright * (1 - contrast))
        pictures.mul_(bright * contrast * saturation).add_(grey, alpha=bright * contrast * (1 - saturation))
        return rounded(pictures.add_(offset))
