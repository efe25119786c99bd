"""Token F1: how many words are right, wherever they stand.

The score of a corpus is the mean over its sentences, each against the best of its references.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from sonar_slt.metrics.metric import Measured, Stats
from sonar_slt.metrics.rouge_l import f_score, mean
from sonar_slt.metrics.words import paired, signature, word_lists


class TokenF1:
    """F1 of the words of a sentence as a bag; `cased` keeps upper case apart, `punctuation` counts its marks."""

    name, title, higher_is_better = "token_f1", "token F1", True

    def __init__(self, *, cased: bool = True, punctuation: bool = True) -> None:
        self._cased, self._punctuation = cased, punctuation

    def measure(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]], lang: str) -> Measured:
        """The sum of the sentences' scores and their number."""
        scores = self.sentences(hypotheses, references, lang)
        return Measured(
            statistics=np.stack([scores, np.ones_like(scores)], axis=1),
            formula=mean,
            signature=signature(references, lang, cased=self._cased, punctuation=self._punctuation),
            value=float(scores.mean()),
            sentences=scores,
        )

    def sentences(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]], lang: str | None) -> Stats:
        """Each sentence's score (sentences,) between 0 and 100."""
        found = []
        for hypothesis, given in zip(hypotheses, references, strict=True):
            said, *wanted = word_lists([hypothesis, *given], lang, cased=self._cased, punctuation=self._punctuation)
            found.append(max(f_score(shared_words(said, one), len(said), len(one)) for one in wanted))
        return 100 * np.asarray(found, dtype=np.float64)


def token_f1(
    hypotheses: str | Sequence[str],
    references: str | Sequence[str] | Sequence[Sequence[str]],
    *,
    lang: str | None = None,
) -> float:
    """Token F1 between 0 and 100 of one sentence or many, against one or several references each."""
    said, wanted = paired(hypotheses, references)
    return float(TokenF1().sentences(said, wanted, lang).mean())


def shared_words(a: Sequence[str], b: Sequence[str]) -> int:
    """How many words two bags share, repeated ones as often as both have them."""
    count = Counter(a)
    shared = 0
    for word in b:
        if count.get(word, 0) > 0:
            count[word] -= 1
            shared += 1
    return shared
