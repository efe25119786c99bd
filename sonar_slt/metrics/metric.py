"""What a score of text is: statistics of each sentence that add up to the corpus', and a formula over their sums.

So one resampling gives the interval of every score, and a part of a corpus is scored without scoring anything again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Protocol, Self, TypedDict

import numpy as np
from numpy.typing import NDArray

Stats = NDArray[np.float64]
Formula = Callable[[Stats], Stats]


class Score(TypedDict):
    """A corpus score; `interval` is None when no resamples were asked for."""

    value: float
    signature: str
    interval: list[float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One score of one system."""

    statistics: Stats  # (sentences, k): rows add up to the corpus'
    formula: Formula  # (corpora, k) sums of many corpora -> (corpora,) scores
    signature: str
    value: float  # of the corpus, to the last digit of the implementation that the signature names
    sentences: Stats  # (sentences,) each one's own

    @classmethod
    def averaged(cls, sentences: Stats, signature: str) -> Self:
        """A corpus that scores the mean over its sentences (sentences,)."""
        return cls(
            statistics=np.stack([sentences, np.ones_like(sentences)], axis=1),
            formula=mean,
            signature=signature,
            value=float(sentences.mean()),
            sentences=sentences,
        )


class Metric(Protocol):
    """A score of hypotheses against one or several references each."""

    @property
    def name(self) -> str:
        """Its key in results."""

    @property
    def title(self) -> str:
        """As people write it."""

    @property
    def higher_is_better(self) -> bool:
        """False for error rates."""

    def measure(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]], lang: str) -> Measured:
        """Statistics, signature and value of sentences in the language `lang`."""


def mean(sums: Stats) -> Stats:
    """The means of many corpora: (corpora, [sum of scores, number of sentences]) -> (corpora,)."""
    scores: Stats = sums[:, 0] / sums[:, 1]
    return scores


def streams(references: Sequence[Sequence[str]]) -> list[list[Any]]:
    """References as sacrebleu wants them: one list per position, None where a sentence has fewer."""
    return [list(stream) for stream in zip_longest(*references)]


def full(references: Sequence[Sequence[str]]) -> list[list[str]]:
    """One list per position; a sentence with fewer references has its first again, which changes no n-gram score."""
    return [list(stream) for stream in zip(*_as_many(references), strict=True)]


def number_of_references(references: Sequence[Sequence[str]]) -> int:
    """How many every sentence has; -1 where they differ, as sacrebleu's signatures tell it."""
    counts = {len(given) for given in references}
    return counts.pop() if len(counts) == 1 else -1


def _as_many(references: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    most = max(map(len, references))
    return ([*given, *[given[0]] * (most - len(given))] for given in references)
