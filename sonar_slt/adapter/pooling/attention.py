"""AttentionPool: a few learned queries look at the steps."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sonar_slt.adapter.adapter import Measure
from sonar_slt.adapter.attention import attend
from sonar_slt.adapter.pooling.pooling import Pooling
from sonar_slt.errors import UserError


class AttentionPool(Pooling):
    """A few learned queries look at all positions; together they are the clip."""

    def __init__(self, *, dim: int, queries: int = 8, heads: int = 4, measure: Measure | None = None) -> None:
        super().__init__()
        if min(queries, heads) < 1 or dim % heads:
            raise UserError(f"pooling.queries={queries}, pooling.heads={heads}: expected queries, and heads in {dim}.")
        self.dim, self.heads = dim, heads
        self.queries = nn.Parameter(torch.randn(queries, dim) * dim**-0.5)
        self.norm = nn.LayerNorm(dim)
        self.mix = nn.Linear(dim, 2 * dim)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """`states` (batch, length, dim), `mask` (batch, length); returns (batch, queries, dim)."""
        batch, length, dim = states.shape
        key, value = self.mix(self.norm(states)).view(batch, length, 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        query = self.queries.view(-1, self.heads, dim // self.heads).transpose(0, 1).expand(batch, -1, -1, -1)
        return attend(query, key, value, mask).transpose(1, 2).reshape(batch, -1, dim)
