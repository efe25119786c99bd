"""Token ids in SONAR's conventions: `[lang] X </s>` for the encoder and, shifted by `</s>`, for the decoder.

transformers' NLLB tokenizer keeps the current language as state; here a batch may mix languages, so the language
token and `</s>` are added per row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

MAX_TOKENS = 514
"""SONAR's longest input, language token and `</s>` included; transformers itself would not stop there."""

IGNORED = -100
"""The label of positions that no loss counts."""


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """Right-padded rows of `[lang] X </s>`."""

    ids: Tensor  # (batch, length) int64
    mask: Tensor  # (batch, length) bool, True where there is a token

    def to(self, device: torch.device | str) -> TokenBatch:
        """The same batch on another device."""
        return TokenBatch(self.ids.to(device), self.mask.to(device))

    def rows(self, chosen: slice) -> TokenBatch:
        """Some of the rows."""
        return TokenBatch(self.ids[chosen], self.mask[chosen])

    def __len__(self) -> int:
        return len(self.ids)


class SentenceTokens:
    """Turns sentences of any mix of languages into padded id rows, and rows of ids back into sentences."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.pad: int = tokenizer.pad_token_id
        self.end: int = tokenizer.eos_token_id
        self.truncated = 0  # how many sentences were longer than MAX_TOKENS so far

    def language_id(self, code: str) -> int:
        """The id of a language token; the caller has checked that the space has the language."""
        return int(self.tokenizer.convert_tokens_to_ids(code))

    def rows(self, texts: Sequence[str], languages: Sequence[str]) -> list[list[int]]:
        """One row `[lang] X </s>` per text, cut at MAX_TOKENS."""
        how = {"add_special_tokens": False, "split_special_tokens": True, "verbose": False}  # `</s>` in a text is text
        encoded = self.tokenizer(list(texts), **how)["input_ids"] if texts else []
        rows = []
        for ids, code in zip(encoded, languages, strict=True):
            if len(ids) > MAX_TOKENS - 2:
                self.truncated += 1
                ids = ids[: MAX_TOKENS - 2]
            rows.append([self.language_id(code), *ids, self.end])
        return rows

    def batch(self, texts: Sequence[str], languages: Sequence[str]) -> TokenBatch:
        """A padded batch of sentences."""
        return pad_rows(self.rows(texts, languages), self.pad)

    def text(self, ids: Sequence[Sequence[int]] | Tensor) -> list[str]:
        """Sentences from generated rows; language tokens, `</s>` and padding fall away."""
        decoded: list[str] = self.tokenizer.batch_decode(ids, skip_special_tokens=True)
        return [sentence.strip() for sentence in decoded]


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
