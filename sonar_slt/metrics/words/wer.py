"""WER: words to insert, delete or replace until a hypothesis is its reference, per hundred words of references.

Lower is better, and a system that says too much can come over 100.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sonar_slt.metrics.metric import Measured, Stats
from sonar_slt.metrics.words.cutting import signature, word_lists


class Wer:
    """Edits over the words of the nearest reference; `cased` keeps upper case apart, `punctuation` counts its marks."""

    name, title, higher_is_better = "wer", "WER", False

    def __init__(self, *, cased: bool = True, punctuation: bool = True) -> None:
        self._cased, self._punctuation = cased, punctuation

    def measure(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]], lang: str) -> Measured:
        """Sums of edits and of words of the nearest references."""
        rows = []
        for hypothesis, given in zip(hypotheses, references, strict=True):
            said, *wanted = word_lists([hypothesis, *given], lang, cased=self._cased, punctuation=self._punctuation)
            # Among equally near references the longest counts: its rate is the lowest.
            rows.append(min(((edits(said, one), len(one)) for one in wanted), key=lambda row: (row[0], -row[1])))
        statistics = np.asarray(rows, dtype=np.float64)
        return Measured(
            statistics=statistics,
            formula=error_rate,
            signature=signature(references, lang, cased=self._cased, punctuation=self._punctuation),
            value=float(error_rate(statistics.sum(0, keepdims=True))[0]),
            sentences=error_rate(statistics),
        )


def edits(a: Sequence[str], b: Sequence[str]) -> int:
    """The Levenshtein distance of two lists of words, a whole row of its table in the bits of a few numbers."""
    if not a:
        return len(b)
    places: dict[str, int] = {}
    for index, word in enumerate(a):
        places[word] = places.get(word, 0) | 1 << index
    full, last = (1 << len(a)) - 1, 1 << len(a) - 1
    up, down, distance = full, 0, len(a)  # where the row rises by one from word to word, where it falls
    for word in b:
        same = places.get(word, 0)
        across = ((same & up) + up ^ up) | same
        rises, falls = down | full & ~(across | up), up & across
        distance += bool(rises & last) - bool(falls & last)
        rises, kept = rises << 1 | 1, same | down
        up, down = (falls << 1 | ~(kept | rises)) & full, rises & kept & full
    return distance


def error_rate(sums: Stats) -> Stats:
    """Edits per hundred words of many corpora: (corpora, [edits, words]) -> (corpora,).

    Where the references have no words, any edit is an error rate of 100, as in sacrebleu's TER.
    """
    made, wanted = sums[:, 0], sums[:, 1]
    scores: Stats = 100 * np.where(wanted > 0, made / np.where(wanted > 0, wanted, 1), made > 0)
    return scores
