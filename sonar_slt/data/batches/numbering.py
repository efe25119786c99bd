"""A number for every sentence that a batch may draw: tokens, vectors and clips refer to sentences by it.

Sentences stay in the manifest; here are only arrays, so that a corpus ten times larger takes no more of a process's own
memory than its numbers.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.manifest import Row
from sonar_slt.errors import UserError
from sonar_slt.space import inputs

Numbers = NDArray[np.int32]


class Numbering:
    """The distinct sentences of some clips in some languages, in the order in which the clips are given."""

    def __init__(self, rows: Sequence[Row], order: Iterable[int], codes: Sequence[str]) -> None:
        self.rows, self.codes = rows, tuple(codes)
        self._places = {code: place for place, code in enumerate(self.codes)}
        counts = np.zeros((len(rows), len(codes)), np.int32)
        starts = np.zeros((len(rows), len(codes)), np.int64)
        known: list[dict[str, int]] = [{} for _ in codes]
        drawn, found = array("i"), array("i")
        for row in order:
            clip = rows[row]
            for place, code in enumerate(self.codes):
                texts = checked(clip, code)
                starts[row, place], counts[row, place] = len(drawn), len(texts)
                for which, text in enumerate(texts):
                    number = known[place].setdefault(text, distinct := len(found) // 3)
                    drawn.append(number)
                    if number == distinct:
                        found.extend((row, place, which))
        self._starts, self._counts = starts, counts
        self._drawn = np.asarray(drawn)
        self._found = np.asarray(found).reshape(-1, 3)  # where each sentence stands first

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Every sentence as (language, text), by its number."""
        last, clip = -1, None
        for row, place, which in self._found:
            if row != last:
                last, clip = row, self.rows[int(row)]
            assert clip is not None
            code = self.codes[place]
            yield code, clip.sentences(code)[which]

    def of(self, row: int, code: str) -> Numbers:
        """The sentences of a clip in a language."""
        place = self._places[code]
        start = int(self._starts[row, place])
        return self._drawn[start : start + int(self._counts[row, place])]

    def languages(self, row: int, codes: Sequence[str]) -> list[str]:
        """Those of `codes` in which a clip has a sentence."""
        counts = self._counts[row].tolist()
        return [code for code in codes if counts[self._places[code]]]

    def has(self, code: str, rows: NDArray[np.int64]) -> bool:
        """Whether any of these clips has a sentence in a language."""
        return bool(self._counts[rows, self._places[code]].any())


def checked(clip: Row, code: str) -> Sequence[str]:
    """The sentences of a clip in a language; one that says nothing is refused by the clip's id."""
    texts = clip.sentences(code)
    if texts:
        try:
            inputs.sentences(texts)
        except UserError as error:
            raise UserError(f"Clip {clip.id} in {code}: {error}") from error
    return texts
