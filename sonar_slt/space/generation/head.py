"""The head over the vocabulary: scores of the next token, for the whole vocabulary or for a shortlist of its rows.

A search works in columns of this head. Scores are made and read a few rows at a time, so that passes over the
vocabulary stay in a CPU's cache; like transformers, everything after the head is in float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

IN_CACHE = 2**19
"""How many scores a CPU turns over at a time: 2 MB."""

BLOCK = 256
"""How many columns of a large vocabulary share one maximum when the best are sought."""


class Head:
    """The rows of `lm_head` that a search may choose from; `ids` is None for all, else sorted (columns,)."""

    def __init__(self, model: Any, ids: Tensor | None = None) -> None:
        self._head, self._ids = model.lm_head, ids
        self.end, self.width = int(model.config.eos_token_id), int(model.config.vocab_size)
        if ids is not None:
            self._weight = model.lm_head.weight[ids]  # (columns, dim)
            self._columns = torch.full((model.config.vocab_size,), -1, device=ids.device)
            self._columns[ids] = torch.arange(len(ids), device=ids.device)
            self.end, self.width = int(self._columns[self.end]), len(ids)

    def logits(self, states: Tensor) -> Tensor:
        """(rows, dim) -> (rows, columns)."""
        scores: Tensor = self._head(states) if self._ids is None else functional.linear(states, self._weight)
        return scores

    def ids(self, columns: Tensor) -> Tensor:
        """The token ids of columns."""
        return columns if self._ids is None else self._ids[columns]

    def columns(self, ids: Tensor) -> Tensor:
        """The columns of token ids, all of which the head must have."""
        return ids if self._ids is None else self._columns[ids]


def few_rows(logits: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Rows of logits in float32, as many at a time as stay in a CPU's cache, or all of them on another device."""
    step = max(1, IN_CACHE // logits.shape[1]) if logits.device.type == "cpu" else len(logits)
    for start in range(0, len(logits), step):
        part = slice(start, start + step)
        yield part, logits[part].float()


def best(scores: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The highest scores of each row, highest first, and their columns: both (rows, count).

    Equal to `topk`, which on a CPU copies the whole row: over a large vocabulary only blocks with a high maximum
    are looked into.
    """
    rows, width = scores.shape
    blocks = width // BLOCK
    if blocks < 4 * count:
        found = scores.topk(count, dim=1)
        return found.values, found.indices
    body = scores[:, : blocks * BLOCK].view(rows, blocks, BLOCK)
    chosen = body.amax(dim=2).topk(count, dim=1).indices.sort(dim=1).values.unsqueeze(2)  # (rows, count, 1)
    inside = body.gather(1, chosen.expand(rows, count, BLOCK)).flatten(1)
    columns = (chosen * BLOCK + torch.arange(BLOCK, device=scores.device)).flatten(1)
    rest = torch.arange(blocks * BLOCK, width, device=scores.device).expand(rows, -1)
    found = torch.cat([inside, scores[:, blocks * BLOCK :]], dim=1).topk(count, dim=1)
    return found.values, torch.cat([columns, rest], dim=1).gather(1, found.indices)
