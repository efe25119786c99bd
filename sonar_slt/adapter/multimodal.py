"""MultimodalAdapter: points, single pictures and windows of pictures, side by side in one transformer.

The parts are those of the reference tools' VisualFusionAdapter; unlike there, every part knows when it saw what.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from torch import Tensor, nn

from sonar_slt.adapter.adapter import Adapter, Head, Measure
from sonar_slt.adapter.attention import TransformerLayers
from sonar_slt.adapter.eye import Eye
from sonar_slt.adapter.moments import Entry, together
from sonar_slt.adapter.pooling import Pooling
from sonar_slt.adapter.steps import PointSteps
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError


class MultimodalAdapter(Adapter):
    """Each part to a common width, with a mark and positions in time; transformer, pooling, head.

    A part that is None is left out.
    """

    reads: ClassVar = ("points", "pictures")

    @classmethod
    def reading(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Points where that part is there, pictures where an eye is."""
        wanted = {"points": settings.get("points"), "pictures": settings.get("spatial") or settings.get("motion")}
        return tuple(track for track in cls.reads if wanted[track]) or cls.reads

    def __init__(
        self,
        *,
        measure: Measure,
        pooling: Callable[..., Pooling],
        points: Callable[..., PointSteps] | None = None,
        spatial: Eye | None = None,
        motion: Eye | None = None,
        centred: bool = True,
        dim: int = 128,
        layers: int = 2,
        heads: int = 4,
        hidden: int = 256,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if min(dim, layers, heads, hidden) < 1 or dim % heads:
            raise UserError(f"adapter.dim={dim} cannot be split over adapter.heads={heads}, or a size is below 1.")
        for name, eye in (("spatial", spatial), ("motion", motion)):
            if eye is not None and eye.backbone.track != name:
                raise UserError(f"adapter.{name} has a backbone for {eye.backbone.track} features.")
        if spatial is not None or motion is not None:
            measure.sample("pictures", "multimodal")
        made = points(measure=measure, dim=dim) if points is not None else None
        found = {"points": made, "spatial": spatial, "motion": motion}
        parts = {name: part for name, part in found.items() if part is not None}
        if not parts:
            raise UserError("adapter=multimodal has no part left: one of points, spatial and motion must not be null.")
        self.parts = nn.ModuleDict(parts)
        self.entries = nn.ModuleDict(
            {
                name: Entry(width=part.width, dim=dim, centred=centred and isinstance(part, Eye))
                for name, part in parts.items()
            }
        )
        self.layers = TransformerLayers(dim=dim, layers=layers, heads=heads, hidden=hidden, dropout=dropout)
        self.pool = pooling(dim=dim, measure=measure)
        self.norm = nn.LayerNorm(self.pool.dim, eps=1e-8)  # a pooling of SONAR's own speaks in hundredths
        self.head = Head(dim=self.pool.dim, measure=measure)

    def forward(self, tracks: Mapping[str, Track]) -> Tensor:
        """`points` (batch, time, points, 3), `pictures` (batch, time, 3, side, side) to (batch, dim of the space)."""
        seen = {name: part(tracks["points" if name == "points" else "pictures"]) for name, part in self.parts.items()}
        states, mask = together([self.entries[name](moments) for name, moments in seen.items()])
        vector: Tensor = self.head(self.norm(self.pool(self.layers(states, mask), mask)))
        return vector
