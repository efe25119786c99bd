"""FrameDropout: a frame is lost, and the one before it stands still for as long."""

from __future__ import annotations

from typing import ClassVar

import torch

from sonar_slt.augment.augmentation import Augmentation, share
from sonar_slt.augment.order import drawn, taken
from sonar_slt.data.sources import TRACKS
from sonar_slt.data.track import Track


class FrameDropout(Augmentation):
    """Each frame but the first is replaced by the last one that was not lost, with `probability`."""

    tracks: ClassVar = TRACKS

    def __init__(self, *, probability: float = 0.2) -> None:
        self.probability = share(probability, "frame_dropout.probability")

    def __call__(self, track: Track, name: str, random: torch.Generator) -> Track:
        """`values` (batch, time, ...)."""
        lost = drawn(track.mask, random) < self.probability
        places = torch.arange(lost.shape[1], device=lost.device).expand_as(lost)
        shown = places.masked_fill(lost & track.mask, 0).cummax(dim=1).values
        return taken(track, shown)
