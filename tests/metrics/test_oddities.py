"""What is odd about hypotheses and references is counted, and nothing else."""

from __future__ import annotations

import pytest

from sonar_slt.metrics.oddities import oddities
from tests.metrics.forecasts import SENTENCES

BROKEN = "sentences with control characters or U+FFFD"
FOREIGN = "hypotheses mostly in another script"
ODD = [
    (
        "deu_Latn",
        ["", " \t"],
        [["a"], ["b"]],
        {"empty hypotheses": 2, BROKEN: 1},
    ),
    ("deu_Latn", ["a", "b"], [["a", " "], ["b"]], {"empty references": 1}),
    ("deu_Latn", ["Es regnet .", "Ja."], [["Es regnet."], ["Ja ."]], {"hypotheses that end in a detached period": 1}),
    ("zho_Hans", ["明天下雪 。", "好。"], [["明天下雪。"], ["好"]], {"hypotheses that end in a detached period": 1}),
    ("deu_Latn", ["f\ufffdr", "a\x07"], [["für"], ["a"]], {BROKEN: 2}),
    ("deu_Latn", ["fine"], [["f\x85ne"]], {BROKEN: 1}),
    (
        "deu_Latn",
        ["Завтра снег", "3 °C"],
        [["Morgen schneit es"], ["3 °C"]],
        {FOREIGN: 1},
    ),
    ("ory_Orya", ["ଓଡ଼ିଆ", "hello"], [["ଓଡ଼ିଆ"], ["ଓଡ଼ିଆ"]], {FOREIGN: 1}),
    (
        "jpn_Jpan",
        ["雪がふる", "ＡＢＣ abc"],
        [["雪がふった"] * 2, ["あいうえおか"]],
        {FOREIGN: 1},
    ),
    (
        "eng_Latn",
        ["rain", "rain", "rain ", "snow"],
        [["rain"], ["fog"], ["sun"], ["snow"]],
        {"hypotheses that are one and the same sentence": 3},
    ),
    (
        "eng_Latn",
        ["rain and rain and rain", "fog"],
        [["rain", "a rain"], ["fog"]],
        {"hypotheses over 3 times as long as their longest reference": 1},
    ),
]


@pytest.mark.parametrize(("lang", "hypotheses", "references", "expected"), ODD)
def test_each_oddity_is_counted(
    lang: str, hypotheses: list[str], references: list[list[str]], expected: dict[str, int]
) -> None:
    assert oddities(hypotheses, references, lang) == expected


@pytest.mark.parametrize("lang", SENTENCES)
def test_ordinary_translations_have_none(lang: str) -> None:
    assert oddities(SENTENCES[lang], [[text] for text in SENTENCES[lang]], lang) == {}


def test_a_sentence_that_is_mostly_right_may_be_said_often() -> None:
    assert oddities(["ja"] * 4, [["ja"]] * 4, "deu_Latn") == {}
    assert oddities(["ja"] * 2, [["ja"], ["nein"]], "deu_Latn") == {}
    assert oddities([""] * 4, [["ja"]] * 4, "deu_Latn") == {"empty hypotheses": 4}


def test_traditional_and_simplified_characters_are_one_script() -> None:
    assert oddities(["後天有雨"], [["后天有雨"]], "zho_Hans") == {}
