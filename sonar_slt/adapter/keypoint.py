"""KeypointAdapter: body, hand and face points over time to one sentence vector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional

from sonar_slt.adapter.adapter import Adapter, Head, Measure
from sonar_slt.adapter.attention import AttentionPool, TransformerLayer, positions
from sonar_slt.adapter.points import PointFeatures
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError

MIN_STEPS = 16
"""Shorter batches are padded to this: matrix products of very few rows round differently from larger ones."""


class KeypointAdapter(Adapter):
    """Points from their roots, per-frame encoder, `stride` frames to a step, positions, transformer, pooling, head."""

    reads: ClassVar = ("points",)

    def __init__(
        self,
        *,
        measure: Measure,
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
        self.points = PointFeatures(roots=measure.roots, sample=measure.sample("points", "keypoint").values)
        self.frame = nn.Sequential(nn.Linear(self.points.width, frame_hidden), nn.GELU(), nn.Linear(frame_hidden, dim))
        self.join = nn.Linear(stride * dim, dim)
        self.layers = nn.ModuleList(
            [TransformerLayer(dim=dim, heads=heads, hidden=hidden, dropout=dropout) for _ in range(layers)]
        )
        self.pool = AttentionPool(dim=dim, queries=queries, heads=heads)
        self.head = Head(dim=dim, measure=measure)

    def forward(self, tracks: Mapping[str, Track]) -> Tensor:
        """`points` (batch, time, points, 3) as x, y, confidence to (batch, dim of the space).

        Points of confidence 0 are missing, wherever their coordinates lie.
        """
        points = tracks["points"]
        states, mask = self._steps(points.values, points.mask)
        states = states + positions(states.shape[1], states.shape[2]).to(states)
        for layer in self.layers:
            states = layer(states, mask)
        vector: Tensor = self.head(self.pool(states, mask))
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
