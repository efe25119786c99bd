"""FrameShuffle: frames change places with their neighbours."""

from __future__ import annotations

from typing import ClassVar

import torch

from sonar_slt.augment.augmentation import Augmentation
from sonar_slt.augment.order import drawn, taken
from sonar_slt.data.sources import TRACKS
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError


class FrameShuffle(Augmentation):
    """A clip is cut into windows of `window` frames, and the frames of each come in a new order."""

    tracks: ClassVar = TRACKS

    def __init__(self, *, window: int = 3) -> None:
        if window < 1:
            raise UserError(f"augment.frame_shuffle.window={window}: a window has at least 1 frame.")
        self.window = window

    def __call__(self, track: Track, name: str, random: torch.Generator) -> Track:
        """`values` (batch, time, ...); a last window that is cut short is shuffled too, and padding stays behind it."""
        time = track.mask.shape[1]
        window = torch.arange(time, device=track.mask.device) // self.window
        places = window + drawn(track.mask, random, torch.float64)
        return taken(track, places.masked_fill(~track.mask, time + 1.0).argsort(dim=1, stable=True))
