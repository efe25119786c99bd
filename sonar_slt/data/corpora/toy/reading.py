"""Toy sentences read back: what a sentence says, slot by slot, also where it is wrong, cut short or no sentence at all.

Phrases come from the words that the sentences are made of, so that whatever is rendered is read back exactly. A slot
that a sentence leaves out, or about which it contradicts itself, is None.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Literal

from sonar_slt.data.corpora.toy.meaning import (
    DEGREES,
    Contrast,
    Direction,
    Extreme,
    Likelihood,
    Meaning,
    Phenomenon,
    Region,
    Relation,
    Strength,
    Temperature,
    Time,
    Wind,
)
from sonar_slt.data.corpora.toy.sentences import LANGUAGES, grammar_of
from sonar_slt.errors import UserError

Second = Literal["none", "temperature", "wind", "contrast"]
Phrase = tuple[str, ...]
Mention = tuple[str, Any]  # a slot and a value

WORD = re.compile(r"(?<![^\W_])[-−]?\d+|[^\W\d_]+")
BARE = 4
"""Letters from which on a word may say a value without the rest of its phrase: shorter ones are articles and such."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a sentence says. None: not said, or contradictory; of a second clause also: not of this kind."""

    time: Time | None = None
    region: Region | None = None
    phenomenon: Phenomenon | None = None
    likelihood: Likelihood | None = None
    negated: bool | None = None
    second: Second | None = None
    relation: Relation | None = None
    other_region: Region | None = None
    other_phenomenon: Phenomenon | None = None
    extreme: Extreme | None = None
    degrees: int | None = None
    direction: Direction | None = None
    strength: Strength | None = None

    @classmethod
    def of(cls, meaning: Meaning) -> Reading:
        """What a sentence says that says all of a meaning."""
        slots: dict[str, Any] = {slot: getattr(meaning, slot) for slot in MAIN}
        match meaning.second:
            case None:
                slots |= {"second": "none"}
            case Temperature(extreme, degrees):
                slots |= {"second": "temperature", "extreme": extreme, "degrees": degrees}
            case Wind(direction, strength):
                slots |= {"second": "wind", "direction": direction, "strength": strength}
            case Contrast(relation, region, phenomenon):
                slots |= {"second": "contrast", "relation": relation}
                slots |= {"other_region": region, "other_phenomenon": phenomenon}
        return cls(**slots)

    @property
    def complete(self) -> bool:
        """Whether every slot of a meaning is said."""
        details = PARTS[self.second] if self.second else ()
        return self.second is not None and all(getattr(self, slot) is not None for slot in (*MAIN, *details))


MAIN = ("time", "region", "phenomenon", "likelihood", "negated")
PARTS: Mapping[Second, tuple[str, ...]] = {
    "none": (),
    "temperature": ("extreme", "degrees"),
    "wind": ("direction", "strength"),
    "contrast": ("relation", "other_region", "other_phenomenon"),
}
"""The slots of each kind of second clause."""
SLOTS: tuple[str, ...] = tuple(field.name for field in fields(Reading))
WORDED = ("time", "region", "phenomenon", "likelihood", "relation", "direction", "strength", "extreme")
"""Slots that a language has a table of words for."""
KIND: Mapping[str, Second] = {slot: kind for kind, slots in PARTS.items() for slot in slots if slot != "relation"}
"""What kind of clause a slot speaks for; a relation does not, for `and` also joins temperatures and winds."""
UNMARKED: Mapping[str, Any] = {"likelihood": "certain", "negated": False, "second": "none"}
"""Values that no word stands for: a forecast is certain, holds and has one clause unless it says otherwise."""


def read(text: str, code: str) -> Reading:
    """What `text`, in the language `code`, says of a forecast. Any text may be read, also one that says nothing."""
    if code not in LANGUAGES:
        raise UserError(f"Toy sentences are read in {', '.join(LANGUAGES)}, not in {code!r}.")
    said: dict[str, set[Any]] = {slot: set() for slot in SLOTS}
    joined = begun = False  # after a conjunction; after any word of a second clause
    for slot, value in _mentions(words(text), _phrases(code), grammar_of(code).below):
        if slot in ("region", "phenomenon"):
            # Without its conjunction a second clause begins where the first has both and another one comes.
            joined = joined or bool(said["region"] and said["phenomenon"] and value not in said[slot])
            said[f"other_{slot}" if joined else slot].add(value)
        elif slot not in ("likelihood", "negated") or not begun:  # which belong to the main clause only
            said[slot].add(value)
        joined = joined or slot == "relation"
        begun = begun or joined or slot == "second" or slot in KIND
    return _settled(said, verbs=bool(grammar_of(code).verbs))


def _settled(said: Mapping[str, set[Any]], *, verbs: bool) -> Reading:
    """A value for each slot that was given one only; what needs no word is said where the rest of its clause is."""
    slots = {slot: next(iter(values)) if len(values) == 1 else None for slot, values in said.items()}
    if said["negated"] if verbs else said["phenomenon"]:
        for slot in ("likelihood", "negated"):
            slots[slot] = slots[slot] if said[slot] else UNMARKED[slot]
    kinds = said["second"] | {KIND[slot] for slot in KIND if said[slot]}
    spoken = any(said[slot] for slot in MAIN) or kinds
    slots["second"] = UNMARKED["second"] if spoken and not kinds else next(iter(kinds)) if len(kinds) == 1 else None
    for slot in {*KIND, "relation"} - set(PARTS[slots["second"]] if slots["second"] else ()):
        slots[slot] = None
    if slots["degrees"] not in DEGREES:
        slots["degrees"] = None
    return Reading(**slots)


def words(text: str) -> list[str]:
    """Words and numbers, without case and punctuation."""
    return WORD.findall(unicodedata.normalize("NFC", text).casefold())


def _mentions(said: Sequence[str], phrases: Mapping[Phrase, list[Mention]], below: str) -> Iterator[Mention]:
    """What the phrases say one after the other; of several that begin with a word the longest counts."""
    longest, at = max(map(len, phrases)), 0
    while at < len(said):
        if said[at][-1].isdecimal():
            yield "degrees", _number(said[at], negative=at > 0 and said[at - 1] == below)
        for size in range(min(longest, len(said) - at), 0, -1):
            if found := phrases.get(tuple(said[at : at + size])):
                yield from found
                at += size - 1
                break
        at += 1


def _number(digits: str, *, negative: bool) -> int:
    """A whole number; one of more than three digits is no temperature whatever it is."""
    value = int(digits.replace("−", "-")) if len(digits) <= 4 else DEGREES.stop
    return -abs(value) if negative else value


@cache
def _phrases(code: str) -> dict[Phrase, list[Mention]]:
    """Every phrase of a language, and what is said by it."""
    grammar = grammar_of(code)
    tables = [*((slot, getattr(grammar, slot)) for slot in WORDED), *grammar.forms.values()]
    found: dict[Phrase, list[Mention]] = {
        tuple(words(text)): [(slot, value)] for slot, table in tables for value, text in table.items() if text
    }
    found |= {phrase: mentions for phrase, mentions in _bare(found).items() if phrase not in found}
    units = {grammar.unit(abs(degrees)) for degrees in DEGREES}
    for kind, told in (("temperature", {*grammar.of_temperature, *units}), ("wind", grammar.of_wind)):
        found |= {tuple(words(text)): [("second", kind)] for text in told}
    found |= {tuple(words(text)): [("negated", True)] for text in grammar.negation}
    for (possible, negated), verb in (form for forms in grammar.verbs.values() for form in forms.items()):
        found[tuple(words(verb))] = [("negated", negated), *([("likelihood", "possible")] if possible else [])]
    return found


def _bare(phrases: Mapping[Phrase, list[Mention]]) -> dict[Phrase, list[Mention]]:
    """Single words that occur in the phrases of one value alone: `Küste` says where even without `an der`."""
    said: dict[str, set[Mention]] = {}
    for phrase, mentions in phrases.items():
        for word in phrase:
            said.setdefault(word, set()).update(mentions)
    return {(word,): list(values) for word, values in said.items() if len(values) == 1 and len(word) >= BARE}
