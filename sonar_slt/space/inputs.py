"""What may go into a space: sentences that say something, languages that it has, vectors of its width.

Each wrong input is answered by one sentence before anything is computed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from sonar_slt.errors import UserError
from sonar_slt.languages import LANGUAGES, nearest

SURROGATES = re.compile("[\\ud800-\\udfff]")
"""Halves of characters, which json can hold and no encoding can write."""


def sentences(texts: Sequence[str]) -> Sequence[str]:
    """The texts, if they are what they should be: a list of sentences that say something."""
    if isinstance(texts, str):
        raise UserError(f"One text, not a list: give [{texts[:40]!r}].")
    if not isinstance(texts, Sequence):
        raise UserError(f"Sentences are given as a list of str, not as {type(texts).__name__}.")
    if not len(texts):
        raise UserError("No sentences were given: the list is empty.")
    for i, text in enumerate(texts):
        if fault := _fault(text):
            raise UserError(f"Sentence number {i} of {len(texts)} is {fault}.")
    return texts


def _fault(text: object) -> str | None:
    if not isinstance(text, str):
        return f"no text but {type(text).__name__}"
    if not text.strip():
        return "empty"
    return None if text.isascii() or not SURROGATES.search(text) else "no valid text: it holds half a character"


def require_room(tokenizer: Any, rows: int, name: str) -> None:
    """Refuse a tokenizer with tokens that the table of word vectors has no row for."""
    highest = max(tokenizer.get_vocab().values())
    if highest >= rows:
        raise UserError(
            f"The tokenizer of '{name}' has tokens up to number {highest:,}, and the model has word vectors up to "
            f"{rows - 1:,}: they do not belong together."
        )


def languages_of(tokenizer: Any, name: str) -> tuple[str, ...]:
    """The languages that a tokenizer has tokens of."""
    vocabulary = tokenizer.get_vocab()
    languages = tuple(code for code in LANGUAGES if code in vocabulary)
    if not languages:
        raise UserError(
            f"The tokenizer of '{name}' has no language tokens such as deu_Latn; it cannot name a language."
        )
    return languages


def require_languages(codes: Sequence[str], languages: Sequence[str], name: str) -> None:
    """Refuse languages that the space of this name lacks."""
    for code in dict.fromkeys(codes):
        if not isinstance(code, str):
            raise UserError(f"A language is a code such as deu_Latn, not {code!r}.")
        if code not in languages:
            near = [found.code for found in nearest(code) if found.code in languages]
            meant = f": did you mean {' or '.join(near)}?" if near else "."
            known = ", ".join(languages) if len(languages) <= 12 else f"{len(languages)} languages"
            raise UserError(
                f"The space '{name}' has no language '{code}'{meant} It has {known}; "
                "`python -m sonar_slt.languages` names all languages."
            )


def require_vectors(vectors: Tensor, dim: int) -> None:
    """Refuse vectors of another width, and any number that is none."""
    if not isinstance(vectors, Tensor):
        raise UserError(f"Vectors are a torch tensor of shape (N, {dim}), not {type(vectors).__name__}.")
    if not vectors.is_floating_point():
        raise UserError(f"Vectors are floating-point numbers, not {vectors.dtype}.")
    if vectors.ndim != 2 or vectors.shape[1] != dim or not len(vectors):
        raise UserError(f"Vectors of shape {tuple(vectors.shape)}: this space needs (N, {dim}), N at least 1.")
    if not torch.isfinite(vectors).all():
        bad = (~torch.isfinite(vectors).all(dim=1)).nonzero().flatten().tolist()
        raise UserError(
            f"{len(bad)} of {len(vectors)} vectors hold NaN or infinity, the first is number {bad[0]}; "
            "nothing was computed."
        )
