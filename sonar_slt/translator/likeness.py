"""How near a translation lies to its sentence in a space: a cosine, by which bad ones can be found.

All sentences of a corpus share one direction, that of its topic, and a plain cosine says mostly that. So the mean of
the corpus' own sentences is taken from both vectors first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from sonar_slt.space.cache import CachedVectors, VectorCache

BLOCK = 4096
"""So many vectors are read from disk at a time."""


class Likeness:
    """Compares translations with sentences of one corpus, whose vectors the cache keeps for the training to come."""

    def __init__(self, *, cache: VectorCache, sentences: Sequence[str], source: str) -> None:
        self.cache, self.source = cache, source
        vectors = cache.vectors(sentences, source)
        parts = [block.double().sum(dim=0) for block in _blocks(vectors)]
        self.centre = (torch.stack(parts).sum(dim=0) / len(vectors)).float()  # (dim,)

    def of(self, said: Mapping[str, str], target: str) -> dict[str, float]:
        """The cosine of each sentence and its translation, by the sentence."""
        ours = _blocks(self.cache.vectors(list(said), self.source))
        theirs = _blocks(self.cache.vectors(list(said.values()), target))
        pairs = zip(ours, theirs, strict=True)
        found = [functional.cosine_similarity(a - self.centre, b - self.centre) for a, b in pairs]
        return dict(zip(said, torch.cat(found).tolist() if found else [], strict=True))


def _blocks(vectors: CachedVectors) -> Iterator[Tensor]:
    return (vectors[slice(start, start + BLOCK)] for start in range(0, len(vectors), BLOCK))
