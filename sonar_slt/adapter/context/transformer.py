"""TransformerContext: a small transformer that learns from nothing."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from sonar_slt.adapter.adapter import Measure
from sonar_slt.adapter.attention import TransformerLayers, positions
from sonar_slt.adapter.context.context import Context
from sonar_slt.errors import UserError


class TransformerContext(Context):
    """Sinusoidal positions, pre-norm layers, and a last norm."""

    def __init__(
        self,
        *,
        measure: Measure,
        dim: int = 128,
        layers: int = 2,
        heads: int = 4,
        hidden: int = 256,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if min(dim, layers, heads, hidden) < 1:
            raise UserError("Every size of context=transformer must be at least 1.")
        if dim % heads:
            raise UserError(f"context.dim={dim} cannot be split over context.heads={heads}.")
        self.dim = dim
        self.layers = TransformerLayers(dim=dim, layers=layers, heads=heads, hidden=hidden, dropout=dropout)
        self.norm = nn.LayerNorm(dim)
        self.loudness = 1.0 if measure.space is None else loudness(measure.space.model)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """`states` (batch, length, dim), `mask` (batch, length)."""
        states = states + positions(states.shape[1], self.dim).to(states)
        normed: Tensor = self.norm(self.layers(states, mask))
        return normed * self.loudness


def loudness(model: Any) -> float:
    """The usual size of an element of an encoder state; SONAR's are of about a hundredth."""
    return float(model.model.encoder.layer_norm.weight.float().square().mean().sqrt())
