"""How a meaning becomes sentences in any language: words for its slots, and patterns of sentences that they stand in.

A language gives both as data, so that its module reads as the language does; the same words serve to read it back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sonar_slt.data.corpora.toy.meaning import (
    Direction,
    Extreme,
    Likelihood,
    Phenomenon,
    Region,
    Relation,
    Strength,
    Time,
)

Clause = Callable[[Any], str]
"""What is said of a meaning, or of its second clause."""
NAME = re.compile(r"{(\w+)}")
"""A word's name in a pattern."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Patterns of the second clause by its kind; slots in braces are those of the second clause."""

    temperature: str
    wind: str
    contrast: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to say a forecast: patterns of the main clause, and what follows it."""

    says: str
    denies: str = ""
    """How it is negated; "" where the verb does that by itself."""
    ending: Ending


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grammar:
    """One language. Words that are "" at times bring their own space or comma along."""

    time: Mapping[Time, str]
    region: Mapping[Region, str]
    phenomenon: Mapping[Phenomenon, str]
    likelihood: Mapping[Likelihood, str]
    relation: Mapping[Relation, str]
    direction: Mapping[Direction, str]
    strength: Mapping[Strength, str]
    extreme: Mapping[Extreme, str]
    forms: Mapping[str, tuple[str, Mapping[Any, str]]] = field(default_factory=dict)
    """Further forms by name: the slot, and its words where they differ from those above."""
    verbs: Mapping[str, Mapping[tuple[bool, bool], str]] = field(default_factory=dict)
    """Verbs by name, where they say whether the phenomenon is merely possible, and whether it is negated."""
    agreement: Mapping[str, Clause] = field(default_factory=dict)
    """Words by name that only go with those of a clause, as articles do."""
    below: str
    """The word before a number below zero."""
    unit: Callable[[int], str]
    """`degrees` as it goes with a number that is not negative."""
    ways: Sequence[Way]
    negation: Sequence[str] = ()
    """For reading alone, as what follows: words that negate."""
    of_temperature: Sequence[str] = ()
    """Words that only a clause about the temperature has, apart from the unit."""
    of_wind: Sequence[str]

    def clause(self, pattern: str) -> Clause:
        """A pattern as a function of the clause that its slots are taken from."""
        text, words = NAME.sub("%s", pattern), [self._word(name) for name in NAME.findall(pattern)]
        return lambda clause: text % tuple([word(clause) for word in words])

    def _word(self, name: str) -> Clause:
        """What stands for a name in braces."""
        if name in self.agreement:
            return self.agreement[name]
        if name in self.verbs:
            verbs = self.verbs[name]
            return lambda clause: verbs[clause.likelihood == "possible", clause.negated]
        if name == "degrees":
            return lambda clause: self._temperature(clause.degrees)
        slot, differing = self.forms.get(name, (name, {}))
        words: Mapping[Any, str] = {**getattr(self, slot), **differing}
        return lambda clause: words[getattr(clause, slot)]

    def _temperature(self, degrees: int) -> str:
        sign = f"{self.below} " if degrees < 0 else ""
        return f"{sign}{abs(degrees)} {self.unit(abs(degrees))}"
