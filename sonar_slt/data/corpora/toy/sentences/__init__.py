"""The sentences of the toy world: one module per language, each a few tables and two to four whole-sentence templates.

Every sentence of a meaning is a valid reference, every slot can be read back from every sentence, and no two meanings
share one. A new language is one module with a function `sentences`, named by its code.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from sonar_slt.data.corpora.toy.meaning import Meaning
from sonar_slt.errors import UserError

Templates = Callable[[Meaning], list[str]]

LANGUAGES: tuple[str, ...] = tuple(
    path.stem
    for path in sorted(Path(__file__).parent.glob("*.py"))
    if re.fullmatch(r"[a-z]{3}_[A-Z][a-z]{3}", path.stem)
)


def render(meaning: Meaning, language: str) -> list[str]:
    """All valid sentences of a meaning, always in the same order: one per template of the language."""
    return _templates(language)(meaning)


@cache
def _templates(language: str) -> Templates:
    if language not in LANGUAGES:
        raise UserError(
            f"The toy world has no sentences in {language!r}, only in {', '.join(LANGUAGES)} "
            "(`python -m sonar_slt.languages` names them)."
        )
    templates: Templates = importlib.import_module(f"{__name__}.{language}").sentences
    return templates
