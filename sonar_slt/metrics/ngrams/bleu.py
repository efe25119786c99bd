"""BLEU by sacrebleu, with the tokenizer that the language needs."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import lru_cache, reduce

import numpy as np
from sacrebleu.metrics.bleu import BLEU

from sonar_slt.errors import UserError
from sonar_slt.metrics.metric import Measured, Stats, full, number_of_references
from sonar_slt.metrics.ngrams.bags import Bag, Texts

ORDERS = 4

TOKENIZERS = {"zho": "zh", "yue": "zh", "jpn": "ja-mecab", "kor": "ko-mecab"}
"""Tokenizer by the language's three letters; every other language takes 13a."""
NEEDS = {
    "ja-mecab": ("MeCab", "ja"),
    "ko-mecab": ("mecab_ko", "ko"),
    "flores200": ("sentencepiece", "bleurt"),
    "flores101": ("sentencepiece", "bleurt"),
    "spm": ("sentencepiece", "bleurt"),
}
"""Module of a tokenizer and the extra that installs it."""


class Bleu:
    """Corpus BLEU with exponential smoothing, mixed case; `tokenizer` is sacrebleu's name of one, null by language."""

    name, title, higher_is_better = "bleu", "BLEU", True

    def __init__(self, *, tokenizer: str | None = None) -> None:
        if tokenizer is not None and tokenizer not in BLEU.TOKENIZERS:
            raise UserError(f"metrics.bleu.tokenizer={tokenizer}: expected one of {', '.join(BLEU.TOKENIZERS)}.")
        self._tokenizer = tokenizer

    def measure(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]], lang: str) -> Measured:
        """Sums of lengths and n-gram matches."""
        chosen = require(self._tokenizer, lang) if self._tokenizer else tokenizer(lang)
        metric = BLEU(tokenize=chosen)
        metric.num_refs = number_of_references(references)
        texts = [hypotheses, *full(references)]
        statistics = word_statistics([[words(chosen, line) for line in text] for text in texts])
        value = metric._compute_score_from_stats(statistics.sum(0).astype(np.int64).tolist()).score
        return Measured(
            statistics=statistics,
            formula=bleu_scores,
            signature=str(metric.get_signature()),
            value=float(value),
            sentences=sentence_scores(statistics),
        )


def word_statistics(texts: Sequence[Sequence[Sequence[str]]]) -> Stats:
    """Of the words of hypotheses, and of every reference's: (sentences, 2 lengths + 4 matches + 4 totals)."""
    found = Texts.of_words(texts)
    length, given = found.lengths[0], np.sort(found.lengths[1:], axis=0)  # of two equally near the shorter is meant
    closest = given[np.abs(given - length).argmin(axis=0), np.arange(len(length))]
    matches, totals = [], []
    for order, (said, *meant) in enumerate(found.bags(ORDERS), 1):
        matches.append(said.shared(reduce(Bag.either, meant)).sums(found.sentences))
        totals.append(found.totals(order)[0])
    return np.stack([length, closest, *matches, *totals], axis=1).astype(np.float64)


def words(name: str, line: str) -> list[str]:
    """The words of a line by a tokenizer; lines that come again are not cut again."""
    return _cutter(name)._preprocess_segment(line).split()


@lru_cache
def _cutter(name: str) -> BLEU:
    return BLEU(tokenize=name)


def tokenizer(lang: str) -> str:
    """The name of sacrebleu's tokenizer for a language; an error when its package is not installed."""
    return require(TOKENIZERS.get(lang[:3], "13a"), lang)


def require(name: str, lang: str) -> str:
    """The tokenizer of that name; an error when its package is not installed."""
    module, extra = NEEDS.get(name, ("", ""))
    if module and importlib.util.find_spec(module) is None:
        raise UserError(f"BLEU in {lang} needs the tokenizer {name}: install it with `pip install sonar-slt[{extra}]`.")
    return name


def bleu_scores(sums: Stats) -> Stats:
    """BLEU of many corpora: (corpora, 2 lengths + 4 matches + 4 totals) -> (corpora,)."""
    length, reference, matches, totals = sums[:, 0], sums[:, 1], sums[:, 2:6], sums[:, 6:10]
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = brevity(length, reference) * np.exp(np.log(precisions(matches, totals)).mean(axis=1))
    defined = matches.any(axis=1) & totals.all(axis=1)
    return np.where(defined, 100 * scores, 0.0)


def sentence_scores(sums: Stats) -> Stats:
    """BLEU of single sentences (sentences,): over those orders alone that a sentence is long enough for."""
    length, reference, matches, totals = sums[:, 0], sums[:, 1], sums[:, 2:6], sums[:, 6:10]
    possible = totals > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(possible, np.log(precisions(matches, totals)), 0.0).sum(axis=1)
        scores = brevity(length, reference) * np.exp(logs / np.maximum(possible.sum(axis=1), 1))
    return np.where(matches.any(axis=1), 100 * scores, 0.0)


def precisions(matches: Stats, totals: Stats) -> Stats:
    """Of every order; the i-th without a match, counted from the shortest, gets 1 / (2^i · total) instead of 0."""
    misses = np.cumsum((matches == 0) & (totals > 0), axis=1)
    return np.where(matches > 0, matches / totals, 0.5**misses / totals)


def brevity(length: Stats, reference: Stats) -> Stats:
    """The penalty of corpora that are shorter than their references."""
    return np.where(length < reference, np.exp(1 - reference / length), 1.0)
