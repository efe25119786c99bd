"""Sentences to vectors: sorted by length and batched by tokens, against the loop of SONAR's model card.

The plain way takes the sentences as they come, 32 at a time, pads each batch to its longest and pools by a mask.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sonar_slt.bench.sentences import random_rows
from sonar_slt.bench.timing import Comparison, Machine, Work, compare
from sonar_slt.space import SentenceSpace
from sonar_slt.space.tokens import pad_rows

TOGETHER = 32


def bench_encoding(space: SentenceSpace, machine: Machine, *, count: int, rounds: int) -> Comparison:
    """Sentences of 5 to 60 tokens; both ways must give the same vectors."""
    rows = random_rows(space, count)
    off = float((plain_encoding(space, rows) - space.encode_rows(rows)).abs().max())
    tokens = sum(len(row) for row in rows)
    weights = sum(w.numel() for name, w in space.model.model.encoder.named_parameters() if "layers" in name)
    return compare(
        f"encode {count} sentences",
        lambda: plain_encoding(space, rows),
        lambda: space.encode_rows(rows),
        rounds=rounds,
        limit=machine.limit(Work(2.0 * weights * tokens)),
        warm_up=False,
        note=f"largest difference {off:.1e}",
    )


@torch.inference_mode()
def plain_encoding(space: SentenceSpace, rows: list[list[int]]) -> Tensor:
    """Vectors (N, dim) the plain way."""
    parts = []
    for start in range(0, len(rows), TOGETHER):
        tokens = pad_rows(rows[start : start + TOGETHER], space.tokens.pad).to(space.device)
        states = space.model.model.encoder(input_ids=tokens.ids, attention_mask=tokens.mask.long())[0]
        mask = tokens.mask.unsqueeze(-1).to(states.dtype)
        parts.append((states * mask).sum(1) / mask.sum(1))
    return torch.cat(parts)
