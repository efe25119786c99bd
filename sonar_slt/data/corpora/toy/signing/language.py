"""The two sign languages of the toy world: which form each sign has, and in which order a sentence goes.

A is the first and the default. B says the same with the same body and the same stock of forms, but no sign of it looks
like the sign of A with that meaning: what is RAIN in A is a time of day in B. Face and head mean the same in both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sonar_slt.data.corpora.toy.signing.grammar import TIME_FIRST, TOPIC_FIRST, Part
from sonar_slt.data.corpora.toy.signing.lexicon import SIGNS, Sign

STRIDE = 10
"""How far B's forms are moved along the lexicon; ten signs are a time, a region, a phenomenon or a digit each, so that
signs of one slot get forms of another, and signs that differ by one parameter mostly keep to one slot."""


@dataclass(frozen=True, slots=True, eq=False)
class SignLanguage:
    """A form for every sign, and an order of the parts of a sentence."""

    signs: Mapping[str, Sign]
    order: tuple[Part, ...]


def _moved(signs: Mapping[str, Sign], stride: int) -> dict[str, Sign]:
    """Each sign with the form of the one that stands `stride` places after it, the last ones with the first forms."""
    forms = list(signs.values())
    return {name: forms[(place + stride) % len(forms)] for place, name in enumerate(signs)}


SIGN_LANGUAGES: dict[str, SignLanguage] = {
    "a": SignLanguage(SIGNS, TIME_FIRST),
    "b": SignLanguage(_moved(SIGNS, STRIDE), TOPIC_FIRST),
}
"""By the names that `data.signing` takes."""
