"""Toy sentences read back: what a sentence says, slot by slot, also where it is wrong, cut short or no sentence at all.

Phrases come from the tables that write the sentences, so that whatever they render is read back exactly. A slot that a
sentence leaves out, or about which it contradicts itself, is None.
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
from sonar_slt.data.corpora.toy.sentences import LANGUAGES, deu_Latn, eng_Latn, fra_Latn, rus_Cyrl, spa_Latn, tur_Latn
from sonar_slt.errors import UserError

Second = Literal["none", "temperature", "wind", "contrast"]
Phrase = tuple[str, ...]
Mention = tuple[str, Any]  # a slot and a value
Table = tuple[str, Mapping[Any, str]]  # a slot, and how each of its values is written

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
KIND: Mapping[str, Second] = {slot: kind for kind, slots in PARTS.items() for slot in slots if slot != "relation"}
"""What kind of clause a slot speaks for; a relation does not, for `and` also joins temperatures and winds."""
UNMARKED: Mapping[str, Any] = {"likelihood": "certain", "negated": False, "second": "none"}
"""Values that no word stands for: a forecast is certain, holds and has one clause unless it says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """How one language writes the slots; the tables are those that its sentences are made with."""

    tables: Sequence[Table]
    negation: Sequence[str]
    below: str  # the word before a number below zero
    temperature: Sequence[str]  # words that only a clause about the temperature has
    wind: Sequence[str]
    verbs: Mapping[str, tuple[bool, bool]] | None = None  # a verb form: whether merely possible, whether negated

    def phrases(self) -> dict[Phrase, list[Mention]]:
        """Every phrase, and what is said by it."""
        found: dict[Phrase, list[Mention]] = {
            tuple(words(text)): [(slot, value)] for slot, table in self.tables for value, text in table.items() if text
        }
        found |= {phrase: mentions for phrase, mentions in _bare(found).items() if phrase not in found}
        for kind, told in (("temperature", self.temperature), ("wind", self.wind)):
            found |= {tuple(words(text)): [("second", kind)] for text in told}
        found |= {tuple(words(text)): [("negated", True)] for text in self.negation}
        for verb, (possible, negated) in (self.verbs or {}).items():
            found[tuple(words(verb))] = [("negated", negated), *([("likelihood", "possible")] if possible else [])]
        return found


def _bare(phrases: Mapping[Phrase, list[Mention]]) -> dict[Phrase, list[Mention]]:
    """Single words that occur in the phrases of one value alone: `Küste` says where even without `an der`."""
    said: dict[str, set[Mention]] = {}
    for phrase, mentions in phrases.items():
        for word in phrase:
            said.setdefault(word, set()).update(mentions)
    return {(word,): list(values) for word, values in said.items() if len(values) == 1 and len(word) >= BARE}


def _after(preposition: str, table: Mapping[Any, str]) -> dict[Any, str]:
    return {value: f"{preposition} {text}" for value, text in table.items()}


def _last(table: Mapping[Any, str]) -> dict[Any, str]:
    return {value: text.split()[-1] for value, text in table.items()}


VOCABULARIES: Mapping[str, Vocabulary] = {
    "deu_Latn": Vocabulary(
        tables=(
            ("time", deu_Latn.TIME), ("region", deu_Latn.REGION), ("phenomenon", deu_Latn.PHENOMENON),
            ("phenomenon", deu_Latn.DATIVE), ("likelihood", deu_Latn.LIKELIHOOD), ("relation", deu_Latn.RELATION),
            ("direction", _after("aus", deu_Latn.DIRECTION)), ("strength", deu_Latn.STRENGTH),
            ("extreme", deu_Latn.VALUES), ("extreme", deu_Latn.LIMIT),
        ),
        negation=("nicht", "kein", "keine", "keinen"), below="minus", temperature=("Grad",), wind=("Wind", "weht"),
    ),
    "eng_Latn": Vocabulary(
        tables=(
            ("time", eng_Latn.TIME), ("region", eng_Latn.REGION), ("phenomenon", eng_Latn.PHENOMENON),
            ("likelihood", eng_Latn.LIKELIHOOD), ("relation", {"but": "but", "and": "and"}),
            ("direction", _after("from the", eng_Latn.DIRECTION)), ("strength", eng_Latn.STRENGTH),
            ("extreme", eng_Latn.BOUND), ("extreme", eng_Latn.SUPERLATIVE),
        ),
        negation=("no", "not"), below="minus", temperature=("temperature", "degree", "degrees"), wind=("wind", "blow"),
    ),
    "fra_Latn": Vocabulary(
        tables=(
            ("time", fra_Latn.TIME), ("region", fra_Latn.REGION), ("phenomenon", _last(fra_Latn.PARTITIVE)),
            ("likelihood", fra_Latn.LIKELIHOOD), ("relation", fra_Latn.CONJUNCTION),
            ("direction", fra_Latn.DIRECTION), ("strength", fra_Latn.STRENGTH), ("extreme", fra_Latn.EXTREME),
        ),
        negation=("ne", "n'", "pas"), below="moins", temperature=("degré", "degrés"), wind=("vent", "soufflera"),
    ),
    "rus_Cyrl": Vocabulary(
        tables=(
            ("time", rus_Cyrl.TIME), ("region", rus_Cyrl.REGION), ("phenomenon", rus_Cyrl.NOMINATIVE),
            ("phenomenon", rus_Cyrl.GENITIVE), ("likelihood", rus_Cyrl.LIKELIHOOD),
            ("relation", rus_Cyrl.CONJUNCTION), ("direction", rus_Cyrl.DIRECTION), ("strength", rus_Cyrl.STRENGTH),
            ("extreme", rus_Cyrl.EXTREME),
        ),
        negation=("не", "нет"), below="минус", temperature=("температура", "градус", "градуса", "градусов"),
        wind=("ветер", "подует"),
    ),
    "spa_Latn": Vocabulary(
        tables=(
            ("time", spa_Latn.TIME), ("region", spa_Latn.REGION), ("phenomenon", spa_Latn.PHENOMENON),
            ("likelihood", spa_Latn.LIKELIHOOD), ("relation", spa_Latn.RELATION),
            ("direction", _after("del", spa_Latn.DIRECTION)), ("strength", spa_Latn.STRENGTH),
            ("extreme", spa_Latn.EXTREME),
        ),
        negation=("no",), below="menos", temperature=("temperatura", "grado", "grados"), wind=("viento", "soplará"),
    ),
    "tur_Latn": Vocabulary(
        tables=(
            ("time", tur_Latn.TIME), ("region", tur_Latn.REGION), ("phenomenon", tur_Latn.PHENOMENON),
            ("likelihood", tur_Latn.LIKELIHOOD), ("relation", tur_Latn.RELATION),
            ("direction", tur_Latn.DIRECTION), ("strength", tur_Latn.STRENGTH), ("extreme", tur_Latn.EXTREME),
        ),
        negation=(), below="eksi", temperature=("sıcaklık", "derece"), wind=("rüzgâr", "esecek"),
        verbs={verb: form for table in (tur_Latn.BE, tur_Latn.BE_SEEN) for form, verb in table.items()},
    ),
}  # fmt: skip


def read(text: str, code: str) -> Reading:
    """What `text`, in the language `code`, says of a forecast. Any text may be read, also one that says nothing."""
    said: dict[str, set[Any]] = {slot: set() for slot in SLOTS}
    joined = begun = False  # after a conjunction; after any word of a second clause
    for slot, value in _mentions(words(text), *_vocabulary(code)):
        if slot in ("region", "phenomenon"):
            # Without its conjunction a second clause begins where the first has both and another one comes.
            joined = joined or bool(said["region"] and said["phenomenon"] and value not in said[slot])
            said[f"other_{slot}" if joined else slot].add(value)
        elif slot not in ("likelihood", "negated") or not begun:  # which belong to the main clause only
            said[slot].add(value)
        joined = joined or slot == "relation"
        begun = begun or joined or slot == "second" or slot in KIND
    return _settled(said, verbs=VOCABULARIES[code].verbs is not None)


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
def _vocabulary(code: str) -> tuple[dict[Phrase, list[Mention]], str]:
    if code not in VOCABULARIES:
        raise UserError(f"Toy sentences are read in {', '.join(LANGUAGES)}, not in {code!r}.")
    return VOCABULARIES[code].phrases(), VOCABULARIES[code].below
