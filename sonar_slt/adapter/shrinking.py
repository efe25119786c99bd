"""SpaMo's block: time becomes a quarter by two convolutions, and every step takes the width that comes next.

It departs from SpaMo in two places, so that a clip's result depends on that clip alone and clips of one frame work.
Convolutions see zeros beyond both ends, where SpaMo's drop four steps and need 16 at least. Channels are normalised
step by step (layer norm), where batch norm would mix the statistics of other clips and of the padding into each.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

KERNEL = 5


class Shrinking(nn.Module):
    """Convolution over five steps, norm, ReLU, the larger of every two steps: `halvings` times. Then an MLP."""

    def __init__(self, *, dim: int, out: int, halvings: int) -> None:
        super().__init__()
        around = KERNEL // 2
        self.convolutions = nn.ModuleList([nn.Conv1d(dim, dim, KERNEL, padding=around) for _ in range(halvings)])
        self.norms = nn.ModuleList([nn.LayerNorm(dim) for _ in range(halvings)])
        self.mlp = nn.Sequential(nn.Linear(dim, out), nn.GELU(), nn.Linear(out, out))

    def forward(self, states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """`states` (batch, length, dim), `mask` (batch, length); half of n steps, rounded up, are real afterwards."""
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            states = convolution(_silent(states, mask).transpose(1, 2)).transpose(1, 2)
            states, mask = _halved(norm(states).relu(), mask)
        return self.mlp(states), mask


def _silent(states: Tensor, mask: Tensor) -> Tensor:
    """Zeros in the padding: what a convolution also sees beyond the end."""
    return states.masked_fill(~mask.unsqueeze(-1), 0.0)


def _halved(states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """The larger of every two steps; states are not negative, so that a zero in the padding never wins."""
    odd = mask.shape[1] % 2
    states, mask = functional.pad(_silent(states, mask), (0, 0, 0, odd)), functional.pad(mask, (0, odd))
    batch, length, dim = states.shape
    return states.view(batch, length // 2, 2, dim).amax(dim=2), mask.view(batch, length // 2, 2).any(dim=2)
