"""What a context encoder is."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Context(nn.Module, ABC):
    """Steps that know of each other and of their order; `dim` is its width, in and out.

    Its states are as loud as those of the space's own encoder, so that every pooling can read every context.
    """

    dim: int

    @abstractmethod
    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """`states` (batch, length, dim), `mask` (batch, length), True at real steps; returns (batch, length, dim)."""
