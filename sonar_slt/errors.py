"""The one error that is the user's to mend, and the hint that goes with a misspelt name.

Everything else that goes wrong is a fault of ours and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(ValueError):
    """The user's input is wrong.

    The message is one clear sentence: what was wrong, what was expected, and the command that lists the choices.
    The command line prints it without a traceback and ends with exit code 2.
    """


def nearest(word: str, known: Iterable[str], *, at_most: int = 1) -> list[str]:
    """The known names closest to `word`, the closest first; none where nothing is close."""
    return difflib.get_close_matches(word, sorted(set(known) - {word}), n=at_most, cutoff=0.6)


def did_you_mean(word: str, known: Iterable[str], *, at_most: int = 1) -> str:
    """`` Did you mean …?`` with a leading space, or nothing."""
    near = nearest(word, known, at_most=at_most)
    return f" Did you mean {' or '.join(near)}?" if near else ""
