"""KeypointAdapter: body, hand and face points over time to one sentence vector."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from sonar_slt.adapter.attention import AttentionPool, TransformerLayer
from sonar_slt.adapter.points import PointFeatures
from sonar_slt.errors import UserError

MIN_STEPS = 16
"""Shorter batches are padded to this: matrix products of very few rows round differently from larger ones."""


class KeypointAdapter(nn.Module):
    """Points from their roots, per-frame encoder, `stride` frames to a step, positions, transformer, pooling, head.

    The head starts at the teacher's mean and spread: it says how far from the average sentence a clip lies.
    """

    def __init__(
        self,
        *,
        roots: Sequence[int],
        sample: Tensor,
        vector_mean: Tensor,
        vector_std: Tensor,
        dim: int = 128,
        frame_hidden: int = 256,
        stride: int = 2,
        layers: int = 2,
        heads: int = 4,
        hidden: int = 256,
        queries: int = 8,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if min(dim, frame_hidden, stride, layers, heads, hidden, queries) < 1:
            raise UserError("Every size of adapter.keypoint must be at least 1.")
        if dim % heads:
            raise UserError(f"adapter.dim={dim} cannot be split over adapter.heads={heads}.")
        self.stride = stride
        self.points = PointFeatures(roots=roots, sample=sample)
        self.frame = nn.Sequential(nn.Linear(self.points.width, frame_hidden), nn.GELU(), nn.Linear(frame_hidden, dim))
        self.join = nn.Linear(stride * dim, dim)
        self.layers = nn.ModuleList(
            [TransformerLayer(dim=dim, heads=heads, hidden=hidden, dropout=dropout) for _ in range(layers)]
        )
        self.pool = AttentionPool(dim=dim, queries=queries, heads=heads)
        self.head = nn.Linear(dim, len(vector_mean))
        self.register_buffer("vector_mean", vector_mean.clone())
        self.register_buffer("vector_std", vector_std.clone())

    def forward(self, clip: Tensor, mask: Tensor) -> Tensor:
        """`clip` (batch, time, points, 3) as x, y, confidence; `mask` (batch, time), True at real frames.

        Returns (batch, dim of the space). Points of confidence 0 are missing, wherever their coordinates lie.
        """
        states, mask = self._steps(clip, mask)
        states = states + _positions(states.shape[1], states.shape[2]).to(states)
        for layer in self.layers:
            states = layer(states, mask)
        seen = self.head(self.pool(states, mask))  # (batch, queries, dim of the space)
        vector: Tensor = self.vector_mean + self.vector_std * seen.mean(dim=1)
        return vector

    def _steps(self, clip: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Frames to steps of `stride` frames: (batch, steps, dim) and which steps hold a real frame."""
        short = max(MIN_STEPS * self.stride - mask.shape[1], -mask.shape[1] % self.stride)
        clip, mask = functional.pad(clip, (0, 0, 0, 0, 0, short)), functional.pad(mask, (0, short))
        frames = self.frame(self.points(clip))
        frames = frames * mask.unsqueeze(-1).to(frames.dtype)
        batch, time, dim = frames.shape
        steps = self.join(frames.view(batch, time // self.stride, self.stride * dim))
        return steps, mask.view(batch, -1, self.stride).any(dim=-1)


def _positions(length: int, dim: int) -> Tensor:
    """Sinusoidal positions (length, dim)."""
    rates = torch.exp(torch.arange(0, dim, 2) * (-math.log(10_000) / dim))
    angles = torch.arange(length).unsqueeze(1) * rates
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, :dim]
