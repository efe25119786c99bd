"""Frames by chance and in another order: what all augmentations of time are made of."""

from __future__ import annotations

import torch
from torch import Tensor

from sonar_slt.data.track import Track


def taken(track: Track, frames: Tensor) -> Track:
    """The track that shows frame `frames[b, t]` of clip `b` at time `t`."""
    clips = torch.arange(len(frames), device=frames.device).unsqueeze(1)
    return Track(track.values[clips, frames], track.mask)


def drawn(mask: Tensor, random: torch.Generator, dtype: torch.dtype = torch.float32) -> Tensor:
    """A number from 0 to 1 for each frame of `mask` (batch, time).

    What a frame draws does not hang on how much padding comes behind it: two tracks of a clip that are of one length
    draw the same, whatever the other clips of the batch are like.
    """
    clips, time = mask.shape
    return torch.rand(time, clips, generator=random, dtype=dtype).T.to(mask.device)
