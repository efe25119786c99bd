"""What the scores of trained models share: pairs of a reference and a hypothesis, each judged once, batch by batch.

A sentence has the best of its references' scores, a corpus the mean over its sentences.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np

from sonar_slt.metrics.metric import Measured
from sonar_slt.progress import counted

Pair = tuple[str, str]
"""A reference and a hypothesis."""


class LearnedMetric(ABC):
    """A score by a trained model; it is too slow to be computed several times for the floors."""

    name: str
    title: str
    higher_is_better = True

    def measure(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]], lang: str) -> Measured:
        """The mean over sentences; whether the model knows the language is for its card to say."""
        rows = list(zip(hypotheses, references, strict=True))
        pairs = list(dict.fromkeys((reference, said) for said, given in rows for reference in given))
        scores = self.known(pairs)
        missing = [pair for pair in pairs if pair not in scores]
        with counted(self.title, len(missing), shown=bool(missing)) as advance:
            for found in self.said(missing, references):
                scores |= found
                advance(len(found))
        best = [max(scores[reference, said] for reference in given) for said, given in rows]
        return Measured.averaged(np.asarray(best, dtype=np.float64), self.signature)

    @property
    @abstractmethod
    def signature(self) -> str:
        """What decides the value."""

    def known(self, pairs: Sequence[Pair]) -> dict[Pair, float]:
        """The scores of those pairs that were judged before."""
        return {}

    @abstractmethod
    def said(self, pairs: Sequence[Pair], references: Sequence[Sequence[str]]) -> Iterator[dict[Pair, float]]:
        """What the model says of pairs, batch after batch; `references` are all of the corpus."""
