"""How good a sentence space is: what comes back from it, and whether translations meet in it.

A good reconstruction says nothing about alignment, and the other way round; both are always reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from sonar_slt.data.held_out import HeldOut
from sonar_slt.metrics.text import score_translations
from sonar_slt.metrics.vectors import xsim, xsim_plus_plus


class Codec(Protocol):
    """Sentences to vectors and back."""

    def encode(self, texts: Sequence[str], lang: str) -> Tensor:
        """Vectors (N, dim)."""

    def decode(self, vectors: Tensor, lang: Sequence[str], *, num_beams: int) -> list[str]:
        """One sentence per vector, in one language per vector."""


PIVOT = "eng_Latn"
"""The language in which translations are searched for, where a space has it; else its first."""

DECODED = 100
"""How many sentences of each language are decoded, into every language."""


def space_scores(space: Codec, held_out: HeldOut) -> dict[str, Any]:
    """BLEU of auto-encoding per language and of translation per pair, xsim and xsim++ of each language to one.

    All sentences are searched for, the first of each language are decoded. A space of one language translates nothing,
    and what is searched for there is the second way of saying each sentence.
    """
    first = {code: [ways[0] for ways in rows] for code, rows in held_out.references.items()}
    vectors = {code: space.encode(texts, code) for code, texts in first.items()}
    bleu = _translations(space, vectors, held_out)
    pivot = PIVOT if PIVOT in vectors else next(iter(vectors))
    negatives = space.encode(held_out.negatives[pivot], pivot)
    searching = {code: found for code, found in vectors.items() if code != pivot} or _ways(space, held_out, pivot)
    plain = {code: xsim(found, vectors[pivot], texts=first[pivot]).rate for code, found in searching.items()}
    hard = {code: xsim_plus_plus(found, vectors[pivot], negatives).rate for code, found in searching.items()}
    auto = {source: value for (source, target), value in bleu.items() if source == target}
    translated = {f"{a}-{b}": value for (a, b), value in bleu.items() if a != b}
    return {
        "auto_encoding_bleu": mean(auto) | auto,
        "translation_bleu": mean(translated) | translated,
        "xsim": mean(plain) | plain,
        "xsim_plus_plus": mean(hard) | hard,
        "n": len(next(iter(first.values()))),
        "n_decoded": min(DECODED, len(next(iter(first.values())))),
        "norm": float(torch.cat(list(vectors.values())).norm(dim=1).mean()),
    }


def _ways(space: Codec, held_out: HeldOut, code: str) -> dict[str, Tensor]:
    """Vectors of the second way of saying each sentence; none where some sentence has one way only."""
    rows = held_out.references[code]
    return {code: space.encode([ways[1] for ways in rows], code)} if all(len(ways) > 1 for ways in rows) else {}


def _translations(space: Codec, vectors: Mapping[str, Tensor], held_out: HeldOut) -> dict[tuple[str, str], float]:
    """BLEU of the first sentences from every language into every language, all decoded greedily in one go."""
    pairs = [(source, target) for source in vectors for target in vectors]
    parts = [vectors[source][:DECODED] for source, _ in pairs]
    targets = [target for (_, target), part in zip(pairs, parts, strict=True) for _ in range(len(part))]
    texts = space.decode(torch.cat(parts), targets, num_beams=1)
    bleu, start = {}, 0
    for pair, part in zip(pairs, parts, strict=True):
        bleu[pair] = _bleu(texts[start : start + len(part)], held_out, pair[1])
        start += len(part)
    return bleu


def mean(values: Mapping[str, float]) -> dict[str, float]:
    """The mean of some values, under that name."""
    return {"mean": sum(values.values()) / len(values)} if values else {}


def _bleu(texts: Sequence[str], held_out: HeldOut, code: str) -> float:
    references = [list(ways) for ways in held_out.references[code][: len(texts)]]
    scored = score_translations(texts, references, lang=code, resamples=0)
    return scored["scores"]["bleu"]["value"]
