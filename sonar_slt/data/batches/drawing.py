"""The order in which clips are drawn: batches of similar length within a budget, as a function of seed and number.

Nothing is remembered from batch to batch, so a training goes on anywhere, and every process finds the same batches.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sonar_slt.errors import UserError

TOGETHER = 8
"""How many full batches are sorted by length together: sorting more leaves less padding and less chance."""

Rows = NDArray[np.int64]


class Drawing:
    """Endless batches of row numbers.

    `pools` are the clips of each corpus; `weights` say how many of an epoch's draws each gets, null that each clip is
    drawn once. An epoch has as many draws as there are clips. A batch has at most `size` clips, and at most `frames`
    frames when every clip is padded to its longest; a clip over the budget stands alone. `lengths` are by row number.
    """

    def __init__(
        self,
        *,
        pools: Sequence[NDArray[np.int64]],
        lengths: NDArray[np.int32],
        weights: Sequence[float] | None = None,
        size: int = 32,
        frames: int | None = None,
        seed: int = 0,
    ) -> None:
        if min(size, 1 if frames is None else frames) < 1:
            raise UserError(f"batches.size={size} batches.frames={frames}: a batch has room for a clip.")
        self.pools, self.lengths = [np.asarray(pool) for pool in pools], lengths
        self.size, self.frames, self.seed = size, frames, seed
        self.shares = _shares([len(pool) for pool in self.pools], weights)
        self._ends: list[int] = []  # the number of the first batch behind each epoch known so far
        self._epoch: tuple[int, list[Rows]] = (-1, [])

    def batch(self, number: int) -> Rows:
        """The rows of one batch, shortest clip first."""
        if not self._ends:
            self._ends.append(len(self._batches(0)))
        if self.frames is None:  # every epoch has as many batches
            epoch, place = divmod(number, self._ends[0])
            return self._batches(epoch)[place]
        while self._ends[-1] <= number:
            self._ends.append(self._ends[-1] + len(self._batches(len(self._ends))))
        epoch = bisect_right(self._ends, number)
        return self._batches(epoch)[number - (self._ends[epoch - 1] if epoch else 0)]

    def epoch(self, number: int) -> Rows:
        """The rows that an epoch draws, in random order."""
        drawn = [self._stream(pool, number * share, share) for pool, share in enumerate(self.shares)]
        return np.random.default_rng((self.seed, number, 0)).permutation(np.concatenate(drawn))

    def _stream(self, pool: int, first: int, count: int) -> Rows:
        """So many draws of one corpus from the first on: one permutation of it after another."""
        rows, parts = self.pools[pool], []
        while count:
            lap, place = divmod(first, len(rows))
            part = np.random.default_rng((self.seed, lap, pool, 1)).permutation(rows)[place : place + count]
            parts.append(part)
            first, count = first + len(part), count - len(part)
        return np.concatenate(parts) if parts else rows[:0]

    def _batches(self, epoch: int) -> list[Rows]:
        if self._epoch[0] != epoch:
            drawn, group = self.epoch(epoch), TOGETHER * self.size
            batches = [
                batch for start in range(0, len(drawn), group) for batch in self._cut(drawn[start : start + group])
            ]
            order = np.random.default_rng((self.seed, epoch, 2)).permutation(len(batches))
            self._epoch = (epoch, [batches[i] for i in order])
        return self._epoch[1]

    def _cut(self, rows: Rows) -> list[Rows]:
        rows = rows[np.argsort(self.lengths[rows], kind="stable")]
        if self.frames is None:
            return [rows[start : start + self.size] for start in range(0, len(rows), self.size)]
        batches, start = [], 0
        for end in range(1, len(rows) + 1):
            full = end - start == self.size
            over = end < len(rows) and (end + 1 - start) * int(self.lengths[rows[end]]) > self.frames
            if full or over or end == len(rows):
                batches.append(rows[start:end])
                start = end
        return batches


def _shares(sizes: Sequence[int], weights: Sequence[float] | None) -> list[int]:
    """How many draws of an epoch each corpus gets: as the weights say, to the nearest whole number, all in all as many
    as there are clips."""
    if weights is None:
        return list(sizes)
    parts = np.asarray(weights, dtype=np.float64)
    parts = parts / parts.sum() * sum(sizes)
    shares = np.floor(parts).astype(int)
    shares[np.argsort(shares - parts, kind="stable")[: sum(sizes) - int(shares.sum())]] += 1
    if short := [place for place, share in enumerate(shares) if not share and sizes[place]]:
        raise UserError(
            f"data.weights: of {sum(sizes)} draws an epoch, corpus number {short[0] + 1} would get none: give more."
        )
    return [int(share) for share in shares]
