"""Crop: a part of the pictures, as large as they were."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from sonar_slt.augment.augmentation import share
from sonar_slt.augment.pictures import PictureAugmentation, between, rounded


class Crop(PictureAugmentation):
    """The camera stands nearer and a little aside: any part that has at least `least` of each side."""

    draws: ClassVar = 3

    def __init__(self, *, least: float = 0.85) -> None:
        self.least = share(least, "crop.least")

    def changed(self, clip: Tensor, draw: Sequence[float]) -> Tensor:
        """The same part of every frame."""
        height, width = clip.shape[-2:]
        kept = between(self.least, 1, draw[0])
        tall, wide = max(1, round(kept * height)), max(1, round(kept * width))
        top, left = round(draw[1] * (height - tall)), round(draw[2] * (width - wide))
        part = clip[..., top : top + tall, left : left + wide]
        return part if part.shape == clip.shape else resized(part, (height, width))


def resized(pictures: Tensor, size: tuple[int, int]) -> Tensor:
    """Pictures (frames, 3, height, width) uint8 in another size, antialiased where they shrink."""
    if pictures.device.type == "cpu":  # bytes are resized as they are, and with the colours side by side twice as fast
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        return functional.interpolate(pictures, size=size, mode="bilinear", antialias=True)
    return rounded(functional.interpolate(pictures.float(), size=size, mode="bilinear", antialias=True))
