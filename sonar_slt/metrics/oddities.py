"""What is odd about hypotheses and references, counted: a score beside such a count is read with care.

Nothing is left out or mended; every sentence is scored as it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from sonar_slt.languages import SCRIPTS

DETACHED = re.compile(r"\s[.。।۔]\s*\Z")
BROKEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffd]")
LOOP = 3
"""A hypothesis this many times as long as its longest reference probably says something over and over."""

NAMED = {
    "Hans": ("CJK",),
    "Hant": ("CJK",),
    "Jpan": ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HALFWIDTH"),
    "Orya": ("ORIYA",),
    "Beng": ("BENGALI", "OL", "MEETEI"),  # Santali and Meitei under their own letters too
}
"""How the Unicode names of a script's letters begin, where it is not the script's name."""


def oddities(hypotheses: Sequence[str], references: Sequence[Sequence[str]], lang: str) -> dict[str, int]:
    """Numbers of sentences by what is odd about them; what does not occur is not named."""
    rows = list(zip(hypotheses, references, strict=True))
    counts = {
        "empty hypotheses": sum(not text.strip() for text in hypotheses),
        "empty references": sum(any(not text.strip() for text in given) for given in references),
        "hypotheses that end in a detached period": sum(bool(DETACHED.search(text)) for text in hypotheses),
        "sentences with control characters or U+FFFD": sum(
            any(BROKEN.search(text) for text in (said, *given)) for said, given in rows
        ),
        "hypotheses mostly in another script": _foreign(hypotheses, lang),
        "hypotheses that are one and the same sentence": _same(hypotheses, references),
        f"hypotheses over {LOOP} times as long as their longest reference": sum(
            len(said.strip()) > LOOP * max(len(text.strip()) for text in given) > 0 for said, given in rows
        ),
    }
    return {name: count for name, count in counts.items() if count}


def _same(hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> int:
    """How often the most frequent sentence is said, if for over half and oftener than it would be right."""
    said = Counter(text.strip() for text in hypotheses if text.strip()).most_common(1)
    if not said or said[0][1] <= max(len(hypotheses) / 2, 2):
        return 0
    sentence, count = said[0]
    return count if count > sum(sentence in {text.strip() for text in given} for given in references) else 0


def _foreign(hypotheses: Sequence[str], lang: str) -> int:
    """Hypotheses in which over half of the letters are of another script than the language's."""
    kinds = _Letters(NAMED.get(lang[-4:], (SCRIPTS[lang[-4:]].upper(),)))
    found = (text.translate(kinds) for text in hypotheses)
    return sum(kind.count("o") > kind.count("i") for kind in found)


class _Letters(dict[int, str | None]):
    """A table for `str.translate`: letters of the script become i, those of others o, all else vanishes."""

    def __init__(self, beginnings: tuple[str, ...]) -> None:
        self._beginnings = beginnings

    def __missing__(self, code: int) -> str | None:
        letter = chr(code)
        found = None
        if unicodedata.category(letter) in ("Lu", "Ll", "Lt", "Lo"):
            beginning = unicodedata.name(letter, "?").removeprefix("FULLWIDTH ").split()[0]
            found = "i" if beginning in self._beginnings else "o"
        self[code] = found
        return found
