"""What may go into a space: sentences that say something, languages that it has, vectors of its width.

Each wrong input is answered by one sentence before anything is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from sonar_slt.errors import UserError
from sonar_slt.languages import LANGUAGES, nearest


def sentences(texts: Sequence[str]) -> Sequence[str]:
    """The texts, if they are what they should be: a list of sentences that say something."""
    if isinstance(texts, str):
        raise UserError(f"One text, not a list: give [{texts[:40]!r}].")
    if not len(texts):
        raise UserError("No sentences were given: the list is empty.")
    for i, text in enumerate(texts):
        if not isinstance(text, str) or not text.strip():
            what = "empty" if isinstance(text, str) else f"no text but {type(text).__name__}"
            raise UserError(f"Sentence number {i} of {len(texts)} is {what}.")
    return texts


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
        if code not in languages:
            near = [found.code for found in nearest(code) if found.code in languages]
            meant = f" did you mean {' or '.join(near)}?" if near else ""
            known = ", ".join(languages) if len(languages) <= 12 else f"{len(languages)} languages"
            raise UserError(
                f"The space '{name}' has no language '{code}':{meant} It has {known}; "
                "`python -m sonar_slt.languages` names all languages."
            )


def require_vectors(vectors: Tensor, dim: int) -> None:
    """Refuse vectors of another width, and any number that is none."""
    if vectors.ndim != 2 or vectors.shape[1] != dim or not len(vectors):
        raise UserError(f"Vectors of shape {tuple(vectors.shape)}: this space needs (N, {dim}), N at least 1.")
    if not torch.isfinite(vectors).all():
        bad = (~torch.isfinite(vectors).all(dim=1)).nonzero().flatten().tolist()
        raise UserError(
            f"{len(bad)} of {len(vectors)} vectors hold NaN or infinity, the first is number {bad[0]}; "
            "nothing was decoded."
        )
