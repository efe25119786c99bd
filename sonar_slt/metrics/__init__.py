"""Scores of text and of vectors, each with its number of items, its signature and its spread.

No model is trained here, and scoring text loads no torch: what compares vectors is fetched when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonar_slt.lazy import lazily
from sonar_slt.metrics.learned.bertscore import BertScore
from sonar_slt.metrics.learned.bleurt import Bleurt
from sonar_slt.metrics.metric import Measured, Metric
from sonar_slt.metrics.ngrams.bleu import Bleu
from sonar_slt.metrics.ngrams.chrf import Chrf
from sonar_slt.metrics.text import TranslationScores, score_translations
from sonar_slt.metrics.words.rouge_l import RougeL, rouge_l
from sonar_slt.metrics.words.ter import Ter
from sonar_slt.metrics.words.token_f1 import TokenF1, token_f1
from sonar_slt.metrics.words.wer import Wer

if TYPE_CHECKING:
    from sonar_slt.metrics.vectors import (
        Alignment,
        Retrieval,
        cosine,
        retrieval,
        retrieval_at_1,
        xsim,
        xsim_plus_plus,
    )

__all__ = [
    "Alignment",
    "BertScore",
    "Bleu",
    "Bleurt",
    "Chrf",
    "Measured",
    "Metric",
    "Retrieval",
    "RougeL",
    "Ter",
    "TokenF1",
    "TranslationScores",
    "Wer",
    "cosine",
    "retrieval",
    "retrieval_at_1",
    "rouge_l",
    "score_translations",
    "token_f1",
    "xsim",
    "xsim_plus_plus",
]

if not TYPE_CHECKING:
    _VECTORS = ["Alignment", "Retrieval", "cosine", "retrieval", "retrieval_at_1", "xsim", "xsim_plus_plus"]
    __getattr__, __dir__ = lazily(__name__, dict.fromkeys(_VECTORS, f"{__name__}.vectors"))
