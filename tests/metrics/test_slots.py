"""Slot accuracy says which part of a meaning is kept, and holds for toy sentences alone."""

import subprocess
import sys
from random import Random

import numpy as np
import pytest
import yaml

from sonar_slt.config.location import conf_folder
from sonar_slt.data.corpora.toy.meaning import Contrast, Meaning, Temperature, draw, one_slot_changes
from sonar_slt.data.corpora.toy.sentences import LANGUAGES, render
from sonar_slt.errors import UserError
from sonar_slt.metrics.slots import Slots, slot_accuracy, slot_rate

MEANT = Meaning("monday", "north", "rain", "probable", True, None)
WARM = Meaning("monday", "north", "rain", "certain", False, Temperature("highest", 20))


def test_every_way_of_a_meaning_is_wholly_right() -> None:
    random = Random(1)
    meanings = [draw(random) for _ in range(100)]
    for code in LANGUAGES:
        references = [render(meaning, code) for meaning in meanings]
        for way in range(len(references[0])):
            scores = slot_accuracy([ways[way] for ways in references], references, code)
            assert scores.accuracy == scores.exact == 100 and (scores.sentences == 100).all()
            assert sum(counts.n for counts in scores.slots.values()) > 600


@pytest.mark.parametrize("code", LANGUAGES)
def test_meanings_references_and_one_reference_give_the_same(code: str) -> None:
    said = [render(each, code)[1] for each in one_slot_changes(MEANT, Random(3), 6)]
    found = [
        slot_accuracy(said, [given] * 6, code)
        for given in (MEANT, render(MEANT, code), render(MEANT, code)[2])
    ]  # fmt: skip
    assert found[0].slots == found[1].slots == found[2].slots and found[0].exact == 0


def test_what_is_wrong_left_out_and_invented_is_counted_apart() -> None:
    text = "Am Dienstag gibt es im Norden Regen, aber in Bayern gibt es Schnee."
    scores = slot_accuracy([text], [MEANT], "deu_Latn")
    verdicts = {
        slot: next(kind for kind in ("right", "wrong", "omitted", "hallucinated") if getattr(counts, kind))
        for slot, counts in scores.slots.items()
        if counts.n
    }
    assert verdicts == {
        "time": "wrong", "region": "right", "phenomenon": "right", "likelihood": "omitted", "negated": "omitted",
        "second": "hallucinated", "relation": "hallucinated", "other_region": "hallucinated",
        "other_phenomenon": "hallucinated",
    }  # fmt: skip
    assert scores.accuracy == scores.sentences[0] == pytest.approx(100 * 2 / 9)
    assert (scores.wrong, scores.omitted) == (pytest.approx(100 / 9), pytest.approx(200 / 9))
    assert scores.hallucinated == pytest.approx(400 / 9) and scores.exact == 0


def test_another_kind_of_clause_is_wrong_and_its_slots_come_and_go() -> None:
    scores = slot_accuracy(["Am Montag gibt es im Norden Regen, der Wind weht stark aus Osten."], [WARM], "deu_Latn")
    assert scores.slots["second"].wrong == scores.slots["degrees"].omitted == scores.slots["strength"].n == 1
    assert scores.slots["direction"].hallucinated == 1 and scores.sentences[0] == pytest.approx(100 * 5 / 10)


@pytest.mark.parametrize("text", ["", "   ", "Nein.", "\ud800"])
def test_an_empty_or_senseless_sentence_leaves_everything_out(text: str) -> None:
    scores = slot_accuracy([text], [WARM], "deu_Latn")
    assert scores.accuracy == 0 and scores.omitted == 100 and scores.slots["time"].accuracy == 0


def test_the_metric_is_the_same_rate_and_its_statistics_add_up() -> None:
    random = Random(9)
    meanings = [draw(random) for _ in range(60)]
    said = [render(one_slot_changes(meaning, random, 1)[0] if row % 2 else meaning, "fra_Latn")[0]
            for row, meaning in enumerate(meanings)]  # fmt: skip
    references = [render(meaning, "fra_Latn") for meaning in meanings]
    measured, scores = Slots().measure(said, references, "fra_Latn"), slot_accuracy(said, meanings, "fra_Latn")
    assert measured.value == pytest.approx(scores.accuracy) and 70 < measured.value < 99
    assert np.allclose(measured.sentences, scores.sentences)
    assert slot_rate(measured.statistics.sum(0, keepdims=True))[0] == pytest.approx(measured.value)
    halves = [Slots().measure(said[part], references[part], "fra_Latn") for part in (slice(0, 20), slice(20, None))]
    assert np.array_equal(np.concatenate([half.statistics for half in halves]), measured.statistics)


@pytest.mark.parametrize(
    ("reference", "code", "told"),
    [
        ("Der Himmel ist blau.", "deu_Latn", "sentence 1, 'Der Himmel ist blau.', says no meaning"),
        ("Am Montag Regen.", "deu_Latn", "says no meaning"),
        (render(MEANT, "deu_Latn")[:1] + render(WARM, "deu_Latn")[:1], "deu_Latn", "says several meanings"),
        ("今天下雨。", "zho_Hans", "reads toy sentences in deu_Latn, .*not in zho_Hans"),
    ],
)
def test_anything_but_toy_sentences_is_refused(reference: str | list[str], code: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        slot_accuracy(["Nein."], [reference], code)
    with pytest.raises(UserError, match=told):
        Slots().measure(["Nein."], [[reference] if isinstance(reference, str) else reference], code)


def test_sides_of_different_lengths_are_refused() -> None:
    for said, meant in ((["a"], []), ([], [])):
        with pytest.raises(UserError, match="cannot be held against"):
            slot_accuracy(said, meant, "deu_Latn")


def test_its_yaml_names_it() -> None:
    raw = yaml.safe_load((conf_folder() / "metrics" / "slots.yaml").read_text(encoding="utf-8"))
    assert raw == {"_target_": f"{Slots.__module__}.Slots"} and Slots.name == "slots"


def test_no_torch_is_loaded() -> None:
    code = "import sys; import sonar_slt.metrics.slots, sonar_slt.metrics.diagnosis; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_contrast_that_changes_places_is_seen() -> None:
    """Which of two regions has the rain: the very mistake that scores of words hardly see."""
    meant = Meaning("today", "coast", "rain", "certain", False, Contrast("but", "east", "sun"))
    swapped = Meaning("today", "east", "rain", "certain", False, Contrast("but", "coast", "sun"))
    for code in LANGUAGES:
        scores = slot_accuracy([render(swapped, code)[0]], [meant], code)
        assert scores.slots["region"].wrong == scores.slots["other_region"].wrong == 1
        assert scores.sentences[0] == pytest.approx(100 * 7 / 9)
