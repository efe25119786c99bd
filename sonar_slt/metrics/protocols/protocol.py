"""What a protocol is, and the two scores that most of them share: BLEU-1 to 4 of tokens, and ROUGE-L as in mscoco.

Tokens come separated by spaces; nothing here tokenises.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Sequence
from typing import NotRequired, TypedDict

import numpy as np
from sacrebleu.metrics.bleu import BLEU

from sonar_slt.metrics.metric import streams
from sonar_slt.metrics.words.rouge_l import common_subsequence

ORDERS = 4
FLOOR = 0.01
"""The matches of an order without any, as in the copy of sacrebleu 1.2 that these papers' tools carry."""
BETA = 1.2
"""Weight of recall in ROUGE-L, as in mscoco's caption scores."""


class LegacyScore(TypedDict):
    """A score between 0 and 100."""

    value: float
    signature: str
    empty_references: NotRequired[int]  # so many are empty once they are reduced; they are kept


class Protocol(typing.Protocol):
    """How one corpus was scored in older papers."""

    @property
    def name(self) -> str:
        """Its key in results."""

    @property
    def title(self) -> str:
        """As people read it."""

    @property
    def languages(self) -> frozenset[str]:
        """The languages that the corpus is written in."""

    def scores(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, LegacyScore]:
        """The scores by name."""


def token_scores(
    hypotheses: Sequence[str],
    references: Sequence[Sequence[str]],
    *,
    change: Callable[[str], str],
    remark: str,
    lowercase: bool = False,
) -> dict[str, LegacyScore]:
    """BLEU-1 to 4 and ROUGE-L of text that `change` made into tokens; `remark` says in the signature what it does."""
    said, expected = [change(text) for text in hypotheses], changed(change, references)
    metric = BLEU(
        lowercase=lowercase,
        tokenize="none",
        smooth_method="floor",
        smooth_value=FLOOR,
        effective_order=True,
        force=True,
    )
    rows = np.asarray(metric._extract_corpus_statistics(said, streams(expected)))
    signature = f"{metric.get_signature()}|{remark}"
    found: dict[str, LegacyScore] = {
        f"bleu_{order}": {"value": _bleu(rows.sum(0).tolist(), order), "signature": f"order:{order}|{signature}"}
        for order in range(1, ORDERS + 1)
    }
    case, nrefs = "lc" if lowercase else "mixed", signature.partition("|")[0]
    found["rouge_l"] = {
        "value": rouge_l(said, expected),
        "signature": f"{nrefs}|case:{case}|tok:none|beta:{BETA}|version:sonar-slt-1|{remark}",
    }
    return found


def rouge_l(hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """The mean over sentences of the F-score of their longest common subsequence, recall weighing more by `BETA`.

    Of several references the best precision and the best recall are taken, each for itself.
    """
    pairs = zip(hypotheses, references, strict=True)
    values = [_f_score(one.split(), [each.split() for each in every]) for one, every in pairs]
    return 100 * sum(values) / len(values)


def changed(change: Callable[[str], str], references: Sequence[Sequence[str]]) -> list[list[str]]:
    """Every reference, changed."""
    return [[change(text) for text in every] for every in references]


def _bleu(sums: list[int], order: int) -> float:
    """BLEU up to an order, from two lengths, the matches and the totals of four."""
    length, reference, *counts = sums
    matches, totals = counts[:order], counts[ORDERS : ORDERS + order]
    return BLEU.compute_bleu(
        matches,
        totals,
        length,
        reference,
        smooth_method="floor",
        smooth_value=FLOOR,
        effective_order=True,
        max_ngram_order=order,
    ).score


def _f_score(hypothesis: list[str], references: list[list[str]]) -> float:
    common = [(common_subsequence(hypothesis, each), len(each)) for each in references]
    precision = max(length for length, _ in common) / len(hypothesis) if hypothesis else 0.0
    recall = max((length / size for length, size in common if size), default=0.0)
    below = recall + BETA**2 * precision
    return (1 + BETA**2) * precision * recall / below if below else 0.0
