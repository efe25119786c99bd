"""KeypointAdapter: body, hand and face points over time to one sentence vector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from torch import Tensor, nn

from sonar_slt.adapter.adapter import Adapter, Head, Measure
from sonar_slt.adapter.attention import TransformerLayers, positions
from sonar_slt.adapter.points import PointFeatures
from sonar_slt.adapter.pooling import Pooling, ShallowDecoderPool
from sonar_slt.adapter.steps import frame_encoder, steps
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError


class KeypointAdapter(Adapter):
    """Points from their roots, per-frame encoder, `stride` frames to a step, positions, transformer, pooling, head."""

    reads: ClassVar = ("points",)

    def __init__(
        self,
        *,
        measure: Measure,
        pooling: Callable[..., Pooling],
        dim: int = 128,
        frame_hidden: int = 256,
        stride: int = 2,
        layers: int = 2,
        heads: int = 4,
        hidden: int = 256,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if min(dim, frame_hidden, stride, layers, heads, hidden) < 1:
            raise UserError("Every size of adapter.keypoint must be at least 1.")
        if dim % heads:
            raise UserError(f"adapter.dim={dim} cannot be split over adapter.heads={heads}.")
        self.points = PointFeatures(roots=measure.roots, sample=measure.sample("points", "keypoint").values)
        self.frame = frame_encoder(width=self.points.width, hidden=frame_hidden, dim=dim)
        self.join = nn.Linear(stride * dim, dim)
        self.layers = TransformerLayers(dim=dim, layers=layers, heads=heads, hidden=hidden, dropout=dropout)
        self.pool = pooling(dim=dim, measure=measure)
        self.norm = (
            nn.LayerNorm(self.pool.dim, eps=1e-8) if isinstance(self.pool, ShallowDecoderPool) else nn.Identity()
        )
        self.head = Head(dim=self.pool.dim, measure=measure)

    def forward(self, tracks: Mapping[str, Track]) -> Tensor:
        """`points` (batch, time, points, 3) as x, y, confidence to (batch, dim of the space).

        Points of confidence 0 are missing, wherever their coordinates lie. A pooling of SONAR's own speaks in
        hundredths, so a norm stands behind it; the others speak as loud as the layers before them.
        """
        states, mask = steps(tracks["points"], points=self.points, frame=self.frame, join=self.join)
        states = states + positions(states.shape[1], states.shape[2]).to(states)
        vector: Tensor = self.head(self.norm(self.pool(self.layers(states, mask), mask)))
        return vector
