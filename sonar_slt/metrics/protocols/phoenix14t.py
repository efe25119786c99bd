"""PHOENIX-2014T as the papers since 2018 score it: lowercased words between spaces, with and without " ." behind."""

from __future__ import annotations

from collections.abc import Sequence

from sonar_slt.metrics.protocols.protocol import LegacyScore, token_scores


class Phoenix14t:
    """BLEU-1 to 4 and ROUGE-L of lowercased text that is split at spaces alone.

    The first five scores are taken after a full stop of its own was put behind every sentence, as the corpus' common
    files and several papers' tools have it; those whose names end in `bare` without it. The stop alone is worth about
    one point of BLEU-4 and four of ROUGE-L.
    """

    name, title, languages = "phoenix14t", "PHOENIX-14T", frozenset({"deu_Latn"})

    def scores(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, LegacyScore]:
        """BLEU-1 to 4 and ROUGE-L with " ." behind every sentence; BLEU-4 and ROUGE-L without."""
        stopped = token_scores(hypotheses, references, change=with_stop, remark="stop:added", lowercase=True)
        bare = token_scores(hypotheses, references, change=lowercased, remark="stop:as-is", lowercase=True)
        return {**stopped, "bleu_4_bare": bare["bleu_4"], "rouge_l_bare": bare["rouge_l"]}


def lowercased(text: str) -> str:
    """Lowercased, one space between words."""
    return " ".join(text.lower().split())


def with_stop(text: str) -> str:
    """Lowercased and ending in the word "."; a stop at the last word is set apart, an empty sentence stays empty."""
    bare = lowercased(text)
    return " ".join([*bare.removesuffix(".").split(), "."]) if bare else ""
