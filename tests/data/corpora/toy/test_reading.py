"""What is rendered is read back exactly, what is damaged as far as it says something, and any text at all is read."""

import re
import time
from random import Random

import pytest

from sonar_slt.data.corpora.toy.meaning import Contrast, Meaning, Temperature, Wind, draw, one_slot_changes
from sonar_slt.data.corpora.toy.reading import MAIN, SLOTS, Reading, read
from sonar_slt.data.corpora.toy.sentences import LANGUAGES, render
from sonar_slt.errors import UserError

RAIN = Meaning("monday", "north", "rain", "probable", True, None)


def meanings(size: int, seed: int) -> list[Meaning]:
    random = Random(seed)
    return [draw(random) for _ in range(size)]


@pytest.mark.properties
@pytest.mark.parametrize("code", LANGUAGES)
def test_every_rendering_of_every_meaning_is_read_back_exactly(code: str) -> None:
    for meaning in meanings(1500, seed=11):
        for sentence in render(meaning, code):
            found = read(sentence, code)
            assert found == Reading.of(meaning) and found.complete, sentence


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_changed_slot_is_the_only_one_that_is_read_otherwise(code: str) -> None:
    random = Random(5)
    for meaning in meanings(80, seed=4):
        if meaning.second is None:
            continue
        for changed in one_slot_changes(meaning, random, 3):
            one, other = (read(render(each, code)[0], code) for each in (meaning, changed))
            apart = {slot for slot in SLOTS if getattr(one, slot) != getattr(other, slot)}
            assert apart and (apart <= set(SLOTS) - set(MAIN) or len(apart) == 1)


@pytest.mark.properties
@pytest.mark.parametrize("code", LANGUAGES)
def test_a_dropped_word_takes_away_and_never_adds(code: str) -> None:
    """Without one of its words a sentence says what it said or less, but for what no word stands for."""
    random, kept, said = Random(2), 0, 0
    lesser = {"tonight": "today", "thunderstorm": "storm"}  # `heute Nacht` without `Nacht` is another time
    for meaning in meanings(300, seed=6):
        whole = Reading.of(meaning)
        words = random.choice(render(meaning, code)).split()
        at = random.randrange(len(words))
        found = read(" ".join(words[:at] + words[at + 1 :]), code)
        for slot in ("time", "region", "phenomenon", "other_region", "other_phenomenon", "extreme", "strength"):
            meant = getattr(whole, slot)
            assert getattr(found, slot) in (None, meant, lesser.get(meant)), (slot, words, at)
        kept += sum(getattr(found, slot) == getattr(whole, slot) for slot in MAIN)
        said += len(MAIN)
    assert 0.85 < kept / said < 1


@pytest.mark.parametrize("code", LANGUAGES)
def test_case_punctuation_and_composition_say_nothing(code: str) -> None:
    import unicodedata

    for meaning in meanings(40, seed=8):
        for sentence in render(meaning, code):
            bare = re.sub(r"[.,]", "", sentence)
            for text in (bare, sentence.casefold(), unicodedata.normalize("NFD", sentence), f"  {bare} !? "):
                assert read(text, code) == Reading.of(meaning), text


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        ("Regen.", {"phenomenon": "rain", "likelihood": "certain", "negated": False, "second": "none"}),
        ("Heute Nacht", {"time": "tonight", "second": "none"}),
        ("Küste Küste Küste", {"region": "coast", "second": "none"}),
        ("Am Montag am Dienstag Schnee im Osten", {
            "region": "east", "phenomenon": "snow", "likelihood": "certain", "negated": False, "second": "none"}),
        ("Am Montag gibt es Schnee Regen im Osten", {
            "time": "monday", "region": "east", "likelihood": "certain", "negated": False, "second": "none"}),
        ("bei höchstens minus 5 Grad, der Wind weht schwach aus Osten", {}),
        ("Tiefstwerte -5", {"second": "temperature", "extreme": "lowest", "degrees": -5}),
        ("Tiefstwerte 999", {"second": "temperature", "extreme": "lowest"}),
        ("Im Osten gibt es Schnee in Bayern gibt es Regen", {
            "region": "east", "phenomenon": "snow", "likelihood": "certain", "negated": False,
            "second": "contrast", "other_region": "bavaria", "other_phenomenon": "rain"}),
    ],
)  # fmt: skip
def test_what_is_missing_or_contradictory_is_none(text: str, slots: dict[str, object]) -> None:
    assert read(text, "deu_Latn") == Reading(**slots)  # type: ignore[arg-type]


def test_a_turkish_verb_says_whether_and_how_likely() -> None:
    assert read("Kuzeyde yağmur", "tur_Latn") == Reading(region="north", phenomenon="rain", second="none")
    said = read("Kuzeyde muhtemelen yağmur olabilir", "tur_Latn")
    assert said.likelihood is None and said.negated is False, "probable and merely possible at once"


def test_a_direction_is_no_region() -> None:
    meaning = Meaning("today", "north", "fog", "possible", False, Wind("north", "strong"))
    for code in LANGUAGES:
        assert all(read(text, code) == Reading.of(meaning) for text in render(meaning, code))


def test_a_meaning_without_all_of_its_slots_is_not_complete() -> None:
    assert not read("", "eng_Latn").complete
    assert not read("On Monday there will be rain", "eng_Latn").complete
    assert not Reading(second="wind", **{slot: getattr(RAIN, slot) for slot in MAIN}).complete
    for second in (None, Temperature("lowest", 3), Contrast("but", "east", "sun")):
        assert Reading.of(Meaning("today", "north", "rain", "certain", False, second)).complete


@pytest.mark.properties
@pytest.mark.parametrize("code", LANGUAGES)
def test_any_text_is_read(code: str) -> None:
    random = Random(0)
    assert read("", code) == read(" .,;\n", code) == Reading()
    odd = ["\ud800", "\x00", "İ", "ﬁ", "٣٤", "²", "९", "-", "−−5", "5" * 5000, "\U0001f327", "e\u0301\u0301", "ß"]
    for _ in range(300):
        pieces = [*odd, *render(RAIN, random.choice(LANGUAGES))[0].split(), chr(random.randrange(0x110000))]
        read(random.choice(["", " "]).join(random.choices(pieces, k=random.randrange(12))), code)


def test_another_language_is_refused_with_those_that_are_read() -> None:
    with pytest.raises(UserError, match=r"read in deu_Latn, .*not in 'pes_Arab'"):
        read("", "pes_Arab")


def test_a_thousand_sentences_take_well_under_a_second() -> None:
    said = [sentence for meaning in meanings(334, seed=1) for sentence in render(meaning, "deu_Latn")]
    read(said[0], "deu_Latn")
    begun = time.process_time()
    for sentence in said:
        read(sentence, "deu_Latn")
    assert time.process_time() - begun < 0.5
