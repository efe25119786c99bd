"""Scores of text and of vectors, each with its number of items, its signature and its spread.

No model is trained here, and scoring text loads no torch: the names of `vectors` are fetched when they are asked for.
"""

from typing import TYPE_CHECKING, Any

from sonar_slt.metrics.rouge_l import RougeL, rouge_l
from sonar_slt.metrics.text import score_translations
from sonar_slt.metrics.token_f1 import TokenF1, token_f1

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
    "Retrieval",
    "RougeL",
    "TokenF1",
    "cosine",
    "retrieval",
    "retrieval_at_1",
    "rouge_l",
    "score_translations",
    "token_f1",
    "xsim",
    "xsim_plus_plus",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from sonar_slt.metrics import vectors

        return getattr(vectors, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
