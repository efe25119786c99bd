"""Paired tests: sacrebleu's own numbers, from statistics that were taken once; chance is told from a difference."""

from __future__ import annotations

import os
import random

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER
from sacrebleu.significance import PairedTest

from sonar_slt.errors import UserError
from sonar_slt.metrics.metric import Metric
from sonar_slt.metrics.significance import compared
from sonar_slt.metrics.text import USUAL, measurements
from sonar_slt.metrics.words.ter import Ter

METRICS: tuple[Metric, ...] = (*USUAL, Ter())
FORECAST = "the rain will fall in the north while wind is weak and some sun can be seen tomorrow"
WORDS = FORECAST.split()
N = 120


def system(seed: int, wrong: float) -> tuple[list[str], list[list[str]]]:
    """Sentences, and a system that gets each word wrong with this probability."""
    draw, noise = random.Random(7), random.Random(seed)
    references = [draw.choices(WORDS, k=draw.randint(5, 12)) for _ in range(N)]
    said = [[noise.choice(WORDS) if noise.random() < wrong else word for word in words] for words in references]
    return [" ".join(words) for words in said], [[" ".join(words)] for words in references]


@pytest.mark.parametrize("references", [1, 2])
def test_the_tests_are_those_of_sacrebleu(references: int, monkeypatch: pytest.MonkeyPatch) -> None:
    one, wanted = system(1, 0.30)
    two, _ = system(2, 0.36)
    wanted = [given + ["wind is weak"] * (references - 1) for given in wanted]
    found = compared(
        *(measurements(said, wanted, lang="eng_Latn", metrics=METRICS) for said in (one, two)),
        resamples=300,
        trials=300,
        seed=4,
    )
    assert "SACREBLEU_SEED" not in os.environ
    monkeypatch.setenv("SACREBLEU_SEED", "4")
    theirs = {"bleu": BLEU(), "chrf": CHRF(), "ter": TER()}
    for kind, name in (("bs", "bootstrap"), ("ar", "randomisation")):
        streams = [list(stream) for stream in zip(*wanted, strict=True)]
        test = PairedTest([("a", one), ("b", two)], theirs, streams, kind, 300)  # type: ignore[arg-type]
        signatures, results = test()
        for key, title in (("bleu", "BLEU"), ("chrf", "chrF2"), ("ter", "TER")):
            first, second = results[title]
            assert found[key]["value"] == pytest.approx(first.score)  # type: ignore[union-attr]
            assert found[key]["other"] == pytest.approx(second.score)  # type: ignore[union-attr]
            assert found[key][name]["p"] == pytest.approx(second.p_value, abs=1 / 300)  # type: ignore
            assert f"{kind}:300" in found[key][name]["signature"] and "seed:4" in found[key][name]["signature"]
            assert set(str(signatures[title]).split("|")) == set(found[key][name]["signature"].split("|"))


def test_a_difference_is_told_from_chance() -> None:
    same, wanted = system(1, 0.3)
    other, _ = system(3, 0.3)
    worse, _ = system(2, 0.6)
    first, chance, clear = (measurements(said, wanted, lang="eng_Latn") for said in (same, other, worse))
    assert all(
        test["p"] == 1.0
        for score in compared(first, first, resamples=200, trials=200).values()
        for test in (score["bootstrap"], score["randomisation"])
    )
    for score in compared(first, chance, resamples=200, trials=200).values():
        low, high = score["delta_interval"]
        assert low < 0 < high and min(score["bootstrap"]["p"], score["randomisation"]["p"]) > 0.05
    there, back = compared(first, clear, resamples=200, trials=200), compared(clear, first, resamples=200, trials=200)
    for name, score in there.items():
        low, high = score["delta_interval"]
        assert 0 < low < score["delta"] < high and score["bootstrap"]["p"] < 0.01 > score["randomisation"]["p"]
        assert score["delta"] == -back[name]["delta"] and np.allclose(back[name]["delta_interval"], [-high, -low])
        assert score["interval"] == back[name]["other_interval"]


def test_seed_and_sentences_are_required() -> None:
    said, wanted = system(1, 0.3)
    whole, part = measurements(said, wanted, lang="eng_Latn"), measurements(said[:9], wanted[:9], lang="eng_Latn")
    with pytest.raises(UserError, match="different numbers of them"):
        compared(whole, part)
    with pytest.raises(UserError, match="seed of 1 at least"):
        compared(whole, whole, seed=0)
    draws = {"resamples": 100, "trials": 100, "seed": 9}
    other = measurements(system(2, 0.3)[0], wanted, lang="eng_Latn")
    assert compared(whole, other, **draws) == compared(whole, other, **draws)
