"""What happens to all pictures of a clip in the same way: a camera does not move or change its light between frames."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from sonar_slt.augment.augmentation import Augmentation
from sonar_slt.data.track import Track


class PictureAugmentation(Augmentation):
    """One draw per clip, one change for its frames; clips go one by one, and each stays in the processor's cache."""

    tracks: ClassVar = ("pictures",)
    draws: ClassVar[int]
    """Numbers from 0 to 1 that a change needs."""

    @abstractmethod
    def changed(self, clip: Tensor, draw: Sequence[float]) -> Tensor:
        """`clip` (frames, 3, height, width) uint8, its real frames alone, to the same shape and type."""

    def __call__(self, track: Track, name: str, random: torch.Generator) -> Track:
        """Change the real frames of `pictures` (batch, time, 3, height, width) uint8."""
        drawn: list[list[float]] = torch.rand(len(track.values), self.draws, generator=random).tolist()
        values = track.values.clone()
        for clip, frames, draw in zip(values, track.mask.sum(dim=1).tolist(), drawn, strict=True):
            clip[:frames] = self.changed(clip[:frames], draw)
        return Track(values, track.mask)


def between(least: float, most: float, drawn: float) -> float:
    """The number that lies between two at a share drawn from 0 to 1."""
    return least + drawn * (most - least)


def rounded(pictures: Tensor) -> Tensor:
    """Numbers to bytes; `pictures` is used up."""
    return pictures.add_(0.5).clamp_(0, 255).byte()
