"""The sentences that a vector cache is asked for: the distinct ones, by the key that each is found by."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sonar_slt.space.cache.segments import KEY, Segment

Numbers = NDArray[np.int64]
"""Numbers of distinct sentences."""


class Wanted:
    """A list of sentences: the distinct ones by key, how long each is, and in which segment it was found."""

    def __init__(self, texts: Sequence[str], codes: Sequence[str]) -> None:
        self._texts, self._codes = texts, codes
        keys = b"".join(map(_key, texts, codes))
        self.keys, self._first, self.inverse = np.unique(
            np.frombuffer(keys, dtype=KEY), return_index=True, return_inverse=True
        )
        self.places: NDArray[np.int32] = np.full((len(self.keys), 2), -1, dtype=np.int32)  # segment, row
        self.lengths: Numbers = np.zeros(len(self.keys), dtype=np.int64)
        self.found = 0  # how many distinct sentences have a vector
        self._learnt = 0

    def __len__(self) -> int:
        return len(self.keys)

    def missing(self, some: Numbers) -> Numbers:
        """Those of some sentences that have no vector yet."""
        lacking: Numbers = some[self.places[some, 0] < 0]
        return lacking

    def sentences(self, some: Numbers) -> tuple[list[str], list[str]]:
        """Texts and languages."""
        first = self._first[some].tolist()
        return [self._texts[i] for i in first], [self._codes[i] for i in first]

    def learn(self, segments: Sequence[Segment]) -> None:
        """Look up the sentences in the segments that are new since the last time; an earlier place stays."""
        if self._learnt == len(segments):
            return
        for number in range(self._learnt, len(segments) if len(self) else 0):
            keys = segments[number].keys
            near = np.minimum(np.searchsorted(self.keys, keys), len(self) - 1)
            rows = np.flatnonzero((self.keys[near] == keys) & (self.places[near, 0] < 0))
            self.places[near[rows]] = np.stack([np.full_like(rows, number), rows], axis=1)
        self._learnt = len(segments)
        self.found = int((self.places[:, 0] >= 0).sum())


def cut(sentences: Numbers, lengths: Numbers, tokens: int) -> list[Numbers]:
    """Numbers, longest first, in groups that take about so many tokens when each is padded to its first."""
    borders, start = [], 0
    ordered = lengths[sentences].tolist()
    for end in range(1, len(ordered)):
        if ordered[start] * (end - start + 1) > tokens:
            borders.append(end)
            start = end
    return np.split(sentences, borders) if len(ordered) else []


def _key(text: str, code: str) -> bytes:
    """What decides a vector within a space; a code holds no tab."""
    return hashlib.blake2b(f"{code}\t{text}".encode(), digest_size=KEY.itemsize).digest()
