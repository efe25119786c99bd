"""One modality of some clips over time, padded to a common length: points, pictures, or features of these.

Tracks go by name: `points` are a skeleton's, `pictures` what a camera saw, `spatial` and `motion` what a frozen
backbone made of single pictures and of windows of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Track:
    """Values over time and which of them are real; what lies in the padding is 0."""

    values: Tensor  # (batch, time, ...): points (points, 3), pictures (3, height, width) uint8, features (width,)
    mask: Tensor  # (batch, time) True at real frames

    def to(self, device: Any) -> Track:
        """The same on a device, numbers in float32; pictures stay bytes, for a quarter of the memory."""
        values = self.values.to(device)
        return Track(values if values.dtype is torch.uint8 else values.float(), self.mask.to(device))

    def rows(self, chosen: Tensor) -> Track:
        """Some of the clips, by a mask (batch,) or by numbers."""
        return Track(self.values[chosen], self.mask[chosen])
