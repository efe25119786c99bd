"""Scores of translations by sacrebleu, each with its signature, its number of sentences and its 95 % interval.

A corpus score is computed over all sentences at once, never averaged; the interval comes from resampling sentences
through their sufficient statistics, not from scoring again.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Any, Literal, TypedDict

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from sonar_slt.errors import UserError
from sonar_slt.languages import language

Stats = NDArray[np.float64]  # (…, statistics)
RESAMPLES = 1000
SEED = 12345

TOKENIZERS = {"zho": "zh", "yue": "zh", "jpn": "ja-mecab", "kor": "ko-mecab"}
"""Tokenizer of BLEU by the language's three letters; every other language takes 13a."""
NEEDS = {"ja-mecab": ("MeCab", "ja"), "ko-mecab": ("mecab_ko", "ko")}
"""Module of a tokenizer and the extra that installs it."""


class Score(TypedDict):
    """A corpus score between 0 and 100; `interval` is None when no resamples were asked for."""

    value: float
    signature: str
    interval: list[float] | None


class TranslationScores(TypedDict):
    """All scores of one system in one language."""

    scores: dict[str, Score]
    n: int
    ids_hash: str
    language: str
    references: Literal["human", "pseudo"]


def score_translations(
    hypotheses: Sequence[str],
    references: Sequence[str] | Sequence[Sequence[str]],
    *,
    lang: str,
    ids: Sequence[str] | None = None,
    source: Literal["human", "pseudo"] = "human",
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> TranslationScores:
    """Score hypotheses against one or several references each, in the language `lang` (a code such as deu_Latn).

    `source` says who wrote the references: people, or a machine (pseudo). Without ids, each sentence is identified by
    its references. An empty hypothesis is scored as any other.
    """
    language(lang)
    streams = _streams(hypotheses, references)
    found = _identify(len(hypotheses), references, ids)
    # `force` only silences a hint about " ." on standard error; it changes no score.
    bleu, chrf = BLEU(tokenize=tokenizer(lang), force=True), CHRF()
    statistics = {
        "bleu": np.asarray(bleu._extract_corpus_statistics(hypotheses, streams), dtype=np.float64),
        "chrf": np.asarray(chrf._extract_corpus_statistics(hypotheses, streams), dtype=np.float64),
    }
    intervals = bootstrap({name: (stats, FORMULAS[name]) for name, stats in statistics.items()}, resamples, seed)
    scores: dict[str, Score] = {}
    for name, metric in (("bleu", bleu), ("chrf", chrf)):
        total = statistics[name].sum(0).astype(np.int64).tolist()
        value = float(metric._compute_score_from_stats(total).score)
        scores[name] = {
            "value": value,
            "signature": str(metric.get_signature()),
            "interval": intervals[name] if intervals else None,
        }
    return {"scores": scores, "n": len(hypotheses), "ids_hash": found, "language": lang, "references": source}


def tokenizer(lang: str) -> str:
    """The name of sacrebleu's tokenizer for a language; an error when its package is not installed."""
    name = TOKENIZERS.get(lang[:3], "13a")
    module, extra = NEEDS.get(name, ("", ""))
    if module and importlib.util.find_spec(module) is None:
        raise UserError(f"BLEU in {lang} needs the tokenizer {name}: install it with `pip install sonar-slt[{extra}]`.")
    return name


def bootstrap(
    metrics: dict[str, tuple[Stats, Callable[[Stats], Stats]]], resamples: int, seed: int
) -> dict[str, list[float]]:
    """95 % percentile intervals; all metrics see the same resamples, and the same seed gives the same ones.

    Each metric comes as statistics (sentences, statistics) and the formula that turns their sums into scores.
    """
    if resamples < 1:
        return {}
    n = len(next(iter(metrics.values()))[0])
    rng = np.random.default_rng(seed)
    block = max(1, 4_000_000 // n)
    drawn: dict[str, list[Stats]] = {name: [] for name in metrics}
    for first in range(0, resamples, block):
        rows = min(block, resamples - first)
        picks = rng.integers(n, size=(rows, n)) + n * np.arange(rows)[:, None]
        counts = np.bincount(picks.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)
        for name, (stats, formula) in metrics.items():
            drawn[name].append(formula(counts @ stats))
    ends = {name: np.percentile(np.concatenate(scores), [2.5, 97.5]) for name, scores in drawn.items()}
    return {name: [float(low), float(high)] for name, (low, high) in ends.items()}


def bleu_scores(sums: Stats) -> Stats:
    """BLEU (exponential smoothing) of many corpora: (corpora, 2 lengths + 4 matches + 4 totals) -> (corpora,)."""
    length, reference, matches, totals = sums[:, 0], sums[:, 1], sums[:, 2:6], sums[:, 6:10]
    # The i-th order without a match, counted from the shortest, gets 1 / (2^i · total) instead of 0.
    misses = np.cumsum((matches == 0) & (totals > 0), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where(matches > 0, matches / totals, 0.5**misses / totals)
        brevity = np.where(length < reference, np.exp(1 - reference / length), 1.0)
        scores = 100 * brevity * np.exp(np.log(precision).mean(axis=1))
    defined = matches.any(axis=1) & totals.all(axis=1)
    return np.where(defined, scores, 0.0)


def chrf_scores(sums: Stats, beta: float = 2.0) -> Stats:
    """The chrF of many corpora: (corpora, orders * [hypothesis, reference, match]) -> (corpora,)."""
    hypothesis, reference, match = np.moveaxis(sums.reshape(len(sums), -1, 3), 2, 0)  # (corpora, orders) each
    counted = (hypothesis > 0) & (reference > 0)
    orders = np.maximum(counted.sum(axis=1), 1)
    precision = np.where(counted, match / np.maximum(hypothesis, 1), 0).sum(axis=1) / orders
    recall = np.where(counted, match / np.maximum(reference, 1), 0).sum(axis=1) / orders
    below = beta**2 * precision + recall
    scores: Stats = 100 * (1 + beta**2) * precision * recall / np.where(below > 0, below, 1)
    return scores


FORMULAS: dict[str, Callable[[Stats], Stats]] = {"bleu": bleu_scores, "chrf": chrf_scores}


def _streams(hypotheses: Sequence[str], references: Sequence[str] | Sequence[Sequence[str]]) -> list[list[Any]]:
    """References as sacrebleu wants them: one list per position, None where a sentence has fewer."""
    if isinstance(hypotheses, str) or isinstance(references, str):
        raise UserError("Hypotheses and references must be lists of sentences, not one string.")
    if not hypotheses:
        raise UserError("There is nothing to score: no hypotheses were given.")
    if len(hypotheses) != len(references):
        raise UserError(f"{len(hypotheses)} hypotheses cannot be scored against references for {len(references)}.")
    each = [[given] if isinstance(given, str) else list(given) for given in references]
    if bare := [row for row, given in enumerate(each) if not given]:
        raise UserError(f"{len(bare)} sentences have no reference; the first is number {bare[0] + 1}.")
    if not all(isinstance(text, str) for given in (hypotheses, *each) for text in given):
        raise UserError("Hypotheses and references must be text.")
    return [list(stream) for stream in zip_longest(*each)]


def _identify(n: int, references: Sequence[Any], ids: Sequence[str] | None) -> str:
    """The sha256 of the ids in order, one in a line; without ids, of the references as json."""
    if ids is None:
        lists = [[given] if isinstance(given, str) else list(given) for given in references]
        return hashlib.sha256(json.dumps(lists, ensure_ascii=False).encode()).hexdigest()
    if len(ids) != n:
        raise UserError(f"{n} hypotheses need {n} ids, not {len(ids)}.")
    if len(set(ids)) < n:
        twice = next(name for row, name in enumerate(ids) if name in ids[:row])
        raise UserError(f"Each id may occur once; {twice!r} occurs more often.")
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()
