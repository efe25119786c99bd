"""What is counted of a sentence: words, or characters in a script that puts no blank between words."""

from __future__ import annotations

from sonar_slt.languages import UNSPACED


def units(text: str, code: str) -> list[str]:
    """What stands between blanks, or every character but blanks in a script that has none."""
    return [sign for sign in text if not sign.isspace()] if code[-4:] in UNSPACED else text.split()


def unit(code: str) -> str:
    """What these are called."""
    return "characters" if code[-4:] in UNSPACED else "words"
