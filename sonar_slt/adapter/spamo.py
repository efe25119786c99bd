"""SpamoAdapter: features of single frames and of short windows of them to one sentence vector.

The visual block is SpaMo's (arXiv 2408.10593); with `context=sonar` and `pooling=shallow_decoder` the whole is the
architecture of SONAR-SLT (arXiv 2510.19398).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from sonar_slt.adapter.adapter import Adapter, Head, Measure
from sonar_slt.adapter.context import Context
from sonar_slt.adapter.fusion import Fusion
from sonar_slt.adapter.points import FAR
from sonar_slt.adapter.pooling import Pooling
from sonar_slt.adapter.shrinking import Shrinking
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError


class Stream(nn.Module):
    """Features of one backbone, standardised by a sample of clips, brought to the width of the adapter."""

    mean: Tensor
    std: Tensor

    def __init__(self, *, sample: Track, dim: int, dropout: float) -> None:
        super().__init__()
        std, mean = torch.std_mean(sample.values[sample.mask].float(), dim=0, correction=0)
        self.register_buffer("mean", mean)
        self.register_buffer("std", std.clamp_min(1e-3 * float(std.mean()) + 1e-8))  # some never change in a sample
        self.project = nn.Linear(len(mean), dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, track: Track) -> Track:
        """`track` (batch, time, features) to (batch, time, dim)."""
        rows = ((track.values.to(self.mean.dtype) - self.mean) / self.std).clamp(-FAR, FAR)
        return Track(self.project(self.dropout(rows)), track.mask)


class SpamoAdapter(Adapter):
    """Streams, fusion, SpaMo's convolutions, context, pooling, head; of two tracks, one is enough."""

    reads: ClassVar = ("spatial", "motion")

    def __init__(
        self,
        *,
        measure: Measure,
        fusion: Callable[..., Fusion],
        context: Callable[..., Context],
        pooling: Callable[..., Pooling],
        dim: int = 128,
        halvings: int = 2,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if dim < 1 or halvings < 0:
            raise UserError(f"adapter.dim={dim}, adapter.halvings={halvings}: expected at least 1 and at least 0.")
        named = [name for name in self.reads if name in measure.samples] or [self.reads[0]]
        samples = {name: measure.sample(name, "spamo") for name in named}
        self.streams = nn.ModuleDict(
            {name: Stream(sample=sample, dim=dim, dropout=dropout) for name, sample in samples.items()}
        )
        self.fusion = fusion(dim=dim, streams=len(samples))
        self.context = context(measure=measure)
        self.shrink = Shrinking(dim=dim, out=self.context.dim, halvings=halvings)
        self.pool = pooling(dim=self.context.dim, measure=measure)
        self.norm = nn.LayerNorm(self.pool.dim, eps=1e-8)  # SONAR's states are numbers of a hundredth
        self.head = Head(dim=self.pool.dim, measure=measure)

    def forward(self, tracks: Mapping[str, Track]) -> Tensor:
        """`spatial` and `motion` (batch, time, features), each over the whole clip, to (batch, dim of the space)."""
        fused = self.fusion([stream(tracks[name]) for name, stream in self.streams.items()])
        states, mask = self.shrink(fused.values, fused.mask)
        vector: Tensor = self.head(self.norm(self.pool(self.context(states, mask), mask)))
        return vector
