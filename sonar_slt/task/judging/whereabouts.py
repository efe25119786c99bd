"""Where clips land in the space: which sentences lie next to them, how far their own is, and a map of all.

What training clips say stands beside it: the sentence of the nearest one is what a system without a decoder would say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import torch
from torch import Tensor

from sonar_slt.data.clips import Clips
from sonar_slt.data.manifest import Row
from sonar_slt.metrics.vectors import cosine, nearest, plane, retrieval
from sonar_slt.space.spread import mean_and_spread

NEIGHBOURS = 5
BLOCK = 8192
"""Training sentences compared at a time: 8,192 vectors of 1,024 are 32 MB."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Clips of one split among its sentences in the target language in which most of them have one."""

    language: str
    ids: Sequence[str]
    sentences: Sequence[str]
    z: Tensor  # (clips, 2) on the map
    s: Tensor  # (clips, 2)
    explained: tuple[float, float]  # shares of the spread of the sentences that the map's axes hold
    cosines: Tensor  # (clips,) with their own sentence
    ranks: Tensor  # (clips,) of their own sentence
    near: Tensor  # (clips, neighbours) indices of the nearest sentences
    near_cosines: Tensor
    retrieval: Mapping[str, Any]

    @classmethod
    def of(cls, data: Clips, rows: Sequence[Row], z: Tensor) -> Self:
        """Of vectors (clips, dim); clips without a sentence are left out.

        Ranks and neighbours are by cosines that are centred by the mean of training.
        """
        code, kept, sentences = known(data, rows)
        z, s = z[kept].float(), data.cache.encode(sentences, code).float()
        center = mean_and_spread(data.train_vectors)["vector_mean"]
        found = retrieval(z, s, center, sentences)
        near_cosines, near = nearest(z, s, NEIGHBOURS, center)
        told = {"language": code, "n": len(kept), "median_rank": found.median}
        flat_z, flat_s, explained = plane(z, s)
        return cls(
            language=code,
            ids=[rows[i].id for i in kept],
            sentences=sentences,
            z=flat_z,
            s=flat_s,
            explained=explained,
            cosines=cosine(z, s),
            ranks=found.ranks,
            near=near,
            near_cosines=near_cosines,
            retrieval={**told, **{f"at_{k}": found.at(k) for k in (1, 5, 10)}},
        )

    def as_json(self) -> dict[str, Any]:
        """For the page of a run: lists in the order of `ids`."""
        return {
            "language": self.language,
            "ids": list(self.ids),
            "sentences": list(self.sentences),
            "z": _rounded(self.z),
            "s": _rounded(self.s),
            "explained": [round(share, 4) for share in self.explained],
            "cosine": _rounded(self.cosines),
            "rank": self.ranks.tolist(),
            "nearest": self.near.tolist(),
            "nearest_cosine": _rounded(self.near_cosines),
        }


def own_sentence_first(data: Clips, rows: Sequence[Row], z: Tensor) -> float:
    """Per cent of clips whose nearest sentence among all of the split's is their own."""
    code, kept, sentences = known(data, rows)
    center = mean_and_spread(data.train_vectors)["vector_mean"]
    return retrieval(z[kept].float(), data.cache.encode(sentences, code), center, sentences).at(1)


def known(data: Clips, rows: Sequence[Row]) -> tuple[str, list[int], list[str]]:
    """The target language in which most clips have a sentence, the places of those clips, and their first sentences."""
    places = {code: [i for i, row in enumerate(rows) if row.references(code)] for code in data.targets}
    code = max(data.targets, key=lambda code: len(places[code]))
    return code, places[code], [rows[i].references(code)[0] for i in places[code]]


class Training:
    """What the training clips say, in some languages."""

    def __init__(self, data: Clips, languages: Sequence[str]) -> None:
        self._data, self._rows = data, data.rows["train"]
        sentences: dict[str, set[str]] = {code: set() for code in languages}
        for row in self._rows:
            for code in languages:
                sentences[code].update(row.references(code))
        self.known = {code: frozenset(texts) for code, texts in sentences.items()}

    def nearest(self, z: Tensor) -> list[int]:
        """The place among the training clips of the one whose sentence lies nearest to each vector (clips, dim)."""
        code, kept, texts = self._sentences
        center = mean_and_spread(self._data.train_vectors)["vector_mean"]
        best, at = torch.full((len(z),), -2.0), torch.zeros(len(z), dtype=torch.long)
        for start in range(0, len(texts), BLOCK):
            block = self._data.cache.encode(texts[start : start + BLOCK], code).float()
            near, index = nearest(z.float(), block, 1, center)
            closer = near[:, 0] > best
            best, at = torch.where(closer, near[:, 0], best), torch.where(closer, start + index[:, 0], at)
        return [kept[place] for place in at.tolist()]

    def say(self, places: Sequence[int], code: str) -> list[str]:
        """What these training clips say in a language; nothing where it has no sentence of them."""
        return [next(iter(self._rows[place].references(code)), "") for place in places]

    @cached_property
    def _sentences(self) -> tuple[str, list[int], list[str]]:
        return known(self._data, self._rows)


def _rounded(values: Tensor) -> list[Any]:
    """As plain numbers of four digits behind the point."""
    numbers: list[Any] = (values.double() * 1e4).round().div(1e4).tolist()
    return numbers
