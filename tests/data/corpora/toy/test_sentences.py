"""The toy world's sentences: several per meaning, well formed, and never the same for two meanings."""

import re
from itertools import product
from random import Random

import pytest

from sonar_slt.data.corpora.toy.meaning import (
    DEGREES,
    DIRECTIONS,
    EXTREMES,
    LIKELIHOODS,
    PHENOMENA,
    REGIONS,
    RELATIONS,
    STRENGTHS,
    TIMES,
    Contrast,
    Meaning,
    Temperature,
    Wind,
    draw,
    one_slot_changes,
)
from sonar_slt.data.corpora.toy.sentences import LANGUAGES, render
from sonar_slt.errors import UserError
from sonar_slt.languages import language

MAIN_CLAUSES = [
    Meaning(time, region, phenomenon, likelihood, negated, None)
    for time, region, phenomenon, likelihood, negated in product(TIMES, REGIONS, PHENOMENA, LIKELIHOODS, (False, True))
]
SECOND_CLAUSES: list[Temperature | Wind | Contrast] = [
    *(Temperature(extreme, degrees) for extreme in EXTREMES for degrees in DEGREES),
    *(Wind(direction, strength) for direction in DIRECTIONS for strength in STRENGTHS),
    *(Contrast(*slots) for slots in product(RELATIONS, REGIONS, PHENOMENA)),
]


def meanings(size: int, seed: int = 7) -> list[Meaning]:
    random = Random(seed)
    return list(dict.fromkeys(draw(random) for _ in range(size)))


def words(sentence: str) -> list[str]:
    return re.findall(r"[^\s,.]+", sentence)


def test_the_six_languages_are_known() -> None:
    assert LANGUAGES == ("deu_Latn", "eng_Latn", "fra_Latn", "rus_Cyrl", "spa_Latn", "tur_Latn")
    assert [language(code).code for code in LANGUAGES] == list(LANGUAGES)


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_meaning_has_a_few_sentences_always_the_same(code: str) -> None:
    sizes = set()
    for meaning in meanings(300):
        sentences = render(meaning, code)
        assert sentences == render(meaning, code)
        assert 2 <= len(set(sentences)) == len(sentences) <= 4
        sizes.add(len(sentences))
    assert len(sizes) == 1, "each template speaks for every meaning"


@pytest.mark.parametrize("code", LANGUAGES)
def test_sentences_are_well_formed(code: str) -> None:
    for meaning in meanings(1000):
        for sentence in render(meaning, code):
            assert sentence[0].isupper(), sentence
            assert re.fullmatch(r"[\w'-]+(,? [\w'-]+)*\.", sentence), sentence
            assert 4 <= len(words(sentence)) <= 22, sentence


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_two_meanings_share_a_sentence(code: str) -> None:
    every_main_clause = {sentence for meaning in MAIN_CLAUSES for sentence in render(meaning, code)}
    assert len(every_main_clause) == len(MAIN_CLAUSES) * len(render(MAIN_CLAUSES[0], code))
    owner: dict[str, Meaning] = {}
    for meaning in meanings(3000):
        for sentence in render(meaning, code):
            assert owner.setdefault(sentence, meaning) == meaning, sentence


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("negated", [False, True])
def test_every_second_clause_can_be_told_apart(code: str, negated: bool) -> None:
    said = [
        sentence
        for second in SECOND_CLAUSES
        for sentence in render(Meaning("today", "north", "rain", "probable", negated, second), code)
    ]
    assert len(set(said)) == len(said)


@pytest.mark.parametrize("code", LANGUAGES)
def test_one_changed_slot_changes_every_sentence(code: str) -> None:
    random = Random(3)
    for meaning in meanings(60):
        for other in one_slot_changes(meaning, random, 5):
            pairs = zip(render(meaning, code), render(other, code), strict=True)
            assert all(one != another for one, another in pairs)


@pytest.mark.parametrize("code", LANGUAGES)
def test_numbers_are_whole_words_without_a_sign(code: str) -> None:
    for degrees in DEGREES:
        meaning = Meaning("friday", "coast", "fog", "certain", False, Temperature("highest", degrees))
        for sentence in render(meaning, code):
            assert [word for word in words(sentence) if any(c.isdigit() for c in word)] == [str(abs(degrees))]


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_vocabulary_is_small(code: str) -> None:
    seconds = [Meaning("today", "north", "rain", "certain", False, second) for second in SECOND_CLAUSES]
    said = [sentence for meaning in MAIN_CLAUSES + seconds for sentence in render(meaning, code)]
    vocabulary = {word for sentence in said for word in words(sentence) if not word.isdigit()}
    assert 60 <= len(vocabulary) <= 100, len(vocabulary)
    assert sum(len(words(sentence)) for sentence in said) / len(said) <= 14


@pytest.mark.parametrize(
    ("code", "degrees", "ending"),
    [
        ("eng_Latn", -1, "minus 1 degree."),
        ("eng_Latn", 0, "0 degrees."),
        ("fra_Latn", 0, "0 degré."),
        ("fra_Latn", -2, "moins 2 degrés."),
        ("spa_Latn", 1, "1 grado."),
        ("spa_Latn", 0, "0 grados."),
        ("rus_Cyrl", 21, "21 градус."),
        ("rus_Cyrl", 11, "11 градусов."),
        ("rus_Cyrl", -3, "минус 3 градуса."),
        ("rus_Cyrl", 14, "14 градусов."),
        ("rus_Cyrl", 34, "34 градуса."),
    ],
)
def test_degrees_agree_with_their_number(code: str, degrees: int, ending: str) -> None:
    meaning = Meaning("friday", "coast", "fog", "certain", False, Temperature("lowest", degrees))
    assert all(sentence.endswith(ending) for sentence in render(meaning, code))


@pytest.mark.parametrize(
    ("code", "first"),
    [
        ("deu_Latn", "Am Montag gibt es an der Küste wahrscheinlich keine Gewitter und im Osten gibt es Schnee."),
        (
            "eng_Latn",
            "On Monday the weather on the coast will probably bring no thunderstorms, "
            "and there will be snow in the east.",
        ),
        ("fra_Latn", "Lundi, il n'y aura probablement pas d'orages sur la côte, et il y aura de la neige dans l'est."),
        ("spa_Latn", "El lunes probablemente no habrá tormentas en la costa y habrá nieve en el este."),
        ("tur_Latn", "Pazartesi günü kıyıda muhtemelen gök gürültülü fırtına görülmeyecek ve doğuda kar görülecek."),
        ("rus_Cyrl", "В понедельник на побережье, вероятно, не будет грозы, а на востоке будет снег."),
    ],
)
def test_one_sentence_in_full(code: str, first: str) -> None:
    meaning = Meaning("monday", "coast", "thunderstorm", "probable", True, Contrast("and", "east", "snow"))
    assert render(meaning, code)[0] == first


def test_an_unknown_language_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UserError, match="'pes_Arab', only in deu_Latn, eng_Latn"):
        render(meanings(1)[0], "pes_Arab")
