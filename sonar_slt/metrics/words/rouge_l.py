"""ROUGE-L: the longest common subsequence of words, as an F-score, in every script and without stemming."""

from __future__ import annotations

from collections.abc import Sequence

from sonar_slt.errors import UserError
from sonar_slt.metrics.words.overlap import Overlap, f_score, overall


class RougeL(Overlap):
    """F-score of the longest common subsequence; `beta` over 1 weighs recall more, `cased` keeps upper case apart."""

    name, title = "rouge_l", "ROUGE-L"

    def __init__(self, *, beta: float = 1.0, cased: bool = True, punctuation: bool = True) -> None:
        super().__init__(cased=cased, punctuation=punctuation)
        if not beta > 0:
            raise UserError(f"metrics.rouge_l.beta={beta}: expected a number above 0.")
        self._beta, self.settings = beta, f"beta:{beta:g}"

    def shared(self, said: Sequence[str], wanted: Sequence[str]) -> float:
        """The part of both that stands in both in the same order."""
        return f_score(common_subsequence(said, wanted), len(said), len(wanted), self._beta)


def rouge_l(
    hypotheses: str | Sequence[str],
    references: str | Sequence[str] | Sequence[Sequence[str]],
    *,
    lang: str | None = None,
) -> float:
    """ROUGE-L F1 between 0 and 100 of one sentence or many, against one or several references each."""
    return overall(RougeL(), hypotheses, references, lang)


def common_subsequence(a: Sequence[str], b: Sequence[str]) -> int:
    """The length of the longest common subsequence, a whole row of its table in the bits of one number."""
    places: dict[str, int] = {}
    for index, word in enumerate(a):
        places[word] = places.get(word, 0) | 1 << index
    full = (1 << len(a)) - 1
    row = full
    for word in b:
        if here := row & places.get(word, 0):
            row = (row + here | row - here) & full
    return len(a) - row.bit_count()
