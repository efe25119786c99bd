"""Where the teacher's vectors lie: their mean and their spread, at which an adapter starts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from sonar_slt.space.cache import CachedVectors

MEASURED = 2**16
"""How many vectors at most a mean is taken of: its standard error is then 0.4 % of their spread."""

BLOCK = 4096
"""How many of them are in memory at once."""


def mean_and_spread(vectors: Tensor | CachedVectors) -> Mapping[str, Tensor]:
    """Where teacher vectors lie on average, and how far from it, per dimension: where an adapter starts.

    Of many vectors some are drawn, always the same, and read in their order, block by block.
    """
    drawn = np.arange(len(vectors))
    if len(drawn) > MEASURED:  # every so many-th would often be of one language: a clip's sentences follow each other
        drawn = np.sort(np.random.default_rng(0).choice(drawn, MEASURED, replace=False))
    number, mean, squares = 0, torch.zeros(()), torch.zeros(())
    for start in range(0, len(drawn), BLOCK):
        block = vectors[torch.from_numpy(drawn[start : start + BLOCK])].double()
        number += len(block)
        before, mean = mean, mean + (block - mean).sum(dim=0) / number
        squares = squares + ((block - before) * (block - mean)).sum(dim=0)
    return {"vector_mean": mean.float(), "vector_std": (squares / max(1, number - 1)).sqrt().float().clamp_min(1e-8)}
