"""A batch as a task receives it: padded clips, what each should say, and where the teacher puts that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from sonar_slt.data.slots import received, sent
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

    def __reduce__(self) -> tuple[Any, ...]:
        """How a worker sends it: clips where they lie, everything else by value, for it is small."""
        parts = [self.mask]
        for said in (self.target, self.anchor):
            parts += [said.tokens.ids, said.tokens.mask, said.vectors]
        return _received, (self.ids, sent(self.clip), *(part.numpy() for part in parts))

    def to(self, device: Any) -> ClipBatch:
        """The same on a device, clips in float32: half of the bytes travel."""
        clip, mask = self.clip.to(device).float(), self.mask.to(device)
        return ClipBatch(self.ids, clip, mask, self.target.to(device), self.anchor.to(device))


def _received(ids: tuple[str, ...], clip: Any, *arrays: NDArray[Any]) -> ClipBatch:
    mask, *parts = map(torch.from_numpy, arrays)
    target, anchor = (Sentences(TokenBatch(*parts[i : i + 2]), parts[i + 2]) for i in (0, 3))
    return ClipBatch(ids, received(clip), mask, target, anchor)
