"""Shortlists of the vocabulary, one per language: decoding scores these tokens only and is faster for it.

A token that is not on its language's list cannot be said, so what a list leaves out is lost; none is used by default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import torch
from torch import Tensor

from sonar_slt.errors import UserError
from sonar_slt.space.inputs import sentences
from sonar_slt.space.tokens import SentenceTokens


class Spoken(Protocol):
    """What a shortlist is made for: a space, by its tokens and its languages."""

    tokens: SentenceTokens

    def require(self, codes: Sequence[str]) -> None:
        """Refuse languages that it lacks."""


@dataclass(frozen=True, slots=True)
class Shortlist:
    """Sorted token ids by the id of a language token; a language without a list uses the whole vocabulary."""

    lists: Mapping[int, Tensor]

    @classmethod
    def of_texts(cls, space: Spoken, texts_by_language: Mapping[str, Sequence[str]]) -> Self:
        """For each language code the tokens of these texts, the control tokens and that language's own."""
        space.require(list(texts_by_language))  # of an unknown one, the list would silently never be used
        control = {token for token in _control_ids(space.tokens) if token is not None}
        lists: dict[int, Tensor] = {}
        for code, texts in texts_by_language.items():
            if not len(texts):
                raise UserError(f"No texts for the shortlist of '{code}': expected texts of the kind to be decoded.")
            language = space.tokens.language_id(code)
            ids = control.union([language], *space.tokens.rows(sentences(texts), [code] * len(texts)))
            lists[language] = torch.tensor(sorted(ids))
        return cls(lists)

    def ids(self, language: int) -> Tensor | None:
        """The ids (words,) that may follow this language token, sorted, or None for all."""
        return self.lists.get(language)


def _control_ids(tokens: SentenceTokens) -> list[int | None]:
    tokenizer = tokens.tokenizer
    return [tokenizer.bos_token_id, tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id]
