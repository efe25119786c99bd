"""How2Sign as its papers score it: lowercased BLEU, and BLEU without the most frequent words.

The first reduced BLEU left out sentences of which nothing remained; here every sentence counts.
"""

from __future__ import annotations

import hashlib
import string
from collections.abc import Sequence
from pathlib import Path

from sacrebleu.metrics.bleu import BLEU

from sonar_slt.errors import UserError
from sonar_slt.metrics.metric import streams
from sonar_slt.metrics.protocols.protocol import LegacyScore, changed

PUNCTUATION = str.maketrans("", "", string.punctuation + "’‘“”…–—")


class How2sign:
    """Lowercased BLEU; with a file of words, one in a line, also the BLEU of what remains without them.

    Words are compared without case and punctuation, so that "The" goes where "the" is listed.
    """

    name, title, languages = "how2sign", "How2Sign", frozenset({"eng_Latn"})

    def __init__(self, *, words: str | None = None) -> None:
        self._words: frozenset[str] = frozenset()
        self._hash = ""
        if words is not None:
            self._words, self._hash = _listed(words)

    def scores(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, LegacyScore]:
        """Lowercased BLEU, and reduced BLEU where a list of words was given."""
        found = {"bleu_lowercase": _bleu(hypotheses, references)}
        if self._words:
            said, expected = [self.reduced(text) for text in hypotheses], changed(self.reduced, references)
            reduced = _bleu(said, expected, f"|punct:no|without:{self._hash[:16]}|dropped:none")
            found["reduced_bleu"] = {**reduced, "empty_references": sum(not any(every) for every in expected)}
        return found

    def reduced(self, text: str) -> str:
        """Lowercased, without punctuation and without the listed words."""
        return " ".join(word for word in text.lower().translate(PUNCTUATION).split() if word not in self._words)


def _bleu(hypotheses: Sequence[str], references: Sequence[Sequence[str]], remark: str = "") -> LegacyScore:
    metric = BLEU(lowercase=True, force=True)
    value = metric.corpus_score(hypotheses, streams(references)).score
    return {"value": float(value), "signature": f"{metric.get_signature()}{remark}"}


def _listed(name: str) -> tuple[frozenset[str], str]:
    """The words of a file and its sha256."""
    try:
        content = Path(name).expanduser().read_bytes()
        words = content.decode("utf-8-sig").lower().translate(PUNCTUATION).split()
    except OSError as error:
        raise UserError(
            f"protocol.words={name} cannot be read: {error.strerror}; a word per line was expected."
        ) from error
    except UnicodeDecodeError as error:
        raise UserError(f"protocol.words={name} is not utf-8: a word per line was expected.") from error
    if not words:
        raise UserError(f"protocol.words={name} holds no word: a word per line was expected.")
    return frozenset(words), hashlib.sha256(content).hexdigest()
