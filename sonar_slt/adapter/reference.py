"""ReferenceAdapter: the keypoint adapter of the reference tools (GatDeguin/SLT_v2), whose weights can be taken over.

Its parts and sizes are theirs. What goes wrong there goes right here: padding is masked, frames have positions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor, nn

from sonar_slt.adapter.adapter import Adapter, Measure
from sonar_slt.adapter.attention import TransformerLayers, positions
from sonar_slt.adapter.pooling import MeanPool
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError

WIDENING = 4
"""How much wider the feed-forward part of a layer is than its states."""


class ReferenceAdapter(Adapter):
    """Frames one by one, a narrow transformer, a wide one, the mean of the real frames, and the bridge to the space.

    A frame enters as x, y, confidence of each point, in the order of the data's layout; a missing point is 0, 0, 0.
    What the bridge says is in units of the teacher's spread, seen from its mean: 1 and 0 for the tools' own weights.
    """

    reads: ClassVar = ("points",)

    def __init__(
        self,
        *,
        measure: Measure,
        frame_dim: int = 512,
        frame_layers: int = 4,
        frame_heads: int = 8,
        dim: int = 1024,
        layers: int = 4,
        heads: int = 8,
        dropout: float = 0.1,
        positions: bool = True,
    ) -> None:
        super().__init__()
        self.sizes = {
            "frame_dim": frame_dim,
            "frame_layers": frame_layers,
            "frame_heads": frame_heads,
            "dim": dim,
            "layers": layers,
            "heads": heads,
        }
        if small := [f"adapter.{key}={size}" for key, size in self.sizes.items() if size < 1]:
            raise UserError(f"{small[0]}: expected a whole number of at least 1.")
        for key, width, count in (("frame_", frame_dim, frame_heads), ("", dim, heads)):
            if width % count:
                raise UserError(f"adapter.{key}dim={width} cannot be split over adapter.{key}heads={count}.")
        if not 0 <= dropout < 1:
            raise UserError(f"adapter.dropout={dropout}: expected a number from 0 to below 1.")
        self.positions = positions
        self.points = measure.sample("points", "reference").values.shape[2]
        width = 3 * self.points
        self.frame = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, frame_dim),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(frame_dim, frame_dim),
        )
        self.narrow = Stack(dim=frame_dim, layers=frame_layers, heads=frame_heads, dropout=dropout)
        self.widen = nn.Linear(frame_dim, dim)
        self.wide = Stack(dim=dim, layers=layers, heads=heads, dropout=dropout)
        self.pool = MeanPool(dim=dim)
        self.norm = nn.LayerNorm(dim)
        self.project = nn.Linear(dim, dim)
        self.bridge = nn.Linear(dim, len(measure.vector_mean), bias=False)
        self.register_buffer("vector_mean", measure.vector_mean.clone())
        self.register_buffer("vector_std", measure.vector_std.clone())
        self.vector_mean: Tensor
        self.vector_std: Tensor

    def forward(self, tracks: Mapping[str, Track]) -> Tensor:
        """`points` (batch, time, points, 3) as x, y, confidence to (batch, dim of the space)."""
        clip, mask = tracks["points"].values, tracks["points"].mask
        there = clip[..., 2:] > 0  # (batch, time, points, 1)
        states = self.frame(clip.masked_fill(~there, 0.0).flatten(2))
        if self.positions:
            states = states + positions(states.shape[1], states.shape[2]).to(states)
        states = self.wide(self.widen(self.narrow(states, mask)), mask)
        pooled = self.pool(states, mask).squeeze(1)  # (batch, dim)
        vector: Tensor = self.vector_mean + self.vector_std * self.bridge(self.project(self.norm(pooled)))
        return vector


class Stack(nn.Module):
    """Pre-norm layers of one width, and a last norm."""

    def __init__(self, *, dim: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.layers = TransformerLayers(dim=dim, layers=layers, heads=heads, hidden=WIDENING * dim, dropout=dropout)
        self.norm = nn.LayerNorm(dim)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """`states` (batch, length, dim), `mask` (batch, length), True at real frames."""
        normed: Tensor = self.norm(self.layers(self.dropout(states), mask))
        return normed
