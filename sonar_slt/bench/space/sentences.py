"""What the measurements are made on: sentences of random tokens, whose lengths are those of real ones."""

from __future__ import annotations

import torch
from torch import Tensor

from sonar_slt.space import SentenceSpace
from sonar_slt.space.tokens import TokenBatch, pad_rows

SHORTEST, LONGEST = 5, 60


def lengths(count: int, *, seed: int = 0) -> Tensor:
    """Lengths (count,) from 5 to 60 tokens, evenly spread and shuffled."""
    spread = torch.linspace(SHORTEST, LONGEST, count).round().long()
    return spread[torch.randperm(count, generator=torch.Generator().manual_seed(seed))]


def random_rows(space: SentenceSpace, count: int, *, seed: int = 0) -> list[list[int]]:
    """Rows `[lang] X </s>` of random words."""
    generator = torch.Generator().manual_seed(seed)
    language = space.tokens.language_id(space.languages[0])
    words = space.model.config.vocab_size - len(space.languages)
    return [
        [language, *torch.randint(4, words, (int(size) - 2,), generator=generator).tolist(), space.tokens.end]
        for size in lengths(count, seed=seed)
    ]


def random_batch(space: SentenceSpace, count: int, *, seed: int = 0) -> TokenBatch:
    """The same as one padded batch."""
    return pad_rows(random_rows(space, count, seed=seed), space.tokens.pad).to(space.device)


def random_vectors(space: SentenceSpace, count: int, *, seed: int = 0) -> Tensor:
    """Vectors (count, dim) of normal numbers."""
    vectors = torch.randn(count, space.dim, generator=torch.Generator().manual_seed(seed))
    return vectors.to(space.device, space.model.dtype)
