"""Scores of translations, each with its signature, its number of sentences and its 95 % interval.

A corpus score is computed over all sentences at once, never averaged over batches; the interval comes from resampling
sentences through their statistics, not from scoring again.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from sonar_slt.errors import UserError
from sonar_slt.languages import language
from sonar_slt.metrics.floors import Floor, floors
from sonar_slt.metrics.intervals import RESAMPLES, SEED, bootstrap
from sonar_slt.metrics.metric import Measured, Metric, Score
from sonar_slt.metrics.ngrams.bleu import Bleu
from sonar_slt.metrics.ngrams.chrf import Chrf
from sonar_slt.metrics.oddities import oddities

USUAL: tuple[Metric, ...] = (Bleu(), Chrf())


class TranslationScores(TypedDict):
    """All scores of one system in one language; BLEU, chrF, TER, WER, ROUGE-L and token F1 lie between 0 and 100."""

    scores: dict[str, Score]
    n: int
    ids_hash: str
    language: str
    references: Literal["human", "pseudo"]
    resamples: int
    seed: int
    warnings: dict[str, int]
    floors: dict[str, Floor]


def score_translations(
    hypotheses: Sequence[str],
    references: Sequence[str] | Sequence[Sequence[str]],
    *,
    lang: str,
    ids: Sequence[str] | None = None,
    source: Literal["human", "pseudo"] = "human",
    metrics: Sequence[Metric] = USUAL,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    beside: bool = False,
    nearest: Sequence[str] | None = None,
) -> TranslationScores:
    """Score hypotheses against one or several references each, in the language `lang` (a code such as deu_Latn).

    `source` says who wrote the references: people, or a machine (pseudo). Without ids, each sentence is identified by
    its references. An empty hypothesis is scored as any other. With `beside` the floors are computed too: what the
    same sentences score against references of others, what the best constant sentence would, and what the sentence of
    the nearest training clip does, where `nearest` gives those.
    """
    every = checked(hypotheses, references, lang=lang)
    found = measurements(hypotheses, every, lang=lang, metrics=metrics)
    return {
        "scores": scored(found, resamples=resamples, seed=seed),
        "n": len(hypotheses),
        "ids_hash": ids_hash(every, ids),
        "language": lang,
        "references": source,
        "resamples": resamples,
        "seed": seed,
        "warnings": oddities(hypotheses, every, lang),
        "floors": floors(hypotheses, every, lang=lang, metrics=metrics, seed=seed, nearest=nearest) if beside else {},
    }


def measurements(
    hypotheses: Sequence[str], references: Sequence[Sequence[str]], *, lang: str, metrics: Sequence[Metric] = USUAL
) -> dict[str, Measured]:
    """What each metric finds, by its name."""
    return {metric.name: metric.measure(hypotheses, references, lang) for metric in metrics}


def scored(found: Mapping[str, Measured], *, resamples: int = RESAMPLES, seed: int = SEED) -> dict[str, Score]:
    """Values, signatures and intervals of what was measured; all metrics see the same resamples."""
    intervals = bootstrap({name: (one.statistics, one.formula) for name, one in found.items()}, resamples, seed)
    return {
        name: {"value": one.value, "signature": one.signature, "interval": intervals.get(name)}
        for name, one in found.items()
    }


def checked(
    hypotheses: Sequence[str], references: Sequence[str] | Sequence[Sequence[str]], *, lang: str
) -> list[list[str]]:
    """The references as a list for each sentence, once both sides fit each other."""
    language(lang)
    if isinstance(hypotheses, str) or isinstance(references, str):
        raise UserError("Hypotheses and references must be lists of sentences, not one string.")
    if not hypotheses:
        raise UserError("There is nothing to score: no hypotheses were given.")
    if len(hypotheses) != len(references):
        raise UserError(f"{len(hypotheses)} hypotheses cannot be scored against references for {len(references)}.")
    every = [[given] if isinstance(given, str) else list(given) for given in references]
    if bare := [row for row, given in enumerate(every) if not given]:
        raise UserError(f"{len(bare)} sentences have no reference; the first is number {bare[0] + 1}.")
    if not all(isinstance(text, str) for given in (hypotheses, *every) for text in given):
        raise UserError("Hypotheses and references must be text.")
    return every


def ids_hash(references: Sequence[Sequence[str]], ids: Sequence[str] | None) -> str:
    """The sha256 of the ids in order, one in a line; without ids, of the references as json."""
    if ids is None:
        return hashlib.sha256(json.dumps(list(map(list, references)), ensure_ascii=False).encode()).hexdigest()
    if len(ids) != len(references):
        raise UserError(f"{len(references)} hypotheses need {len(references)} ids, not {len(ids)}.")
    twice: list[tuple[Any, int]] = [item for item in Counter(ids).items() if item[1] > 1]
    if twice:
        raise UserError(f"Each id may occur once; {twice[0][0]!r} occurs more often.")
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()
