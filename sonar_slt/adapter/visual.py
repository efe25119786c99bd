"""VisualAdapter: pictures through a backbone in the loop to one sentence vector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from torch import Tensor, nn

from sonar_slt.adapter.adapter import Adapter, Head, Measure
from sonar_slt.adapter.context import Context
from sonar_slt.adapter.eye import Eye
from sonar_slt.adapter.moments import Entry
from sonar_slt.adapter.pooling import Pooling
from sonar_slt.data.track import Track


class VisualAdapter(Adapter):
    """An eye, its rows brought to the context's width, context, pooling, head."""

    reads: ClassVar = ("pictures",)

    def __init__(
        self,
        *,
        measure: Measure,
        eye: Eye,
        context: Callable[..., Context],
        pooling: Callable[..., Pooling],
        centred: bool = True,
    ) -> None:
        super().__init__()
        measure.sample("pictures", "visual")
        self.eye = eye
        self.context = context(measure=measure)
        self.entry = Entry(width=eye.width, dim=self.context.dim, centred=centred)
        self.pool = pooling(dim=self.context.dim, measure=measure)
        self.norm = nn.LayerNorm(self.pool.dim, eps=1e-8)  # SONAR's states are numbers of a hundredth
        self.head = Head(dim=self.pool.dim, measure=measure)

    def forward(self, tracks: Mapping[str, Track]) -> Tensor:
        """`pictures` (batch, time, 3, side, side) of bytes to (batch, dim of the space)."""
        seen = self.entry(self.eye(tracks["pictures"]))
        states = self.context(seen.rows, seen.mask)
        vector: Tensor = self.head(self.norm(self.pool(states, seen.mask)))
        return vector
