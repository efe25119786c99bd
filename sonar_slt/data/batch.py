"""A batch as a task receives it: padded clips, what each should say, and where the teacher puts that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from sonar_slt.data.slots import received, sent
from sonar_slt.data.track import Track
from sonar_slt.space.tokens import TokenBatch


@dataclass(frozen=True, slots=True)
class Sentences:
    """Sentences as the decoder reads them and as the teacher sees them."""

    tokens: TokenBatch
    vectors: Tensor  # (batch, dim) the teacher's vector of each sentence

    def to(self, device: Any) -> Sentences:
        """The same on another device."""
        return Sentences(self.tokens.to(device), self.vectors.to(device))

    def rows(self, chosen: Tensor) -> Sentences:
        """Some of them, by a mask or by numbers."""
        return Sentences(self.tokens.rows(chosen), self.vectors[chosen])


@dataclass(frozen=True, slots=True)
class ClipBatch:
    """Padded clips, what each should say, and a sentence in whose vector the decoder is anchored."""

    ids: tuple[str, ...]
    tracks: Mapping[str, Track]  # by name, in the precision of their stores until the batch is brought to a device
    target: Sentences  # its vectors are where the clips should land, its tokens what the decoder should say from there
    anchor: Sentences

    def __len__(self) -> int:
        return len(self.ids)

    def __reduce__(self) -> tuple[Any, ...]:
        """How a worker sends it: clips where they lie, everything else by value, for it is small."""
        parts = [track.mask for track in self.tracks.values()]
        for said in (self.target, self.anchor):
            parts += [said.tokens.ids, said.tokens.mask, said.vectors]
        values = {name: sent(track.values) for name, track in self.tracks.items()}
        return _received, (self.ids, values, *(part.numpy() for part in parts))

    def to(self, device: Any) -> ClipBatch:
        """The same on a device, clips in float32: half of the bytes travel."""
        tracks = {name: track.to(device) for name, track in self.tracks.items()}
        return ClipBatch(self.ids, tracks, self.target.to(device), self.anchor.to(device))

    def shown(self, tracks: Mapping[str, Track]) -> ClipBatch:
        """The same clips with other tracks."""
        return replace(self, tracks=tracks)

    def rows(self, chosen: Tensor) -> ClipBatch:
        """Some of its clips, by a mask (batch,)."""
        ids = tuple(id for id, kept in zip(self.ids, chosen.tolist(), strict=True) if kept)
        tracks = {name: track.rows(chosen) for name, track in self.tracks.items()}
        return ClipBatch(ids, tracks, self.target.rows(chosen), self.anchor.rows(chosen))


def _received(ids: tuple[str, ...], values: Mapping[str, Any], *arrays: NDArray[Any]) -> ClipBatch:
    masks, parts = (list(map(torch.from_numpy, part)) for part in (arrays[: len(values)], arrays[len(values) :]))
    tracks = {name: Track(received(value), mask) for (name, value), mask in zip(values.items(), masks, strict=True)}
    target, anchor = (Sentences(TokenBatch(*parts[i : i + 2]), parts[i + 2]) for i in (0, 3))
    return ClipBatch(ids, tracks, target, anchor)
