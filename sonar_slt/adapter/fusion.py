"""Two streams of one clip, of different lengths, to one: step by step, or one behind the other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sonar_slt.data.track import Track


class Fusion(nn.Module, ABC):
    """One or more streams (batch, time, dim), each over the whole clip at its own pace, to one of the same width."""

    def __init__(self, *, dim: int, streams: int) -> None:
        """`dim` is the width of each of the `streams`."""
        super().__init__()
        self.dim, self.streams = dim, streams

    @abstractmethod
    def forward(self, streams: Sequence[Track]) -> Track:
        """The fused stream; its real steps come first in every clip."""


class PerStep(Fusion):
    """What the streams show at the same time, joined: the paper's equation 1. The first stream tells the steps."""

    def __init__(self, *, dim: int, streams: int) -> None:
        super().__init__(dim=dim, streams=streams)
        self.join = nn.Sequential(nn.GELU(), nn.Linear(streams * dim, dim))

    def forward(self, streams: Sequence[Track]) -> Track:
        """As long as the first stream."""
        first, *others = streams
        rows = torch.cat([first.values, *(beside(other, first.mask) for other in others)], dim=-1)
        return Track(self.join(rows), first.mask)


class Concatenated(Fusion):
    """The streams one behind the other, as SpaMo's code has them; no padding stands between them."""

    def forward(self, streams: Sequence[Track]) -> Track:
        """As long as all streams together."""
        values = torch.cat([stream.values for stream in streams], dim=1)
        mask = torch.cat([stream.mask for stream in streams], dim=1)
        order = mask.logical_not().byte().argsort(dim=1, stable=True)  # what is real comes first, as it stood
        return Track(values.gather(1, order.unsqueeze(-1).expand_as(values)), mask.gather(1, order))


def beside(stream: Track, mask: Tensor) -> Tensor:
    """For each step of another stream, the row of this one at the same share of the clip: (batch, steps, dim).

    `mask` (batch, steps) is the other stream's. The real lengths decide, so a row does not depend on the padding.
    """
    steps, rows = mask.sum(dim=1, keepdim=True), stream.mask.sum(dim=1, keepdim=True)
    places = torch.arange(mask.shape[1], device=mask.device)
    at = torch.minimum((2 * places + 1) * rows // (2 * steps), rows - 1)  # the padding's steps get the last row
    return stream.values.gather(1, at.unsqueeze(-1).expand(-1, -1, stream.values.shape[-1]))
