"""Token ids in SONAR's conventions: `[lang] X </s>` for the encoder and, shifted by `</s>`, for the decoder.

transformers' NLLB tokenizer keeps the current language as state; here a batch may mix languages, so the language
token and `</s>` are added per row.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

MAX_TOKENS = 514
"""SONAR's longest input, language token and `</s>` included; transformers itself would not stop there."""

SLICE = 256
"""How many sentences are tokenised at once where there are very many: more take more memory, and no less time."""

IGNORED = -100
"""The label of positions that no loss counts."""

CONTROL_TOKENS = ("<s>", "<pad>", "</s>", "<unk>")
"""The tokens of the first four rows, in the order of fairseq and transformers."""


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """Right-padded rows of `[lang] X </s>`."""

    ids: Tensor  # (batch, length) int64
    mask: Tensor  # (batch, length) bool, True where there is a token

    def to(self, device: torch.device | str) -> TokenBatch:
        """The same batch on another device."""
        return TokenBatch(self.ids.to(device), self.mask.to(device))

    def rows(self, chosen: slice | Tensor) -> TokenBatch:
        """Some of the rows: a part of them, or by a mask or by numbers."""
        return TokenBatch(self.ids[chosen], self.mask[chosen])

    def __len__(self) -> int:
        return len(self.ids)


class SentenceTokens:
    """Turns sentences of any mix of languages into padded id rows, and rows of ids back into sentences."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.pad: int = tokenizer.pad_token_id
        self.end: int = tokenizer.eos_token_id
        self.truncated = 0  # how many sentences `rows` has cut so far, as often as it was given them

    def language_id(self, code: str) -> int:
        """The id of a language token; the caller has checked that the space has the language."""
        return int(self.tokenizer.convert_tokens_to_ids(code))

    def described(self) -> str:
        """Everything that decides how text becomes tokens, as text."""
        backend = getattr(self.tokenizer, "backend_tokenizer", None)
        if backend is None:  # a tokenizer in Python alone: its words, and the class that splits into them
            return json.dumps([type(self.tokenizer).__name__, sorted(self.tokenizer.get_vocab().items())])
        said = json.loads(backend.to_str())
        return json.dumps({name: part for name, part in said.items() if name not in ("truncation", "padding")})

    def rows(self, texts: Sequence[str], languages: Sequence[str]) -> list[list[int]]:
        """One row `[lang] X </s>` per text, cut at MAX_TOKENS."""
        words = self._words(texts)
        self.truncated += sum(len(ids) > MAX_TOKENS - 2 for ids in words)
        return self._framed(words, languages)

    def flat_rows(self, texts: Sequence[str], languages: Sequence[str]) -> FlatRows:
        """The same rows of very many texts, kept small; whoever encodes the texts counts those that are cut."""
        slices = (slice(start, start + SLICE) for start in range(0, len(texts), SLICE))
        return FlatRows(self._framed(self._words(texts[part]), languages[part]) for part in slices)

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """How many tokens the rows of texts have."""
        return [min(len(ids) + 2, MAX_TOKENS) for ids in self._words(texts)]

    def batch(self, texts: Sequence[str], languages: Sequence[str]) -> TokenBatch:
        """A padded batch of sentences."""
        return pad_rows(self.rows(texts, languages), self.pad)

    def text(self, ids: Sequence[Sequence[int]] | Tensor) -> list[str]:
        """Sentences from generated rows; language tokens, `</s>` and padding fall away."""
        decoded: list[str] = self.tokenizer.batch_decode(ids, skip_special_tokens=True)
        return [sentence.strip() for sentence in decoded]

    def _words(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of the texts alone."""
        how = {"add_special_tokens": False, "split_special_tokens": True, "verbose": False}  # `</s>` in a text is text
        words: list[list[int]] = self.tokenizer(list(texts), **how)["input_ids"] if texts else []
        return words

    def _framed(self, words: Sequence[Sequence[int]], languages: Sequence[str]) -> list[list[int]]:
        return [
            [self.language_id(code), *ids[: MAX_TOKENS - 2], self.end]
            for ids, code in zip(words, languages, strict=True)
        ]


class FlatRows:
    """Rows of ids in one array of four bytes each, and where each row begins: a row is a list once it is asked for."""

    def __init__(self, parts: Iterable[Sequence[Sequence[int]]]) -> None:
        ids, borders = array("i"), array("q", [0])
        for row in chain.from_iterable(parts):
            ids.extend(row)
            borders.append(len(ids))
        self._ids, self._borders = np.asarray(ids), np.asarray(borders)

    def __len__(self) -> int:
        return len(self._borders) - 1

    def __getitem__(self, number: int) -> list[int]:
        number = range(len(self))[number]
        row: list[int] = self._ids[self._borders[number] : self._borders[number + 1]].tolist()
        return row


def pad_rows(rows: Sequence[Sequence[int]], pad: int) -> TokenBatch:
    """Right-pad rows of ids to the longest."""
    longest = max((len(row) for row in rows), default=0)
    ids = torch.full((len(rows), longest), pad, dtype=torch.long)
    mask = torch.zeros((len(rows), longest), dtype=torch.bool)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
        mask[i, : len(row)] = True
    return TokenBatch(ids, mask)


def by_length(rows: Sequence[Sequence[int]], batch_tokens: int) -> list[list[int]]:
    """Indices in batches of similar length whose padded size stays within the token budget, longest first."""
    batches: list[list[int]] = []
    batch: list[int] = []
    for i in sorted(range(len(rows)), key=lambda i: -len(rows[i])):
        if batch and len(rows[batch[0]]) * (len(batch) + 1) > batch_tokens:
            batches.append(batch)
            batch = []
        batch.append(i)
    return [*batches, batch] if batch else batches


def stack(parts: Sequence[TokenBatch], pad: int) -> TokenBatch:
    """The rows of several batches in one, padded to the longest."""
    longest = max(part.ids.shape[1] for part in parts)
    ids = [functional.pad(part.ids, (0, longest - part.ids.shape[1]), value=pad) for part in parts]
    masks = [functional.pad(part.mask, (0, longest - part.mask.shape[1]), value=False) for part in parts]
    return TokenBatch(torch.cat(ids), torch.cat(masks))


def decoder_inputs(tokens: TokenBatch, end: int) -> Tensor:
    """`</s> [lang] X`: what the decoder reads while it learns to say `[lang] X </s>`.

    Shape (batch, length). Padding stands on the right, where no real position can see it.
    """
    start = torch.full_like(tokens.ids[:, :1], end)
    return torch.cat([start, tokens.ids[:, :-1]], dim=1)
