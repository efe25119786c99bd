"""How a sentence of many states becomes one vector."""

from __future__ import annotations

from torch import Tensor


def mean_pool(states: Tensor, mask: Tensor) -> Tensor:
    """SONAR's pooling: the plain mean over all real positions, language token and `</s>` included.

    `states` (batch, length, dim), `mask` (batch, length) True where there is a token; returns (batch, dim).
    """
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(dim=1) / weights.sum(dim=1)
