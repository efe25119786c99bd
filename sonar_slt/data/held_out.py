"""Sentences that training never draws, by which a text space is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Held-out sentences: row i says the same in every language, in one way or in several."""

    references: Mapping[str, Sequence[Sequence[str]]]
    negatives: Mapping[str, Sequence[str]]  # sentences that differ from some row in one thing only
