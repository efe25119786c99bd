"""A batch as a task receives it: padded clips, what each should say, and where the teacher puts that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from sonar_slt.data.batches.shared_memory import received, sent
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
class Share:
    """Which clips of a larger batch these are: every `count`-th from number `rank` on.

    A share without a clip has one in its place all the same, which counts for nothing: all processes do the same work.
    """

    rank: int
    count: int
    clips: int  # in the whole batch
    longest: Mapping[str, int]  # frames of its longest clip in each track

    @property
    def empty(self) -> bool:
        """Whether none of the batch's clips is among these."""
        return self.rank >= self.clips

    @property
    def places(self) -> slice:
        """Where these clips stand in the whole batch."""
        return slice(0, 1) if self.empty else slice(self.rank, None, self.count)

    def widened(self, track: Track, name: str) -> Track:
        """A track as large as the whole batch: these clips at their places, and copies of them at the others."""
        places = torch.arange(self.clips, device=track.mask.device) // self.count
        wide = track.rows(places.clamp(max=len(track.mask) - 1))
        behind = self.longest[name] - track.mask.shape[1]
        values = functional.pad(wide.values, (0, 0) * (wide.values.ndim - 2) + (0, behind))
        return Track(values, functional.pad(wide.mask, (0, behind)))

    def own(self, track: Track, frames: int) -> Track:
        """These clips of a track of the whole batch, with so many frames."""
        return Track(track.values[self.places, :frames], track.mask[self.places, :frames])


@dataclass(frozen=True, slots=True)
class ClipBatch:
    """Padded clips, what each should say, and a sentence in whose vector the decoder is anchored."""

    ids: tuple[str, ...]
    tracks: Mapping[str, Track]  # by name, in the precision of their stores until the batch is brought to a device
    target: Sentences  # its vectors are where the clips should land, its tokens what the decoder should say from there
    anchor: Sentences
    share: Share | None = None  # of a batch that several processes have together

    @property
    def counts(self) -> bool:
        """Whether anything may be learnt from it."""
        return self.share is None or not self.share.empty

    def __len__(self) -> int:
        return len(self.ids)

    def __reduce__(self) -> tuple[Any, ...]:
        """How a worker sends it: clips where they lie, everything else by value, for it is small."""
        parts = [track.mask for track in self.tracks.values()]
        for said in (self.target, self.anchor):
            parts += [said.tokens.ids, said.tokens.mask, said.vectors]
        values = {name: sent(track.values) for name, track in self.tracks.items()}
        return _received, (self.ids, values, self.share, *(part.numpy() for part in parts))

    def to(self, device: Any) -> ClipBatch:
        """The same on a device, clips in float32: half of the bytes travel."""
        tracks = {name: track.to(device) for name, track in self.tracks.items()}
        return replace(self, tracks=tracks, target=self.target.to(device), anchor=self.anchor.to(device))

    def shown(self, tracks: Mapping[str, Track]) -> ClipBatch:
        """The same clips with other tracks."""
        return replace(self, tracks=tracks)

    def rows(self, chosen: Tensor) -> ClipBatch:
        """Some of its clips, by a mask (batch,)."""
        ids = tuple(id for id, kept in zip(self.ids, chosen.tolist(), strict=True) if kept)
        tracks = {name: track.rows(chosen) for name, track in self.tracks.items()}
        return replace(self, ids=ids, tracks=tracks, target=self.target.rows(chosen), anchor=self.anchor.rows(chosen))

    def emptied(self) -> ClipBatch:
        """One clip of nothing but zeros in the place of these: it counts for nothing."""
        tracks = {
            name: Track(torch.zeros_like(track.values[:1]), track.mask[:1]) for name, track in self.tracks.items()
        }
        first, share = torch.arange(1, device=self.target.vectors.device), Share(1, 1, 0, {})
        found = replace(self, ids=self.ids[:1], tracks=tracks, share=share)
        return replace(found, target=self.target.rows(first), anchor=self.anchor.rows(first))


def _received(ids: tuple[str, ...], values: Mapping[str, Any], share: Share | None, *arrays: NDArray[Any]) -> ClipBatch:
    masks, parts = (list(map(torch.from_numpy, part)) for part in (arrays[: len(values)], arrays[len(values) :]))
    tracks = {name: Track(received(value), mask) for (name, value), mask in zip(values.items(), masks, strict=True)}
    target, anchor = (Sentences(TokenBatch(*parts[i : i + 2]), parts[i + 2]) for i in (0, 3))
    return ClipBatch(ids, tracks, target, anchor, share)
