"""Attention and a pre-norm transformer layer whose results depend in no bit on how much padding there is.

The softmax's denominator is computed by the same matrix product as its numerator, as one more column of ones: products
add their terms in order, so trailing zeros change nothing, whereas a vectorised sum regroups its terms with the length.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """Masked attention.

    `query` (batch, heads, queries, width); `key`, `value` (batch, heads, length, width); `mask` (batch, length), True
    where there is something to attend to. Returns (batch, heads, queries, width).
    """
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    scores = scores.masked_fill(~mask[:, None, None, :], float("-inf"))
    weights = torch.exp(scores - scores.amax(dim=-1, keepdim=True).detach())
    summed = weights @ functional.pad(value, (0, 1), value=1.0)
    return summed[..., :-1] / summed[..., -1:]


class SelfAttention(nn.Module):
    """Multi-head self-attention over the real positions of each clip."""

    def __init__(self, *, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.mix = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """`states` (batch, length, dim), `mask` (batch, length); returns (batch, length, dim)."""
        batch, length, dim = states.shape
        query, key, value = self.mix(states).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        attended = attend(query, key, value, mask)
        out: Tensor = self.out(attended.transpose(1, 2).reshape(batch, length, dim))
        return out


class TransformerLayer(nn.Module):
    """Self-attention and a feed-forward block, each behind its layer norm and around a residual.

    `recomputed` keeps the states between layers alone, and computes a layer again for its gradient.
    """

    recomputed = False

    def __init__(self, *, dim: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.attention = SelfAttention(dim=dim, heads=heads)
        self.before_attention, self.before_hidden = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.hidden = nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, dim))
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """`states` (batch, length, dim), `mask` (batch, length)."""
        if self.recomputed and torch.is_grad_enabled():
            again: Tensor = checkpoint(self._through, states, mask, use_reentrant=False)
            return again
        return self._through(states, mask)

    def _through(self, states: Tensor, mask: Tensor) -> Tensor:
        states = states + self.dropout(self.attention(self.before_attention(states), mask))
        states = states + self.dropout(self.hidden(self.before_hidden(states)))
        return states


class TransformerLayers(nn.ModuleList):
    """Layers of one width, one behind the other; a checkpoint has them as those of any list."""

    def __init__(self, *, dim: int, layers: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__(TransformerLayer(dim=dim, heads=heads, hidden=hidden, dropout=dropout) for _ in range(layers))

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """`states` (batch, length, dim), `mask` (batch, length)."""
        for layer in self:
            states = layer(states, mask)
        return states


def positions(length: int, dim: int) -> Tensor:
    """Sinusoidal positions (length, dim)."""
    return positions_at(torch.arange(length), dim)


def positions_at(places: Tensor, dim: int) -> Tensor:
    """Sinusoidal positions (…, dim) of places (…) that may lie between whole numbers."""
    rates = torch.exp(torch.arange(0, dim, 2, device=places.device) * (-math.log(10_000) / dim))
    angles = places.unsqueeze(-1) * rates
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)[..., :dim]
