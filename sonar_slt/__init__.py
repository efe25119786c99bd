"""sonar-slt: students of one frozen space of sentence vectors, from sign language to text in any language."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sonar_slt.space.sentence_space import SentenceSpace

__all__ = ["SentenceSpace"]

_HOMES = {"SentenceSpace": "sonar_slt.space.sentence_space"}


def __getattr__(name: str) -> Any:
    """Public names are imported when they are first asked for: the command line answers without torch."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'sonar_slt' has no attribute '{name}'")
