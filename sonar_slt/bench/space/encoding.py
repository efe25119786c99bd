"""Sentences to vectors: sorted by length and batched by tokens, against the loop of SONAR's model card.

The plain way takes the sentences as they come, 32 at a time, pads each batch to its longest and pools by a mask.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sonar_slt.bench.space.sentences import random_rows
from sonar_slt.bench.timing import Machine, Ways, Work
from sonar_slt.space import SentenceSpace
from sonar_slt.space.tokens import TokenBatch, pad_rows

TOGETHER = 32


def encoding(space: SentenceSpace, machine: Machine, *, count: int) -> Ways:
    """Sentences of 5 to 60 tokens; both ways must give the same vectors."""
    rows, found = random_rows(space, count), dict[str, Tensor]()
    tokens = sum(len(row) for row in rows)
    weights = sum(w.numel() for name, w in space.model.model.encoder.named_parameters() if "layers" in name)

    def plain() -> None:
        found["plain"] = plain_encoding(space, rows)

    def ours() -> None:
        found["ours"] = space.encode_rows(rows)

    def agreement() -> str:
        return f"largest difference {float((found['plain'] - found['ours']).abs().max()):.1e}"

    limit = machine.limit(Work(2.0 * weights * tokens))
    return Ways(f"encode {count} sentences", plain, ours, limit, agreement)


@torch.inference_mode()
def plain_encoding(space: SentenceSpace, rows: list[list[int]]) -> Tensor:
    """Vectors (N, dim) the plain way."""
    parts = [pad_rows(rows[start : start + TOGETHER], space.tokens.pad) for start in range(0, len(rows), TOGETHER)]
    return torch.cat([plainly_encoded(space, part.to(space.device)) for part in parts])


def plainly_encoded(space: SentenceSpace, tokens: TokenBatch) -> Tensor:
    """Vectors (batch, dim) of one padded batch, by transformers' own pass."""
    states = space.model.model.encoder(input_ids=tokens.ids, attention_mask=tokens.mask.long())[0]
    mask = tokens.mask.unsqueeze(-1).to(states.dtype)
    vectors: Tensor = (states * mask).sum(1) / mask.sum(1)
    return vectors
