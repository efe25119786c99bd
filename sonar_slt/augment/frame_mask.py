"""FrameMask: in some frames nothing is seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from sonar_slt.augment.augmentation import Augmentation, share, unfitted
from sonar_slt.augment.order import drawn
from sonar_slt.augment.usual import FEATURES, Usual, usual
from sonar_slt.data.layout import Layout
from sonar_slt.data.sources import TRACKS
from sonar_slt.data.track import Track


class FrameMask(Augmentation):
    """`ratio` of a clip's frames show nothing and still count as frames; one at least is left to be seen.

    Nothing is a black picture, a frame in which all points are missing, or the mean row of features.
    """

    tracks: ClassVar = TRACKS

    def __init__(self, *, ratio: float = 0.2) -> None:
        self.ratio = share(ratio, "frame_mask.ratio")
        self.usual: Mapping[str, Usual] = {}

    def fit(self, *, layout: Layout | None, samples: Mapping[str, Track]) -> None:
        """Know the mean row of features."""
        self.usual = usual(samples)

    def __call__(self, track: Track, name: str, random: torch.Generator) -> Track:
        """`values` (batch, time, ...)."""
        seen = self._seen(track.mask, random)
        seen = seen.view(*seen.shape, *[1] * (track.values.ndim - 2))
        if name not in FEATURES:
            return Track(track.values * seen, track.mask)
        if name not in self.usual:
            raise unfitted("frame_mask")
        return Track(torch.where(seen, track.values, self.usual[name].mean.to(track.values)), track.mask)

    def _seen(self, mask: Tensor, random: torch.Generator) -> Tensor:
        """The frames that stay (batch, time), padding among them; of a part of a frame it is drawn whether it goes."""
        over = torch.rand(len(mask), generator=random).to(mask.device)
        lengths = mask.sum(dim=1)
        count = torch.minimum((self.ratio * lengths + over).floor(), lengths - 1)
        rank = drawn(mask, random).masked_fill(~mask, 2.0).argsort(dim=1).argsort(dim=1)
        return rank >= count.unsqueeze(1)
