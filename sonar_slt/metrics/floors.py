"""What a system scores that saw nothing of its clips: the floor on which a real score stands.

Three of them: the references of other clips, the one sentence that scores best for every clip, and the sentence of the
nearest training clip.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from sonar_slt.metrics.learned.pairs import LearnedMetric
from sonar_slt.metrics.metric import Metric, full
from sonar_slt.metrics.ngrams.bags import Bag, Ids, Texts
from sonar_slt.metrics.ngrams.bleu import ORDERS, bleu_scores, tokenizer, words

Floor = dict[str, float | str]
"""Values by metric; the constant's also has its `sentence`."""


def floors(
    hypotheses: Sequence[str],
    references: Sequence[Sequence[str]],
    *,
    lang: str,
    metrics: Sequence[Metric],
    seed: int,
    nearest: Sequence[str] | None = None,
) -> dict[str, Floor]:
    """The values of each floor under the metrics that are quick; `nearest` has a training sentence for each clip."""
    quick = [metric for metric in metrics if not isinstance(metric, LearnedMetric)]

    def values(said: Sequence[str], wanted: Sequence[Sequence[str]]) -> Floor:
        return {metric.name: metric.measure(said, wanted, lang).value for metric in quick}

    sentence = best_constant(references, lang)
    found = {
        "shuffled": values(hypotheses, shuffled(references, seed)),
        "constant": values([sentence] * len(references), references) | {"sentence": sentence},
    }
    return found if nearest is None else found | {"nearest": values(nearest, references)}


def shuffled(references: Sequence[Sequence[str]], seed: int) -> list[Sequence[str]]:
    """The references in another order, in which none stays where it was unless there is only one."""
    order = np.random.default_rng(seed).permutation(len(references))
    found = list(references)
    for here, there in zip(order, np.roll(order, 1), strict=True):  # one ring through all
        found[here] = references[there]
    return found


def best_constant(references: Sequence[Sequence[str]], lang: str) -> str:
    """The reference that has the best corpus BLEU when it is said for every clip; the first among equals.

    Nothing is scored sentence by sentence. A constant that has an n-gram c times matches it, in all sentences together,
    as often as there are sentences that have it at least once, plus those that have it at least twice, and so on up to
    c; so one pass over the references counts for all candidates.
    """
    name, sentences, streams = tokenizer(lang), len(references), full(references)
    texts = Texts.of_words([[words(name, line) for line in stream] for stream in streams])
    matches = [_everywhere(bags, reduce(Bag.either, bags), sentences) for bags in texts.bags(ORDERS)]
    totals = [sentences * texts.totals(order) for order in range(1, ORDERS + 1)]
    lengths = [sentences * texts.lengths, _closest(texts.lengths)]
    sums = np.stack([*lengths, *matches, *totals], axis=-1)  # (references, sentences, statistics)
    candidate = int(bleu_scores(sums.swapaxes(0, 1).reshape(-1, sums.shape[-1]).astype(np.float64)).argmax())
    return streams[candidate % len(streams)][candidate // len(streams)]


def _everywhere(candidates: Sequence[Bag], having: Bag, sentences: int) -> Ids:
    """How many n-grams of one order match when a candidate is said for every sentence: (references, sentences)."""
    grams, spots = np.unique(having.keys % having.span, return_inverse=True)
    places = [np.searchsorted(grams, bag.keys % bag.span) for bag in candidates]
    found = [np.zeros(len(bag.keys)) for bag in candidates]
    for times in range(1, int(having.counts.max(initial=0)) + 1):
        sentences_with = np.bincount(spots[having.counts >= times], minlength=len(grams))
        for bag, place, matched in zip(candidates, places, found, strict=True):
            enough = bag.counts >= times
            matched[enough] += sentences_with[place[enough]]
    return np.stack(
        [np.bincount(bag.keys // bag.span, matched, sentences) for bag, matched in zip(candidates, found, strict=True)]
    ).astype(np.int64)


def _closest(lengths: Ids) -> Ids:
    """The reference length of a candidate said for every sentence, the shorter of two equally near: like `lengths`."""
    shortest_first, summed = np.sort(lengths, axis=0), np.zeros_like(lengths)
    for length in np.unique(lengths):
        nearest = np.abs(shortest_first - length).argmin(axis=0, keepdims=True)
        summed[lengths == length] = np.take_along_axis(shortest_first, nearest, axis=0).sum()
    return summed
