"""From points to what a network reads easily: hands and face seen from their own roots, every coordinate of one scale.

A finger moves by a tenth of what an arm moves; side by side in one vector, the arm would drown it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

FAR = 5.0
"""Standard deviations beyond which a coordinate is cut: a point that was found in the wrong place."""


class PointFeatures(nn.Module):
    """Points relative to their roots, standardised by a sample of clips; missing ones are the average, and marked."""

    roots: Tensor
    rooted: Tensor
    mean: Tensor
    std: Tensor

    def __init__(self, *, roots: Sequence[int], sample: Tensor) -> None:
        """`roots[i]` is the point that `i` is seen from, itself for none; `sample` (clips, time, points, 3)."""
        super().__init__()
        self.register_buffer("roots", torch.tensor(roots), persistent=False)
        self.register_buffer("rooted", self.roots != torch.arange(len(roots)), persistent=False)
        places, seen = self._relative(sample)
        count = seen.sum(dim=(0, 1)).clamp_min(1).unsqueeze(-1)
        mean = places.sum(dim=(0, 1)) / count
        spread = ((places - mean) * seen.unsqueeze(-1)).square().sum(dim=(0, 1)) / count
        self.register_buffer("mean", mean)
        self.register_buffer("std", spread.sqrt().clamp_min(1e-3))

    @property
    def width(self) -> int:
        """Features per frame."""
        return 3 * len(self.roots)

    def forward(self, clip: Tensor) -> Tensor:
        """`clip` (batch, time, points, 3) to (batch, time, width): two coordinates and a confidence per point."""
        places, seen = self._relative(clip)
        places = ((places - self.mean) / self.std).clamp(-FAR, FAR) * seen.unsqueeze(-1)
        return torch.cat([places, (clip[..., 2] * seen).unsqueeze(-1)], dim=-1).flatten(2)

    def _relative(self, clip: Tensor) -> tuple[Tensor, Tensor]:
        """Coordinates (…, points, 2) seen from the roots, 0 where missing, and which points are there (…, points)."""
        there = clip[..., 2] > 0
        seen = there & there[..., self.roots]
        places = clip[..., :2]
        places = places - places[..., self.roots, :] * self.rooted.unsqueeze(-1)
        return places * seen.unsqueeze(-1), seen
