"""What the six languages write alike: a capital at the start, a full stop at the end."""

from __future__ import annotations


def finished(words: str) -> str:
    """A run of words as a sentence. Only the first letter changes; none of ours begins with the Turkish i."""
    return f"{words[0].upper()}{words[1:]}."
