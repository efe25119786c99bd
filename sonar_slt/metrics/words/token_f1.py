"""Token F1: how many words are right, wherever they stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sonar_slt.metrics.words.overlap import Overlap, f_score, overall


class TokenF1(Overlap):
    """F1 of the words of a sentence as a bag; `cased` keeps upper case apart, `punctuation` counts its marks."""

    name, title = "token_f1", "token F1"

    def shared(self, said: Sequence[str], wanted: Sequence[str]) -> float:
        """The part of both that stands in both, repeated words as often as both have them."""
        return f_score((Counter(said) & Counter(wanted)).total(), len(said), len(wanted))


def token_f1(
    hypotheses: str | Sequence[str],
    references: str | Sequence[str] | Sequence[Sequence[str]],
    *,
    lang: str | None = None,
) -> float:
    """Token F1 between 0 and 100 of one sentence or many, against one or several references each."""
    return overall(TokenF1(), hypotheses, references, lang)
