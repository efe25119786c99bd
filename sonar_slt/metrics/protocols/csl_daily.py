"""CSL-Daily as its papers score it: every character is a token."""

from __future__ import annotations

from collections.abc import Sequence

from sonar_slt.metrics.protocols.protocol import LegacyScore, token_scores


class CslDaily:
    """BLEU-1 to 4 and ROUGE-L over characters; spaces are dropped, letters and digits are characters too."""

    name, title, languages = "csl_daily", "CSL-Daily", frozenset({"zho_Hans", "zho_Hant"})

    def scores(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, LegacyScore]:
        """BLEU-1 to 4 and ROUGE-L."""
        return token_scores(hypotheses, references, change=characters, remark="level:char")


def characters(text: str) -> str:
    """Every character but spaces, one space between them."""
    return " ".join("".join(text.split()))
