"""How good a sentence space is: what comes back from it, and whether translations meet in it.

A good reconstruction says nothing about alignment, and the other way round; both are always reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from sonar_slt.metrics.text import score_translations
from sonar_slt.metrics.vectors import xsim, xsim_plus_plus


class Codec(Protocol):
    """Sentences to vectors and back."""

    def encode(self, texts: Sequence[str], lang: str) -> Tensor:
        """Vectors (N, dim)."""

    def decode(self, vectors: Tensor, lang: str, *, num_beams: int) -> list[str]:
        """One sentence per vector."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Held-out sentences: row i says the same in every language, in one way or in several."""

    references: Mapping[str, Sequence[Sequence[str]]]
    negatives: Mapping[str, Sequence[str]]  # sentences that differ from some row in one thing only


def space_scores(space: Codec, held_out: HeldOut, *, pivot: str = "eng_Latn", num_beams: int = 1) -> dict[str, Any]:
    """BLEU of auto-encoding per language and of translation per pair, xsim and xsim++ of each language to `pivot`."""
    first = {code: [ways[0] for ways in rows] for code, rows in held_out.references.items()}
    vectors = {code: space.encode(texts, code) for code, texts in first.items()}
    bleu = {
        (source, target): _bleu(space.decode(vectors[source], target, num_beams=num_beams), held_out, target)
        for source in vectors
        for target in vectors
    }
    negatives = space.encode(held_out.negatives[pivot], pivot)
    others = [code for code in vectors if code != pivot]
    plain = {code: xsim(vectors[code], vectors[pivot], texts=first[pivot]).rate for code in others}
    hard = {code: xsim_plus_plus(vectors[code], vectors[pivot], negatives).rate for code in others}
    auto = {source: value for (source, target), value in bleu.items() if source == target}
    translated = {f"{a}-{b}": value for (a, b), value in bleu.items() if a != b}
    return {
        "auto_encoding_bleu": mean(auto) | auto,
        "translation_bleu": mean(translated) | translated,
        "xsim": mean(plain) | plain,
        "xsim_plus_plus": mean(hard) | hard,
        "n": len(next(iter(first.values()))),
        "norm": float(torch.cat(list(vectors.values())).norm(dim=1).mean()),
    }


def mean(values: Mapping[str, float]) -> dict[str, float]:
    """The mean of some values, under that name."""
    return {"mean": sum(values.values()) / len(values)} if values else {}


def _bleu(texts: Sequence[str], held_out: HeldOut, code: str) -> float:
    scored = score_translations(texts, [list(ways) for ways in held_out.references[code]], lang=code, resamples=0)
    return scored["scores"]["bleu"]["value"]
