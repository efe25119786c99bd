"""TimeWarp: a signer who is now a little faster, now a little slower."""

from __future__ import annotations

from math import pi
from typing import ClassVar

import torch
from torch import Tensor

from sonar_slt.augment.augmentation import Augmentation
from sonar_slt.augment.order import taken
from sonar_slt.data.sources import TRACKS
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError

WAVES = 3
"""How often, at most, a clip changes between faster and slower."""


class TimeWarp(Augmentation):
    """A clip passes at a speed that swings within 1 ± `strength`; where it begins, ends and how long it is stays.

    Frames are shown twice or left out, never mixed, so that a missing point stays missing. All tracks of a clip follow
    the same curve, each at its own length.
    """

    tracks: ClassVar = TRACKS

    def __init__(self, *, strength: float = 0.2) -> None:
        if not 0 <= strength < 1:
            raise UserError(
                f"augment.time_warp.strength={strength}: expected a number from 0 up to, but not including, 1."
            )
        self.strength = strength

    def __call__(self, track: Track, name: str, random: torch.Generator) -> Track:
        """`values` (batch, time, ...)."""
        pulls = 2 * torch.rand(len(track.mask), WAVES, generator=random, dtype=torch.float64) - 1
        pulls *= self.strength / pulls.abs().sum(dim=1, keepdim=True).clamp_min(1)
        return taken(track, _shown(track.mask, pulls.to(track.mask.device)))


def _shown(mask: Tensor, pulls: Tensor) -> Tensor:
    """Which frame each time shows (batch, time), for `pulls` (batch, waves) whose sizes sum to less than 1.

    Time passes at the speed 1 + the sum of pull · cos(π wave time), which is above 0: the frames come in their order.
    """
    times = torch.arange(mask.shape[1], device=mask.device)
    last = (mask.sum(dim=1, keepdim=True) - 1).double()
    at = times / last.clamp_min(1)  # 0 to 1 over the real frames
    waves = pi * torch.arange(1, WAVES + 1, device=mask.device, dtype=torch.float64)
    warped = at + (pulls.unsqueeze(1) * (at.unsqueeze(-1) * waves).sin() / waves).sum(dim=-1)
    return torch.where(mask, (warped * last).round().long(), times)
