"""Rotation: a camera that is not quite upright."""

from __future__ import annotations

from math import pi
from typing import ClassVar

import torch

from sonar_slt.augment.augmentation import Augmentation
from sonar_slt.data.sources import POINTS
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError


class Rotation(Augmentation):
    """Each clip is turned in the plane of the picture by an angle of its own, up to `degrees` to either side."""

    tracks: ClassVar = (POINTS,)

    def __init__(self, *, degrees: float = 10.0) -> None:
        if not 0 <= degrees <= 180:
            raise UserError(f"augment.rotation.degrees={degrees}: expected a number from 0 to 180.")
        self.degrees = degrees

    def __call__(self, track: Track, name: str, random: torch.Generator) -> Track:
        """`values` (batch, time, points, 3) turn around 0, 0, where missing points lie and stay."""
        drawn = 2 * torch.rand(len(track.values), 1, 1, generator=random) - 1
        angle = (drawn * self.degrees * pi / 180).to(track.values)
        x, y, confidence = track.values.unbind(dim=-1)
        cos, sin = angle.cos(), angle.sin()
        return Track(torch.stack([x * cos - y * sin, x * sin + y * cos, confidence], dim=-1), track.mask)
