"""The grammar: from a meaning to glosses, in the order of a sign language.

Negation and likelihood have no sign of their own. They are markers of face and head, made with the topic's sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, assert_never

from sonar_slt.data.corpora.toy.meaning import Contrast, Meaning, Temperature, Wind

Marker = Literal["negated", "probable", "possible"]
Part = Literal["time", "place", "topic", "comment"]

TIME_FIRST: tuple[Part, ...] = ("time", "place", "topic", "comment")
TOPIC_FIRST: tuple[Part, ...] = ("topic", "comment", "time", "place")


@dataclass(frozen=True, slots=True)
class Gloss:
    """One sign by its name, with the markers of face and head that accompany it."""

    sign: str
    markers: tuple[Marker, ...] = ()

    def __str__(self) -> str:
        """The gloss as linguists write it: `RAIN[negated,possible]`."""
        return self.sign.upper() + (f"[{','.join(self.markers)}]" if self.markers else "")


def glosses(meaning: Meaning, order: Sequence[Part] = TIME_FIRST) -> list[Gloss]:
    """What is signed, in order."""
    parts: dict[Part, list[Gloss]] = {
        "time": [Gloss(meaning.time)],
        "place": [Gloss(meaning.region)],
        "topic": [Gloss(meaning.phenomenon, _markers(meaning))],
        "comment": [Gloss(sign) for sign in _comment(meaning.second)],
    }
    return [gloss for part in order for gloss in parts[part]]


def _markers(meaning: Meaning) -> tuple[Marker, ...]:
    negation: tuple[Marker, ...] = ("negated",) if meaning.negated else ()
    return negation if meaning.likelihood == "certain" else (*negation, meaning.likelihood)


def _comment(second: Temperature | Wind | Contrast | None) -> list[str]:
    match second:
        case None:
            return []
        case Temperature(extreme, degrees):
            return [extreme, *(["minus"] if degrees < 0 else []), *str(abs(degrees))]
        case Wind(direction, strength):
            return [*_compass(direction), f"wind-{strength}"]
        case Contrast(relation, region, phenomenon):
            return [relation, region, phenomenon]
        case _:
            assert_never(second)


def _compass(direction: str) -> list[str]:
    """The signs of a direction: northeast is north and then east."""
    for first in ("north", "south"):
        if direction.startswith(first) and direction != first:
            return [first, direction.removeprefix(first)]
    return [direction]
