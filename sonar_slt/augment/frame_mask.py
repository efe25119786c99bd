"""FrameMask: some frames are black."""

from __future__ import annotations

from typing import ClassVar

import torch

from sonar_slt.augment.augmentation import Augmentation, share
from sonar_slt.data.track import Track


class FrameMask(Augmentation):
    """`ratio` of a clip's frames become 0 and still count as frames; one at least is left to be seen."""

    tracks: ClassVar = ("pictures",)

    def __init__(self, *, ratio: float = 0.2) -> None:
        self.ratio = share(ratio, "frame_mask.ratio")

    def __call__(self, track: Track, random: torch.Generator) -> Track:
        """`values` (batch, time, ...); of a fraction of a frame it is drawn whether it is one."""
        drawn = torch.rand(track.mask.shape, generator=random).to(track.mask.device)
        over = torch.rand(len(track.mask), generator=random).to(track.mask.device)
        lengths = track.mask.sum(dim=1)
        count = torch.minimum((self.ratio * lengths + over).floor(), lengths - 1)
        rank = drawn.masked_fill(~track.mask, 2.0).argsort(dim=1).argsort(dim=1)
        seen = rank >= count.unsqueeze(1)
        return Track(track.values * seen.view(*seen.shape, *[1] * (track.values.ndim - 2)), track.mask)
