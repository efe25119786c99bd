"""Blur: a camera out of focus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from sonar_slt.augment.augmentation import share
from sonar_slt.augment.pictures import PictureAugmentation, between, rounded
from sonar_slt.errors import UserError

LEAST = 0.3
"""Pixels; a narrower Gaussian leaves a picture as it is."""


class Blur(PictureAugmentation):
    """Some clips are blurred by a Gaussian of up to `most` of the shorter side as its standard deviation."""

    draws: ClassVar = 2

    def __init__(self, *, probability: float = 0.3, most: float = 0.02) -> None:
        self.probability = share(probability, "blur.probability")
        if not 0 < most <= 1:
            raise UserError(f"augment.blur.most={most}: expected a share of the picture's side, above 0 and at most 1.")
        self.most = most

    def changed(self, clip: Tensor, draw: Sequence[float]) -> Tensor:
        """The same Gaussian for every frame, or the clip as it is."""
        if draw[0] >= self.probability:
            return clip
        height, width = clip.shape[-2:]
        deviation = between(LEAST, max(LEAST, self.most * min(height, width)), draw[1])
        down, across = (_gaussian(size, deviation, clip.device) for size in (height, width))
        with torch.autocast(clip.device.type, enabled=False):  # half of a byte's steps would be lost in bfloat16
            return rounded(down @ (clip.float() @ across.T))


def _gaussian(size: int, deviation: float, device: torch.device) -> Tensor:
    """A blur along one side as a matrix (size, size): row `i` says what pixel `i` is a mean of; none is outside."""
    places = torch.arange(size, dtype=torch.float32, device=device)
    weights = torch.exp(-0.5 * ((places.unsqueeze(1) - places) / deviation).square())
    return weights / weights.sum(dim=1, keepdim=True)
