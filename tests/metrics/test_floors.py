"""Floors: shuffled references and the best constant sentence, against trying every sentence."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
import sacrebleu

from sonar_slt.metrics.floors import best_constant, floors, shuffled
from sonar_slt.metrics.learned.pairs import LearnedMetric, Pair
from sonar_slt.metrics.metric import streams
from sonar_slt.metrics.ngrams.bleu import Bleu
from sonar_slt.metrics.ngrams.chrf import Chrf
from sonar_slt.metrics.words.rouge_l import RougeL
from tests.metrics.forecasts import said


class Slow(LearnedMetric):
    """Stands where a score by a network stands."""

    name, title, signature = "slow", "slow", ""

    def said(self, pairs: Sequence[Pair], references: Sequence[Sequence[str]]) -> Iterator[dict[Pair, float]]:
        raise AssertionError("a network is not asked about floors")


def corpus(rng: random.Random) -> list[list[str]]:
    letters = rng.choice(["ab", "abcde.", "abc ,"])

    def sentence() -> str:
        return " ".join(rng.choice(letters) for _ in range(rng.choice([0, 1, 3, 4, 5, 8, 15])))

    many = rng.choice([1, 1, 3])
    return [[sentence() for _ in range(rng.randint(1, many))] for _ in range(rng.choice([1, 2, 5, 12]))]


def test_the_best_constant_is_what_trying_all_finds() -> None:
    rng = random.Random(5)
    for _ in range(60):
        references = corpus(rng)
        every = [text for given in references for text in given]
        scores = [sacrebleu.BLEU().corpus_score([text] * len(references), streams(references)).score for text in every]
        assert max(scores) == pytest.approx(scores[every.index(best_constant(references, "eng_Latn"))], abs=1e-9)


@pytest.mark.parametrize("lang", ["deu_Latn", "zho_Hans", "tur_Latn"])
def test_the_best_constant_in_the_words_of_a_language(lang: str) -> None:
    _, references = said(lang)
    found = best_constant(references, lang)
    value = Bleu().measure([found] * len(references), references, lang).value
    for text in {text for given in references for text in given}:
        assert Bleu().measure([text] * len(references), references, lang).value <= value + 1e-9


@pytest.mark.parametrize("n", [2, 3, 50])
def test_shuffled_references_leave_no_sentence_its_own(n: int) -> None:
    references = [[str(number), "x"] for number in range(n)]
    moved = shuffled(references, 1)
    assert all(new != old for new, old in zip(moved, references, strict=True))
    assert Counter(map(tuple, moved)) == Counter(map(tuple, references))
    assert moved == shuffled(references, 1)
    assert n < 50 or moved != shuffled(references, 2)


def test_one_sentence_cannot_be_shuffled() -> None:
    assert shuffled([["a"]], 1) == [["a"]]


def test_floors_are_scores_of_such_systems() -> None:
    hypotheses, references = said("deu_Latn")
    near = [given[0] for given in references]
    metrics = [Bleu(), Chrf(), RougeL()]
    found = floors(hypotheses, references, lang="deu_Latn", metrics=[*metrics, Slow()], seed=3, nearest=near)
    assert list(found) == ["shuffled", "constant", "nearest"]
    sentence = found["constant"].pop("sentence")
    for metric in metrics:
        values = {name: floor[metric.name] for name, floor in found.items()}
        real = metric.measure(hypotheses, references, "deu_Latn").value
        assert 0 < float(values["shuffled"]) < real and 0 < float(values["constant"]) < real
        assert values["nearest"] == pytest.approx(100)
        assert values["constant"] == metric.measure([str(sentence)] * len(references), references, "deu_Latn").value
        moved = shuffled(references, 3)
        assert values["shuffled"] == metric.measure(hypotheses, moved, "deu_Latn").value
    assert all(floor.keys() == {"bleu", "chrf", "rouge_l"} for floor in found.values())
    assert list(floors(hypotheses, references, lang="deu_Latn", metrics=metrics, seed=3)) == ["shuffled", "constant"]


def test_the_best_constant_of_2500_sentences_is_found_at_once() -> None:
    rng = np.random.default_rng(0)
    references = [[" ".join(map(str, rng.integers(500, size=15)))] for _ in range(2500)]
    begin = time.process_time()  # other tests keep the machine busy
    best_constant(references, "eng_Latn")
    assert time.process_time() - begin < 2
