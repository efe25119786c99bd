"""From frames of points to steps of a few frames: the part of the keypoint path before any frame knows of another."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sonar_slt.adapter.adapter import Measure
from sonar_slt.adapter.moments import Moments
from sonar_slt.adapter.points import PointFeatures
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError

MIN_STEPS = 16
"""Shorter batches are padded to this: matrix products of very few rows round differently from larger ones."""


class PointSteps(nn.Module):
    """Points from their roots, per-frame encoder, `stride` frames to a step."""

    def __init__(self, *, measure: Measure, dim: int, hidden: int = 256, stride: int = 2) -> None:
        super().__init__()
        if min(dim, hidden, stride) < 1:
            raise UserError(f"adapter.points: hidden={hidden}, stride={stride}; each is at least 1.")
        self.points = PointFeatures(roots=measure.roots, sample=measure.sample("points", "multimodal").values)
        self.frame = frame_encoder(width=self.points.width, hidden=hidden, dim=dim)
        self.join = nn.Linear(stride * dim, dim)
        self.width, self.stride = dim, stride

    def forward(self, track: Track) -> Moments:
        """`track` (batch, time, points, 3) to a row per step."""
        rows, mask = steps(track, points=self.points, frame=self.frame, join=self.join)
        lengths = track.mask.sum(dim=1)
        middles = (torch.arange(mask.shape[1], device=mask.device) + 0.5) * self.stride
        return Moments(rows, mask, middles / lengths.unsqueeze(1), lengths)


def frame_encoder(*, width: int, hidden: int, dim: int) -> nn.Sequential:
    """What a frame's points are to a network."""
    return nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, dim))


def steps(track: Track, *, points: PointFeatures, frame: nn.Module, join: nn.Linear) -> tuple[Tensor, Tensor]:
    """Frames to steps: (batch, steps, dim) and which steps hold a real frame; how many make a step, `join` knows."""
    stride = join.in_features // join.out_features
    short = max(MIN_STEPS * stride - track.mask.shape[1], -track.mask.shape[1] % stride)
    clip, mask = functional.pad(track.values, (0, 0, 0, 0, 0, short)), functional.pad(track.mask, (0, short))
    frames = frame(points(clip))
    frames = frames * mask.unsqueeze(-1).to(frames.dtype)
    batch, time, dim = frames.shape
    joined: Tensor = join(frames.view(batch, time // stride, stride * dim))
    return joined, mask.view(batch, -1, stride).any(dim=-1)
