"""ROUGE-L: the longest common subsequence of words, as an F-score, in every script and without stemming.

The score of a corpus is the mean over its sentences, each against the best of its references, as ROUGE is defined.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sonar_slt.errors import UserError
from sonar_slt.metrics.metric import Measured, Stats
from sonar_slt.metrics.words import paired, signature, word_lists


class RougeL:
    """F-score of the longest common subsequence; `beta` over 1 weighs recall more, `cased` keeps upper case apart."""

    name, title, higher_is_better = "rouge_l", "ROUGE-L", True

    def __init__(self, *, beta: float = 1.0, cased: bool = True, punctuation: bool = True) -> None:
        if not beta > 0:
            raise UserError(f"metrics.rouge_l.beta={beta}: expected a number above 0.")
        self._beta, self._cased, self._punctuation = beta, cased, punctuation

    def measure(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]], lang: str) -> Measured:
        """The sum of the sentences' scores and their number."""
        scores = self.sentences(hypotheses, references, lang)
        return Measured(
            statistics=np.stack([scores, np.ones_like(scores)], axis=1),
            formula=mean,
            signature=signature(
                references, lang, cased=self._cased, punctuation=self._punctuation, extra=f"beta:{self._beta:g}"
            ),
            value=float(scores.mean()),
            sentences=scores,
        )

    def sentences(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]], lang: str | None) -> Stats:
        """Each sentence's score (sentences,) between 0 and 100."""
        found = []
        for hypothesis, given in zip(hypotheses, references, strict=True):
            said, *wanted = word_lists([hypothesis, *given], lang, cased=self._cased, punctuation=self._punctuation)
            found.append(max(f_score(common_subsequence(said, one), len(said), len(one), self._beta) for one in wanted))
        return 100 * np.asarray(found, dtype=np.float64)


def rouge_l(
    hypotheses: str | Sequence[str],
    references: str | Sequence[str] | Sequence[Sequence[str]],
    *,
    lang: str | None = None,
) -> float:
    """ROUGE-L F1 between 0 and 100 of one sentence or many, against one or several references each."""
    said, wanted = paired(hypotheses, references)
    return float(RougeL().sentences(said, wanted, lang).mean())


def common_subsequence(a: Sequence[str], b: Sequence[str]) -> int:
    """The length of the longest common subsequence, a whole row of its table in the bits of one number."""
    places: dict[str, int] = {}
    for index, word in enumerate(a):
        places[word] = places.get(word, 0) | 1 << index
    full = (1 << len(a)) - 1
    row = full
    for word in b:
        if here := row & places.get(word, 0):
            row = (row + here | row - here) & full
    return len(a) - row.bit_count()


def f_score(common: int, said: int, wanted: int, beta: float = 1.0) -> float:
    """The F-score of `common` words out of `said` and of `wanted`; nothing said where nothing is wanted is right."""
    if not said or not wanted:
        return float(said == wanted)
    return (1 + beta**2) * common / (said + beta**2 * wanted)


def mean(sums: Stats) -> Stats:
    """The mean of many corpora: (corpora, [sum, number]) -> (corpora,)."""
    scores: Stats = sums[:, 0] / sums[:, 1]
    return scores
