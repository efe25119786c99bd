"""Scale: a signer who is larger or smaller."""

from __future__ import annotations

from typing import ClassVar

import torch

from sonar_slt.augment.augmentation import Augmentation
from sonar_slt.data.sources import POINTS
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError


class Scale(Augmentation):
    """Each clip is larger or smaller by a factor of its own, within 1 ± `share`."""

    tracks: ClassVar = (POINTS,)

    def __init__(self, *, share: float = 0.15) -> None:
        if not 0 <= share < 1:
            raise UserError(f"augment.scale.share={share}: expected a number from 0 up to, but not including, 1.")
        self.share = share

    def __call__(self, track: Track, name: str, random: torch.Generator) -> Track:
        """`values` (batch, time, points, 3) grow from 0, 0, where missing points lie and stay."""
        drawn = 2 * torch.rand(len(track.values), 1, 1, generator=random) - 1
        factor = (1 + self.share * drawn).to(track.values)
        x, y, confidence = track.values.unbind(dim=-1)
        return Track(torch.stack([x * factor, y * factor, confidence], dim=-1), track.mask)
