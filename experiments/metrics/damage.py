"""Toy references damaged on purpose: what each metric takes off for other words, and what for another meaning.

Every damage of a sentence is a rendering, so it is known whether its meaning is the reference's; only a shuffled order
and a dropped word are no sentences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from sonar_slt.data.corpora.toy.meaning import draw_split, one_slot_changes
from sonar_slt.data.corpora.toy.sentences import LANGUAGES, render
from sonar_slt.metrics.metric import Metric

Floats = np.ndarray[Any, np.dtype[np.float64]]
Falls = dict[str, dict[str, Floats]]  # metric -> damage -> (seeds, sentences of all languages)

HARMLESS, HARMFUL, UNRELATED = "paraphrase", "one slot changed", "another meaning"
DAMAGES = (HARMLESS, HARMFUL, "a word dropped", "words shuffled", "one constant sentence", UNRELATED)
VECTORS, COSINE = "vectors", "cosine of sentence vectors"


@dataclass(frozen=True, slots=True)
class Material:
    """References in one language, a second way of saying each, and what becomes of each by every damage."""

    code: str
    references: list[str]
    others: list[str]
    damaged: Mapping[str, list[str]]


def material(code: str, *, seed: int, size: int) -> Material:
    """Meanings of the test split, one of whose ways is the reference, one the paraphrase, one a second reference."""
    random = Random(f"{code}-{seed}")
    references: list[str] = []
    others: list[str] = []
    damaged: dict[str, list[str]] = {damage: [] for damage in DAMAGES}
    meanings = draw_split("test", size, seed)
    for row, meaning in enumerate(meanings):
        ways = render(meaning, code)
        way, paraphrase, other = random.sample(range(len(ways)), 3)
        words = ways[way].split()
        drop = random.randrange(len(words))
        changed = one_slot_changes(meaning, random, 1)[0]
        stranger = meanings[(row + random.randrange(1, size)) % size]
        references.append(ways[way])
        others.append(ways[other])
        for damage, text in zip(
            DAMAGES,
            (
                ways[paraphrase],
                render(changed, code)[way],
                " ".join(words[:drop] + words[drop + 1 :]),
                " ".join(random.sample(words, len(words))),
                render(meanings[0] if row else meanings[1], code)[0],
                render(stranger, code)[way],
            ),
            strict=True,
        ):
            damaged[damage].append(text)
    return Material(code, references, others, damaged)


def falls(
    metrics: Sequence[Metric], *, seeds: Sequence[int], size: int, encoder: Vectors | None, second: bool
) -> tuple[Falls, dict[str, str]]:
    """What every metric takes off for every damage, and its title; error rates count the other way round.

    With `second` another way of saying the same stands beside the reference. With an `encoder` sentence vectors are
    compared too.
    """
    titles = {metric.name: metric.title for metric in metrics} | ({VECTORS: COSINE} if encoder else {})
    found: dict[str, dict[str, list[Floats]]] = {name: {damage: [] for damage in DAMAGES} for name in titles}
    for seed in seeds:
        parts = [_of(material(code, seed=seed, size=size), metrics, encoder, second) for code in LANGUAGES]
        for name, by_damage in found.items():
            for damage, rows in by_damage.items():
                rows.append(np.concatenate([part[name][damage] for part in parts]))
    return {name: {damage: np.stack(rows) for damage, rows in one.items()} for name, one in found.items()}, titles


def _of(given: Material, metrics: Sequence[Metric], encoder: Vectors | None, second: bool) -> Falls:
    ways = [[one, two] if second else [one] for one, two in zip(given.references, given.others, strict=True)]
    found: Falls = {}
    for metric in metrics:
        sign = 1 if metric.higher_is_better else -1
        best = metric.measure(given.references, ways, given.code).sentences
        found[metric.name] = {
            damage: sign * (best - metric.measure(texts, ways, given.code).sentences)
            for damage, texts in given.damaged.items()
        }
    if encoder is not None:
        found[VECTORS] = {damage: encoder.distance(texts, ways, given.code) for damage, texts in given.damaged.items()}
    return found


class Vectors:
    """The encoder of a sentence space; torch is loaded here and nowhere else."""

    def __init__(self, folder: Path) -> None:
        from sonar_slt import SentenceSpace

        self._space = SentenceSpace.from_pretrained(folder, only="encoder")

    def distance(self, texts: Sequence[str], ways: Sequence[Sequence[str]], code: str) -> Floats:
        """100 minus 100 times the cosine with the nearest reference, (n,)."""
        said = self._encoded(texts, code)
        columns = [self._encoded(list(column), code) for column in zip(*ways, strict=True)]
        nearest: Floats = np.max([(said * column).sum(1) for column in columns], axis=0)
        return 100 * (1 - nearest)

    def _encoded(self, texts: Sequence[str], code: str) -> Floats:
        vectors = self._space.encode(list(texts), code).double().numpy()  # (n, dim)
        unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit


def shares(found: Falls) -> dict[str, dict[str, dict[str, float]]]:
    """Of each metric and damage: the mean fall in points, and in per cent of that for another meaning; over seeds."""
    told: dict[str, dict[str, dict[str, float]]] = {}
    for name, by_damage in found.items():
        whole = by_damage[UNRELATED].mean(axis=1)  # (seeds,)
        told[name] = {}
        for damage, rows in by_damage.items():
            share = 100 * rows.mean(axis=1) / whole
            told[name][damage] = {
                "points": float(rows.mean()), "share": float(share.mean()), "spread": float(_spread(share)),
            }  # fmt: skip
    return told


def preferences(found: Falls, *, resamples: int = 1000) -> dict[str, dict[str, Any]]:
    """How often a metric prefers the paraphrase to the sentence with a wrong slot, in per cent; 50 is chance.

    The interval is over sentences, the spread over seeds.
    """
    told = {}
    draw = np.random.default_rng(12345)
    for name, by_damage in found.items():
        harmless, harmful = by_damage[HARMLESS], by_damage[HARMFUL]
        won = 100 * np.where(np.isclose(harmless, harmful), 0.5, harmless < harmful)  # (seeds, sentences)
        flat = won.ravel()
        means = flat[draw.integers(flat.size, size=(resamples, flat.size))].mean(axis=1)
        low, high = np.percentile(means, [2.5, 97.5])
        told[name] = {
            "value": float(won.mean()), "interval": [float(low), float(high)], "spread": _spread(won.mean(axis=1)),
        }  # fmt: skip
    return told


def _spread(values: Floats) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else 0.0
