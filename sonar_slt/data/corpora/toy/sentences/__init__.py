"""The sentences of the toy world: one module per language, each a few tables and two to four whole-sentence patterns.

Every sentence of a meaning is a valid reference, every slot can be read back from every sentence, and no two meanings
share one. A new language is one module with a `GRAMMAR`, named by its code.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sonar_slt.data.corpora.toy.meaning import Contrast, Meaning, Temperature, Wind
from sonar_slt.data.corpora.toy.sentences.grammar import Clause, Grammar
from sonar_slt.errors import UserError

LANGUAGES: tuple[str, ...] = tuple(
    path.stem
    for path in sorted(Path(__file__).parent.glob("*.py"))
    if re.fullmatch(r"[a-z]{3}_[A-Z][a-z]{3}", path.stem)
)


def render(meaning: Meaning, language: str) -> list[str]:
    """All valid sentences of a meaning, always in the same order: one per way of the language."""
    said = meaning.time, meaning.region, meaning.phenomenon, meaning.likelihood, meaning.negated
    endings = _endings(language, meaning.second)
    return [f"{main}{ending}" for main, ending in zip(_main(language, said), endings, strict=True)]


@cache
def grammar_of(language: str) -> Grammar:
    """The words and ways of a language."""
    if language not in LANGUAGES:
        raise UserError(
            f"The toy world has no sentences in {language!r}, only in {', '.join(LANGUAGES)} "
            "(`python -m sonar_slt.languages` names them)."
        )
    grammar: Grammar = importlib.import_module(f"{__name__}.{language}").GRAMMAR
    return grammar


# Each half of a sentence is made once: a language has 6,000 main clauses and 317 endings, and training draws far more.


@cache
def _main(language: str, said: tuple[Any, Any, Any, Any, bool]) -> list[str]:
    """The main clause in each way, with a capital; none begins with the Turkish i."""
    meaning = Meaning(*said, None)
    clauses = [(denies if meaning.negated else says)(meaning) for says, denies, _ in _ways(language)]
    return [f"{clause[0].upper()}{clause[1:]}" for clause in clauses]


@cache
def _endings(language: str, second: Temperature | Wind | Contrast | None) -> list[str]:
    """What follows it in each way."""
    return [f"{endings[type(second)](second)}." for _, _, endings in _ways(language)]


@cache
def _ways(language: str) -> list[tuple[Clause, Clause, Mapping[type, Clause]]]:
    """For each way its main clause, that one negated, and its ending by the kind of second clause."""
    clause = grammar_of(language).clause
    return [
        (
            clause(way.says),
            clause(way.denies or way.says),
            {
                type(None): lambda _: "",
                Temperature: clause(way.ending.temperature),
                Wind: clause(way.ending.wind),
                Contrast: clause(way.ending.contrast),
            },
        )
        for way in grammar_of(language).ways
    ]
