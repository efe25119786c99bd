"""The words of a text in any script, for the scores that compare words: ROUGE-L, WER and token F1.

Scripts that put no spaces between words are cut into characters; nothing is stemmed, in no language.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache

from sonar_slt.languages import UNSPACED, language

UNSPACED_BLOCKS = (
    (0x0E00, 0x0FFF),  # Thai, Lao, Tibetan
    (0x1000, 0x109F),  # Burmese, Shan
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),  # marks that stand for a Han character
    (0x3021, 0x312F),  # kana, bopomofo
    (0x31A0, 0x31FF),  # more of both
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xA9E0, 0xA9FF),  # more Burmese
    (0xAA60, 0xAA7F),
    (0xF900, 0xFAFF),  # Han for compatibility
    (0xFF66, 0xFF9F),  # narrow katakana
    (0x20000, 0x323AF),  # rare Han
)
"""Where scripts without spaces lie in Unicode; only letters and marks count there."""
PICTURES = range(0x1F000, 0x1FC00)
"""Emoji, beyond the first 65,536 characters; what else is beyond them counts as letters."""
INNER = "'’\\-‐‑·״"
"""What holds the halves of a word together: isn't, l’eau, U-Bahn, col·lecció, צה״ל."""


def spaced(lang: str) -> bool:
    """Whether the language puts spaces between words."""
    return language(lang).code[-4:] not in UNSPACED


def words(text: str, lang: str | None = None, *, cased: bool = True, punctuation: bool = True) -> list[str]:
    """The words of a text, each punctuation mark or symbol a word of its own, or left out.

    A word is a run of letters, marks and digits. Apostrophes and hyphens inside it belong to it, and so do points and
    commas between digits. A character of a script without spaces is a word together with its marks; Latin words and
    numbers among them stay whole. Without a language the characters themselves decide, which is the same for every
    text in one language. Composed and decomposed letters are equal.
    """
    text = unicodedata.normalize("NFC", text if cased else text.lower())
    found = _pattern(lang is not None and spaced(lang)).findall(text)
    return found if punctuation else [word for word in found if len(word) > 1 or not _is_punctuation(word)]


def word_lists(
    texts: Iterable[str], lang: str | None = None, *, cased: bool = True, punctuation: bool = True
) -> list[list[str]]:
    """The words of many texts."""
    return [words(text, lang, cased=cased, punctuation=punctuation) for text in texts]


def signature(
    references: Sequence[Sequence[str]], lang: str, *, cased: bool, punctuation: bool, extra: str = ""
) -> str:
    """How words were compared, in the shape of sacrebleu's signatures."""
    counts = {len(given) for given in references}
    parts = (
        f"nrefs:{counts.pop() if len(counts) == 1 else 'var'}",
        f"case:{'mixed' if cased else 'lc'}",
        f"tok:{'words' if spaced(lang) else 'characters'}",
        f"punct:{'yes' if punctuation else 'no'}",
        *([extra] if extra else []),
        "version:sonar-slt-1",
    )
    return "|".join(parts)


@cache
def _pattern(only_spaced: bool) -> re.Pattern[str]:
    """What one word is; `only_spaced` treats every letter as those of scripts with spaces."""
    letters, marks = ([], []) if only_spaced else _unspaced()
    apart = _ranges(_others())  # punctuation, symbols, control characters
    own, mark = _ranges(letters), _ranges(marks)
    run = rf"[^\s{apart}{own}{mark}]+" if own else rf"[^\s{apart}]+"
    number = r"(?<=\d)[.,](?=\d)"
    word = rf"{run}(?:(?:[{INNER}]|{number}){run})*"
    return re.compile(rf"{word}|[{own}][{mark}]*|\S" if own else rf"{word}|\S")


@cache
def _others() -> tuple[int, ...]:
    """Every punctuation mark, symbol and control character of the scripts in use, and the pictures of emoji."""
    plain = (code for code in range(0x10000) if unicodedata.category(chr(code)).startswith(("P", "S", "Cc")))
    return (*plain, *PICTURES)


def _unspaced() -> tuple[list[int], list[int]]:
    """Letters and marks of the scripts without spaces."""
    codes = [code for first, last in UNSPACED_BLOCKS for code in range(first, last + 1)]
    kinds = [unicodedata.category(chr(code)) for code in codes]
    letters = [code for code, kind in zip(codes, kinds, strict=True) if kind[0] == "L" or kind == "Nl"]
    return letters, [code for code, kind in zip(codes, kinds, strict=True) if kind[0] == "M"]


def _ranges(codes: Sequence[int]) -> str:
    """Codes as the inside of a character class of a regular expression."""
    found: list[list[int]] = []
    for code in codes:
        if found and code == found[-1][1] + 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in found)


def _is_punctuation(word: str) -> bool:
    return unicodedata.category(word)[0] in "PSC"
