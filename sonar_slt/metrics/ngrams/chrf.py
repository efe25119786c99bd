"""chrF by sacrebleu: F-scores of character n-grams, and with `words` of word n-grams beside them (chrF++)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sacrebleu.metrics.chrf import CHRF

from sonar_slt.errors import UserError
from sonar_slt.metrics.metric import Measured, Stats, full, number_of_references
from sonar_slt.metrics.ngrams.bags import Ids, Texts

BETA = 2.0
"""How much more recall weighs than precision."""


class Chrf:
    """chrF2 over six orders of characters and `words` orders of words: 0 is chrF2, 2 is chrF++."""

    higher_is_better = True

    def __init__(self, *, words: int = 0) -> None:
        if not 0 <= words <= 4:
            raise UserError(f"metrics.chrf.words={words}: expected 0 for chrF2, 2 for chrF++, at most 4.")
        self._words = words
        self.name, self.title = ("chrf", "chrF2") if words == 0 else ("chrf_pp", "chrF" + "+" * words)

    def measure(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]], lang: str) -> Measured:
        """Sums of the n-grams of hypotheses, of references, and of both; of several references the best one's."""
        metric = CHRF(word_order=self._words)
        metric.num_refs = number_of_references(references)
        texts = [hypotheses, *full(references)]
        found = [_triples(Texts.of_characters([["".join(line.split()) for line in text] for text in texts]), 6)]
        if self._words:
            apart = [[metric._remove_punctuation(line) for line in text] for text in texts]
            found.append(_triples(Texts.of_words(apart), self._words))
        each = np.concatenate(found, axis=2)  # (references, sentences, orders * 3)
        best = np.stack([chrf_scores(one) for one in each]).argmax(axis=0)  # the first of equally good ones
        statistics = each[best, np.arange(len(hypotheses))]
        value = metric._compute_score_from_stats(statistics.sum(0).astype(np.int64).tolist()).score
        return Measured(
            statistics=statistics,
            formula=chrf_scores,
            signature=str(metric.get_signature()),
            value=float(value),
            sentences=chrf_scores(statistics),
        )


def _triples(texts: Texts, orders: int) -> Stats:
    """Counts in hypothesis and reference, and matches, order by order: (references, sentences, orders * 3)."""
    columns: list[list[Ids]] = [[] for _ in range(texts.texts - 1)]
    for order, (said, *meant) in enumerate(texts.bags(orders), 1):
        mine, *theirs = texts.totals(order)
        for column, bag, total in zip(columns, meant, theirs, strict=True):
            column += [np.where(total > 0, mine, 0), total, said.shared(bag).sums(texts.sentences)]
    return np.array([np.stack(column, axis=1) for column in columns], np.float64)


def chrf_scores(sums: Stats) -> Stats:
    """The chrF of many corpora: (corpora, orders * [hypothesis, reference, match]) -> (corpora,).

    Order by order and in sacrebleu's order of operations: of two references that are equally good it takes the first.
    """
    precision, recall, orders = np.zeros((3, len(sums)))
    for hypothesis, reference, match in np.moveaxis(sums.reshape(len(sums), -1, 3), 0, 2):
        counted = (hypothesis > 0) & (reference > 0)
        precision += np.where(counted, match / np.maximum(hypothesis, 1), 0)
        recall += np.where(counted, match / np.maximum(reference, 1), 0)
        orders += counted
    precision, recall = precision / np.maximum(orders, 1), recall / np.maximum(orders, 1)
    below = BETA**2 * precision + recall
    scores: Stats = 100 * ((1 + BETA**2) * precision * recall / np.where(below > 0, below, 1))
    return scores
