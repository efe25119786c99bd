"""A track with its frames in another order."""

from __future__ import annotations

import torch
from torch import Tensor

from sonar_slt.data.track import Track


def taken(track: Track, frames: Tensor) -> Track:
    """The track that shows frame `frames[b, t]` of clip `b` at time `t`."""
    clips = torch.arange(len(frames), device=frames.device).unsqueeze(1)
    return Track(track.values[clips, frames], track.mask)
