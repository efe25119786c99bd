"""What is read of a clip: its rows in each track, at the frames that were drawn, as a view lets them be seen."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sonar_slt.data.batches.selection import Selection
from sonar_slt.data.batches.shared_memory import blank
from sonar_slt.data.manifest import Row
from sonar_slt.data.served import Served
from sonar_slt.data.sources import POINTS, Features, Source
from sonar_slt.data.track import Track
from sonar_slt.data.view import All, Clip, View

Frames = NDArray[np.int64]
"""The frames of a clip that were drawn, in order."""


class ClipTracks:
    """The tracks of a corpus' clips; `sources` are by the name of the track."""

    def __init__(self, *, corpus: Served, sources: Mapping[str, Source], view: View) -> None:
        self.corpus, self.sources, self.view = corpus, sources, view

    def complete(self, rows: Mapping[str, Selection]) -> tuple[dict[str, Selection], list[str]]:
        """The clips that every track has, and the ids of the others: extraction told what is wrong with them."""
        made = [one for one in self.sources.values() if isinstance(one, Features) and len(one) < len(self.corpus.rows)]
        if not made:
            return dict(rows), []
        lacking = {row.id for split in rows.values() for row in split if not all(row.id in one for one in made)}
        kept = {
            split: Selection(
                chosen.rows,
                np.array([n for n, row in zip(chosen.numbers, chosen, strict=True) if row.id not in lacking], np.int64),
            )
            for split, chosen in rows.items()
        }
        if lacking:
            some = ", ".join(sorted(lacking)[:5]) + (", …" if len(lacking) > 5 else "")
            print(f"{len(lacking)} clips have no features and are left out ({some}).", file=sys.stderr)
        return kept, sorted(lacking)

    def at(self, rows: Sequence[int], ids: Sequence[str], frames: Sequence[Frames]) -> dict[str, Track]:
        """Each track of some clips at some frames of each, padded to the longest."""
        clips = list(zip(rows, ids, frames, strict=True))
        return {name: _padded([self._seen(name, *clip) for clip in clips]) for name in self.sources}

    def longest(self, rows: Sequence[int], frames: Sequence[Frames]) -> dict[str, int]:
        """The frames of the longest of some clips in each track."""
        named = [(row, self.corpus.rows.id(row), drawn) for row, drawn in zip(rows, frames, strict=True)]
        return {
            name: max(
                len(_at(drawn, int(self.corpus.rows.frames[row]), len(source.of(row, id)))) for row, id, drawn in named
            )
            for name, source in self.sources.items()
        }

    def shown(self, row: Row) -> Clip:
        """What may be seen of a clip's points, every frame of them: (frames, points, 3)."""
        return self._viewed(POINTS, np.asarray(self.corpus.clips[row.id]), row.id).astype(np.float32)

    def _seen(self, track: str, row: int, id: str, frames: Frames) -> NDArray[Any]:
        """The rows of a track at some frames of a clip."""
        stored = self.sources[track].of(row, id)
        return self._viewed(track, stored[_sliced(_at(frames, int(self.corpus.rows.frames[row]), len(stored)))], id)

    def _viewed(self, track: str, clip: NDArray[Any], id: str) -> NDArray[Any]:
        if isinstance(self.view, All):
            return clip
        seed = int(hashlib.blake2b(id.encode(), digest_size=8).hexdigest(), 16)
        layout = self.corpus.layout if track == POINTS else None
        return self.view(clip, layout, np.random.default_rng(seed))


def _padded(clips: Sequence[NDArray[Any]]) -> Track:
    """Clips (time, ...) side by side, zeros behind the shorter ones."""
    values = blank((len(clips), max(map(len, clips)), *clips[0].shape[1:]), clips[0].dtype)
    mask = torch.zeros(values.shape[:2], dtype=torch.bool)
    for place, (clip, filled) in enumerate(zip(clips, values.numpy(), strict=True)):
        filled[: len(clip)] = clip
        filled[len(clip) :] = 0
        mask[place, : len(clip)] = True
    return Track(values, mask)


def _at(frames: NDArray[np.int64], of: int, rows: int) -> NDArray[np.int64]:
    """The rows of a track of `rows` that lie at some frames of a clip of `of`: each once, in order."""
    return frames if rows == of else np.unique((2 * frames + 1) * rows // (2 * of))


def _sliced(frames: NDArray[np.intp]) -> slice | NDArray[np.intp]:
    """Evenly spaced frames as a slice, which copies nothing."""
    step = int(frames[1] - frames[0]) if len(frames) > 1 else 1
    if step < 1 or (np.diff(frames) != step).any():
        return frames
    return slice(int(frames[0]), int(frames[-1]) + 1, step)
