"""A frozen backbone over clip after clip: batches span the clips of a chunk, and each picture goes in once.

A batch is decided by the chunk alone: whatever was done before, a chunk comes out the same bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sonar_slt.data.faults import Fault
from sonar_slt.data.manifest import Row
from sonar_slt.data.unreadable import Unreadable
from sonar_slt.errors import UserError
from sonar_slt.features.backbones.backbone import Backbone
from sonar_slt.features.extraction.feed import Feed, Roll
from sonar_slt.features.extraction.made import Filmed, Made, left_out
from sonar_slt.features.windows import windows

SMALL = 2_000_000
"""Weights: of fewer, the threads of a processor wait for each other longer than they work; half the speed with two."""


class Batched:
    """`pictures` go to the backbone at a time, as whole windows; vectors are kept in half precision."""

    dtype = "float16"

    def __init__(self, backbone: Backbone, *, device: torch.device, precision: torch.dtype, pictures: int) -> None:
        self.backbone = backbone.to(device, precision).eval().requires_grad_(False)
        self.device, self.precision = device, precision
        self.track, self.shape = backbone.track, (backbone.width,)
        self.items = max(1, pictures // backbone.stride)

    def described(self) -> dict[str, Any]:
        """The backbone, and the precision that it works in."""
        return {**self.backbone.described(), "precision": str(self.precision).removeprefix("torch.")}

    def plan(self) -> dict[str, Any]:
        """What decides the last bits of a vector, and nothing else of it."""
        return {"items": self.items}

    def made(self, corpus: Filmed, chunks: Sequence[Sequence[Row]], *, workers: int) -> Iterator[Made]:
        """The vectors of every clip in order; a clip of which nothing can be read has none."""
        with self._threads(), Feed(corpus, self.backbone.picture, workers=workers) as feed:
            rolls = feed.rolls([row for chunk in chunks for row in chunk])
            for chunk in chunks:
                yield from _Pack(self).of(rolls, len(chunk))

    @contextmanager
    def _threads(self) -> Iterator[None]:
        """One thread for a small backbone on a processor, as many as there were for any other."""
        before = torch.get_num_threads()
        if self.device.type == "cpu" and sum(weight.numel() for weight in self.backbone.parameters()) < SMALL:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    @torch.inference_mode()
    def vectors(self, pictures: NDArray[np.uint8], numbers: NDArray[np.int64]) -> NDArray[np.float16]:
        """`pictures` (frames, 3, size, size), `numbers` (items, window) of them: (items, width)."""
        seen = torch.from_numpy(pictures).to(self.device, non_blocking=True)
        found = self.backbone(seen, torch.from_numpy(numbers).to(self.device))
        vectors: NDArray[np.float16] = found.to(torch.float16).cpu().numpy()
        if not np.isfinite(vectors).all():
            raise UserError(
                "The backbone makes numbers that are none, or beyond half precision: are its weights whole? "
                "`precision=float32` tells whether they are."
            )
        return vectors


class _Clip:
    """A clip on its way: how many of its windows are still to come, and the vectors of those that were."""

    def __init__(self, row: Row) -> None:
        self.row, self.frames, self.expected = row, 0, -1
        self.rows: list[NDArray[np.float16]] = []
        self.faults: Sequence[Fault] = ()
        self.given = 0  # windows that were handed over

    @property
    def whole(self) -> bool:
        return self.expected == sum(map(len, self.rows))


class _Pack:
    """The clips of one chunk, their windows packed into batches."""

    def __init__(self, job: Batched) -> None:
        self.job, self.backbone = job, job.backbone
        self.pictures: list[NDArray[np.uint8]] = []  # waiting for their windows, the last clip's at the end
        self.held = 0  # how many
        self.numbers: list[NDArray[np.int64]] = []  # of each window that waits
        self.owners: list[_Clip] = []  # whose it is

    def of(self, rolls: Iterator[Roll], count: int) -> Iterator[Made]:
        """The next so many clips, each as soon as its last window is done."""
        clips: list[_Clip] = []
        for _ in range(count):
            roll = next(rolls)
            clips.append(_Clip(roll.row))
            self._read(clips[-1], roll)
            yield from _finished(clips)
        self._flush()
        yield from _finished(clips)

    def _read(self, clip: _Clip, roll: Roll) -> None:
        start = self.held  # the place of the clip's first picture that is still here
        try:
            for block in roll:
                self.pictures.append(block)
                self.held += len(block)
                clip.frames += len(block)
                start = self._hand_over(clip, start, ended=False)
        except Unreadable as error:
            clip.faults = [left_out(clip.row, "unreadable", str(error).rstrip("."))]
            self._forget(clip)
            return
        clip.faults = roll.faults
        if not clip.frames:
            clip.faults = [*clip.faults, left_out(clip.row, "empty_clip", "has no picture")]
        self._hand_over(clip, start, ended=True)
        clip.expected = clip.given if clip.frames else 0

    def _hand_over(self, clip: _Clip, start: int, *, ended: bool) -> int:
        """Whole windows go to the batch, of an ended clip the tail too; the place of its first picture then."""
        size, stride = self.backbone.window, self.backbone.stride
        first = clip.given * stride
        while first + size <= clip.frames:
            start = self._add(clip, np.arange(first, first + size), start)
            first = clip.given * stride
        if ended and clip.frames:
            for window in windows(clip.frames, size, stride)[clip.given :]:
                start = self._add(clip, window, start)
        return start

    def _add(self, clip: _Clip, window: NDArray[np.int64], start: int) -> int:
        """One more window, by the numbers of its frames in the clip."""
        here = self.held - start  # pictures of the clip that are still here
        self.numbers.append(window - (clip.frames - here) + start)
        self.owners.append(clip)
        clip.given += 1
        if len(self.numbers) == self.job.items:
            self._flush(keep=clip)
            return 0
        return start

    def _flush(self, keep: _Clip | None = None) -> None:
        """Work on what waits; only pictures that the next windows of the last clip need are kept."""
        if not self.numbers:
            self.pictures, self.held = [], 0
            return
        pictures, numbers = np.concatenate(self.pictures), np.stack(self.numbers)
        vectors = self.job.vectors(pictures[: int(numbers.max()) + 1], numbers)
        start = 0
        for owner, group in groupby(self.owners):  # the windows of a clip stand beside each other
            end = start + sum(1 for _ in group)
            owner.rows.append(vectors[start:end])
            start = end
        rest = max(0, keep.frames - keep.given * self.backbone.stride) if keep else 0
        self.pictures = [pictures[len(pictures) - rest :].copy()] if rest else []
        self.held, self.numbers, self.owners = rest, [], []

    def _forget(self, clip: _Clip) -> None:
        """A clip that broke off: its windows stay in the batch, which is the same whenever it is made."""
        clip.rows, clip.expected, clip.frames = [], 0, 0


def _finished(clips: list[_Clip]) -> Iterator[Made]:
    while clips and (clips[0].whole or (clips[0].expected == 0)):
        clip = clips.pop(0)
        values = np.concatenate(clip.rows) if clip.expected > 0 else None
        yield Made(clip.row, values, clip.frames, clip.faults)
