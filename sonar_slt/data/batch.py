"""A batch as a task receives it: padded clips, what each should say, and where the teacher puts that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from sonar_slt.space.tokens import TokenBatch


@dataclass(frozen=True, slots=True)
class Sentences:
    """Sentences as the decoder reads them and as the teacher sees them."""

    tokens: TokenBatch
    vectors: Tensor  # (batch, dim) the teacher's vector of each sentence

    def to(self, device: Any) -> Sentences:
        """The same on another device."""
        return Sentences(self.tokens.to(device), self.vectors.to(device))


@dataclass(frozen=True, slots=True)
class ClipBatch:
    """Padded clips, what each should say, and a sentence in whose vector the decoder is anchored."""

    ids: tuple[str, ...]
    clip: Tensor  # (batch, time, points, 3), in the precision of the store until the batch is brought to a device
    mask: Tensor  # (batch, time) True at real frames
    target: Sentences
    anchor: Sentences

    def to(self, device: Any) -> ClipBatch:
        """The same on a device, clips in float32: half of the bytes travel."""
        clip, mask = self.clip.to(device).float(), self.mask.to(device)
        return ClipBatch(self.ids, clip, mask, self.target.to(device), self.anchor.to(device))
