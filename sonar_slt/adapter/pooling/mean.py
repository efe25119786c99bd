"""MeanPool: every step counts alike."""

from __future__ import annotations

from torch import Tensor

from sonar_slt.adapter.adapter import Measure
from sonar_slt.adapter.pooling.pooling import Pooling


class MeanPool(Pooling):
    """The mean of the real steps."""

    def __init__(self, *, dim: int, measure: Measure | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """`states` (batch, length, dim), `mask` (batch, length); returns (batch, 1, dim)."""
        total = states.masked_fill(~mask.unsqueeze(-1), 0.0).sum(dim=1, keepdim=True)
        return total / mask.sum(dim=1)[:, None, None]
