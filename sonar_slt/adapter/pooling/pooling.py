"""What a pooling is."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Pooling(nn.Module, ABC):
    """States of all steps to one or a few; `dim` is the width of what it gives."""

    dim: int

    @abstractmethod
    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """`states` (batch, length, width), `mask` (batch, length), True where real; returns (batch, queries, dim)."""
