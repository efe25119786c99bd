"""What the scores of trained models share: of each sentence the best over its references, of a corpus the mean.

So a sentence's statistics are its score and a one, and any sum of them is a mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sonar_slt.metrics.metric import Measured, Stats

Pair = tuple[str, str]
"""A reference and a hypothesis."""


def pairs_of(hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> list[Pair]:
    """Every pair that has to be scored, each once, in the order of the sentences."""
    rows = zip(hypotheses, references, strict=True)
    return list(dict.fromkeys((reference, said) for said, given in rows for reference in given))


def measured(
    hypotheses: Sequence[str], references: Sequence[Sequence[str]], scores: Mapping[Pair, float], signature: str
) -> Measured:
    """The score of a corpus from those of its pairs."""
    rows = zip(hypotheses, references, strict=True)
    best = np.asarray([max(scores[reference, said] for reference in given) for said, given in rows], dtype=np.float64)
    return Measured(
        statistics=np.stack([best, np.ones_like(best)], axis=1),  # (sentences, 2)
        formula=means,
        signature=signature,
        value=float(best.mean()),
        sentences=best,
    )


def means(sums: Stats) -> Stats:
    """Means of many corpora: (corpora, [sum of scores, number of sentences]) -> (corpora,)."""
    return np.asarray(sums[:, 0] / sums[:, 1], dtype=np.float64)
