"""Words of texts in any script."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonar_slt.languages import LANGUAGES
from sonar_slt.metrics.words.cutting import signature, spaced, words

CUT = [
    ("deu_Latn", "Größe: für 3,5 Euro.", ["Größe", ":", "für", "3,5", "Euro", "."]),
    (
        "deu_Latn",
        "Die U-Bahn - geht's? 12:30, -3°",
        [*("Die", "U-Bahn", "-", "geht's", "?"), *("12", ":", "30", ",", "-", "3", "°")],
    ),
    ("fra_Latn", "L’eau «froide», aujourd'hui...", ["L’eau", "«", "froide", "»", ",", "aujourd'hui", ".", ".", "."]),
    ("tur_Latn", "İzmir’de ılık, Iğdır", ["İzmir’de", "ılık", ",", "Iğdır"]),
    ("arb_Arab", "السلام عليكم، كيف؟", ["السلام", "عليكم", "،", "كيف", "؟"]),
    ("pes_Arab", "خانه\u200cها", ["خانه\u200cها"]),
    ("hin_Deva", "धीरे-धीरे चलो।", ["धीरे-धीरे", "चलो", "।"]),
    ("kor_Hang", "내일 눈이 옵니다.", ["내일", "눈이", "옵니다", "."]),
    ("zho_Hans", "明天 iPhone15 涨3.5%。", ["明", "天", "iPhone15", "涨", "3.5", "%", "。"]),
    ("yue_Hant", "你哋好！", ["你", "哋", "好", "！"]),
    ("jpn_Jpan", "東京タワーへ、5時々。", ["東", "京", "タ", "ワ", "ー", "へ", "、", "5", "時", "々", "。"]),
    ("tha_Thai", "ฝนตก 30 มม.", ["ฝ", "น", "ต", "ก", "30", "ม", "ม", "."]),
    ("khm_Khmr", "ភ្លៀង", ["ភ្", "លៀ", "ង"]),
    ("lao_Laoo", "ຝົນຕົກ", ["ຝົ", "ນ", "ຕົ", "ກ"]),
    ("mya_Mymr", "မိုးရွာ", ["မိုး", "ရွာ"]),
    ("bod_Tibt", "ཆར་པ།", ["ཆ", "ར", "་", "པ", "།"]),
]


@pytest.mark.parametrize(("lang", "text", "expected"), CUT, ids=[lang for lang, _, _ in CUT])
def test_words_are_cut_as_the_script_wants_it(lang: str, text: str, expected: list[str]) -> None:
    assert words(text, lang) == words(text) == expected


def test_case_and_punctuation_may_be_left_out() -> None:
    assert words("Ja, U-Bahn!", "deu_Latn", cased=False, punctuation=False) == ["ja", "u-bahn"]
    assert words("好 😀！", "zho_Hans", punctuation=False) == ["好"]
    assert words(" \t", "deu_Latn") == []


def test_a_foreign_word_in_a_language_with_spaces_stays_whole() -> None:
    assert words("das 明天 heißt", "deu_Latn") == ["das", "明天", "heißt"]
    assert words("das 明天 heißt") == ["das", "明", "天", "heißt"]


def test_languages_without_spaces_are_known_by_their_script() -> None:
    without = {code for code in LANGUAGES if not spaced(code)}
    assert without == {
        *("zho_Hans", "zho_Hant", "yue_Hant", "jpn_Jpan", "tha_Thai", "khm_Khmr", "lao_Laoo"),
        *("mya_Mymr", "shn_Mymr", "bod_Tibt", "dzo_Tibt"),
    }


@given(text=st.text(max_size=30), lang=st.sampled_from(["deu_Latn", "zho_Hans", "tha_Thai", None]))
def test_no_character_is_lost_and_forms_of_letters_are_equal(text: str, lang: str | None) -> None:
    found = words(text, lang)
    assert "".join(found) == "".join(unicodedata.normalize("NFC", text).split())
    assert words(unicodedata.normalize("NFD", text), lang) == found
    assert words(f" {text}\n", lang) == found


def test_the_signature_tells_how_words_were_compared() -> None:
    told = signature([["a"], ["b", "c"]], "tha_Thai", cased=False, punctuation=True, extra="beta:1")
    assert told == "nrefs:var|case:lc|tok:characters|punct:yes|beta:1|version:sonar-slt-1"
    assert signature([["a", "b"]], "deu_Latn", cased=True, punctuation=False).startswith("nrefs:2|case:mixed|tok:words")
