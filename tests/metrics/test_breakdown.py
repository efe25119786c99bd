"""A part of a corpus is scored from the statistics of the whole."""

from __future__ import annotations

from collections import Counter

import pytest

from sonar_slt.metrics.breakdown import breakdown, by_length
from sonar_slt.metrics.ngrams.bleu import Bleu
from sonar_slt.metrics.ngrams.chrf import Chrf
from sonar_slt.metrics.words.rouge_l import RougeL
from sonar_slt.metrics.words.wer import Wer
from tests.metrics.forecasts import said

METRICS = [Bleu(), Chrf(), RougeL(), Wer()]
HYPOTHESES, REFERENCES = said("deu_Latn", 40)
MEASURED = {metric.name: metric.measure(HYPOTHESES, REFERENCES, "deu_Latn") for metric in METRICS}


def test_a_group_scores_as_its_sentences_do_alone() -> None:
    groups = ["Signer10" if row % 3 else "Signer2" for row in range(40)]
    rows = breakdown(MEASURED, groups, resamples=200, seed=1)
    assert [(row["group"], row["n"]) for row in rows] == [("Signer2", 14), ("Signer10", 26)]
    for row in rows:
        own = [number for number, group in enumerate(groups) if group == row["group"]]
        for metric in METRICS:
            alone = metric.measure([HYPOTHESES[i] for i in own], [REFERENCES[i] for i in own], "deu_Latn")
            low, high = row[metric.name]["interval"]
            assert row[metric.name]["value"] == pytest.approx(alone.value, abs=1e-9)
            assert low < row[metric.name]["value"] < high


def test_small_groups_share_a_row_and_unknown_ones_have_none() -> None:
    groups = ["a"] * 20 + ["b"] * 3 + ["c"] * 4 + [None] * 13
    rows = breakdown(MEASURED, groups, resamples=10, seed=1)
    assert [(row["group"], row["n"]) for row in rows] == [("a", 20), ("2 smaller groups", 7)]
    rows = breakdown(MEASURED, ["a"] * 37 + ["b"] * 3, resamples=10, seed=1)
    assert [(row["group"], row["n"]) for row in rows] == [("a", 37), ("b", 3)]
    assert rows[1]["bleu"]["interval"] is None and rows[0]["bleu"]["interval"]
    rows = breakdown(MEASURED, ["a"] * 37 + ["b"] * 3, resamples=10, seed=1, least=1)
    assert rows[1]["bleu"]["interval"] is not None


@pytest.mark.parametrize("groups", [["a"] * 40, [None] * 40, ["a"] * 20 + [None] * 20, [str(i) for i in range(40)]])
def test_one_group_is_no_breakdown(groups: list[str | None]) -> None:
    assert breakdown(MEASURED, groups, resamples=10, seed=1) == []


def test_without_resamples_there_are_no_intervals_and_a_seed_gives_the_same_ones() -> None:
    groups = ["a", "b"] * 20
    assert breakdown(MEASURED, groups, resamples=0, seed=1)[0]["chrf"]["interval"] is None
    one, again, other = (breakdown(MEASURED, groups, resamples=50, seed=seed) for seed in (1, 1, 2))
    assert one == again != other


def test_lengths_fall_into_ranges_of_about_as_many_sentences() -> None:
    references = [[" ".join(["Wort"] * (1 + number % 40)) + " ."] for number in range(400)]
    counts = Counter(by_length(references, "deu_Latn"))
    assert counts == {"1 to 10 words": 100, "11 to 20 words": 100, "21 to 30 words": 100, "31 to 40 words": 100}
    measured = {"rouge_l": RougeL().measure([given[0] for given in references], references, "deu_Latn")}
    rows = breakdown(measured, by_length(references, "deu_Latn"), resamples=5, seed=1)
    assert [row["group"] for row in rows] == ["1 to 10 words", "11 to 20 words", "21 to 30 words", "31 to 40 words"]


def test_few_lengths_make_few_ranges() -> None:
    assert by_length([["a"]] * 4, "eng_Latn") == ["1 word"] * 4
    assert by_length([["明天雪。", "x"], ["雪"]], "zho_Hans") == ["3 characters", "1 character"]
    assert by_length([[""]], "eng_Latn") == ["0 words"]
    every = by_length([["a " * n] for n in [1, 1, 1, 1, 1, 1, 1, 2, 9]], "eng_Latn")
    assert Counter(every) == {"1 word": 7, "2 to 9 words": 2}
