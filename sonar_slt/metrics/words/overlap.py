"""What ROUGE-L and token F1 share: how much of two sentences is the same, as an F-score of their words.

The score of a corpus is the mean over its sentences, each against the best of its references, as ROUGE is defined.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from sonar_slt.errors import UserError
from sonar_slt.metrics.metric import Measured, Stats
from sonar_slt.metrics.words.cutting import signature, word_lists


class Overlap(ABC):
    """A score of two lists of words; `cased` keeps upper case apart, `punctuation` counts its marks."""

    name: str
    title: str
    higher_is_better = True
    settings = ""
    """What else decides the value, for the signature."""

    def __init__(self, *, cased: bool = True, punctuation: bool = True) -> None:
        self._cased, self._punctuation = cased, punctuation

    def measure(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]], lang: str) -> Measured:
        """The sum of the sentences' scores and their number."""
        told = signature(references, lang, cased=self._cased, punctuation=self._punctuation, extra=self.settings)
        return Measured.averaged(self.sentences(hypotheses, references, lang), told)

    def sentences(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]], lang: str | None) -> Stats:
        """Each sentence's score (sentences,) between 0 and 100."""
        found = []
        for hypothesis, given in zip(hypotheses, references, strict=True):
            said, *wanted = word_lists([hypothesis, *given], lang, cased=self._cased, punctuation=self._punctuation)
            found.append(max(self.shared(said, one) for one in wanted))
        return 100 * np.asarray(found, dtype=np.float64)

    @abstractmethod
    def shared(self, said: Sequence[str], wanted: Sequence[str]) -> float:
        """How much of two sentences is the same: 0 for nothing, 1 for all of both."""


def overall(
    metric: Overlap,
    hypotheses: str | Sequence[str],
    references: str | Sequence[str] | Sequence[Sequence[str]],
    lang: str | None,
) -> float:
    """The score between 0 and 100 of one sentence or many, against one or several references each."""
    return float(metric.sentences(*paired(hypotheses, references), lang).mean())


def paired(
    hypotheses: str | Sequence[str], references: str | Sequence[str] | Sequence[Sequence[str]]
) -> tuple[list[str], list[list[str]]]:
    """One or many hypotheses with a list of references each; one hypothesis may have a list of references."""
    if isinstance(hypotheses, str):
        hypotheses, references = (
            [hypotheses],
            [references if isinstance(references, str) else list(map(str, references))],
        )
    elif isinstance(references, str):
        raise UserError("Several hypotheses need references of their own, not one string.")
    if len(hypotheses) != len(references):
        raise UserError(f"{len(hypotheses)} hypotheses cannot be scored against references for {len(references)}.")
    every = [[given] if isinstance(given, str) else list(given) for given in references]
    if not every or not all(every):
        raise UserError("There is nothing to score: every hypothesis needs at least one reference.")
    return list(hypotheses), every


def f_score(common: int, said: int, wanted: int, beta: float = 1.0) -> float:
    """The F-score of `common` words out of `said` and of `wanted`; nothing said where nothing is wanted is right."""
    if not said or not wanted:
        return float(said == wanted)
    return (1 + beta**2) * common / (said + beta**2 * wanted)
