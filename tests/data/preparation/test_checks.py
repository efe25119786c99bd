"""Checks of labels: each finds what was planted and nothing beside it."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan
from pathlib import Path

import pytest

from sonar_slt.data.preparation.checks import bad_id, check
from sonar_slt.data.release import Entry, Media, Span
from tests.data.preparation.tiny import entries


def found(given: list[Entry], *, repeats: bool = True) -> list[tuple[int, str]]:
    return [(place, f.kind) for place, faults in sorted(check(given, repeats=repeats).items()) for f in faults]


def test_nothing_is_wrong_with_good_labels() -> None:
    assert found(entries()) == []


@pytest.mark.parametrize("id", ["", " ", "a/b", "a\\b", "..", ".", ".hidden", "a\0b", "a\nb", "\ud800", "x" * 201])
def test_an_id_that_cannot_name_a_file(id: str) -> None:
    given = entries()
    given[4] = replace(given[4], id=id)
    assert found(given) == [(4, "bad_id")]
    assert "line 6 of 'train.csv'" in check(given)[4][0].told


@pytest.mark.parametrize("id", ["-abc", "_BOJ9cYPRe4_16-8-rgb_front", "a.b..c", "über", "S000020_P0000_T00", "手"])
def test_an_odd_id_is_a_good_one(id: str) -> None:
    assert bad_id(id) is None


def test_the_second_of_two_ids_is_the_fault() -> None:
    given = entries()
    given[7] = replace(given[7], id=given[2].id)
    [fault] = check(given)[7]
    assert found(given) == [(7, "duplicate_id")]
    assert "line 4 of 'train.csv'" in fault.told and "line 3 of 'dev.csv'" in fault.told


@pytest.mark.parametrize(
    "span", [Span(3, 3), Span(5, 4), Span(-1, 2), Span(nan, 2), Span(0, nan), Span(0, inf), Span(-inf, 2)]
)
@pytest.mark.parametrize("of", ["pictures", "pose"])
def test_a_span_without_time(span: Span, of: str) -> None:
    given = entries()
    given[1] = replace(given[1], **{of: Media("video", Path("v.mp4"), span)})
    assert found(given) == [(1, "span_empty")]
    assert "'v.mp4'" in check(given)[1][0].told


def test_a_split_that_is_not_told() -> None:
    given = entries()
    given[0] = replace(given[0], split="")
    assert found(given) == [(0, "missing_split")]


@pytest.mark.parametrize("texts", [{}, {"deu_Latn": ()}, {"deu_Latn": ("",), "eng_Latn": (" \t",)}])
def test_a_clip_without_a_sentence(texts: dict[str, tuple[str, ...]]) -> None:
    given = entries()
    given[3] = replace(given[3], texts=texts)
    assert found(given) == [(3, "empty_text")]


def test_a_sentence_by_a_machine_or_in_one_language_is_one() -> None:
    given = entries()
    given[3] = replace(given[3], texts={}, pseudo={"fra_Latn": ("Une phrase.",)})
    given[4] = replace(given[4], texts={"deu_Latn": ("",), "eng_Latn": ("Something else.",)})
    assert found(given) == []


def test_half_a_character() -> None:
    given = entries()
    given[3] = replace(given[3], texts={"deu_Latn": ("Regen \udce4",)})
    assert found(given) == [(3, "mojibake")]


def test_a_sentence_that_comes_again_names_the_first_once() -> None:
    given = entries()
    for place in (3, 5):  # equal in both languages, and still one fault each
        given[place] = replace(given[place], texts=given[1].texts)
    assert found(given) == [(3, "duplicate_sentence"), (5, "duplicate_sentence")]
    assert all("train-1" in check(given)[place][0].told for place in (3, 5))
    assert found(given, repeats=False) == []


def test_equal_sentences_of_two_languages_or_of_one_clip_are_no_repetition() -> None:
    given = entries()
    given[1] = replace(given[1], texts={"deu_Latn": ("Hamburg.",)})
    given[2] = replace(given[2], texts={"eng_Latn": ("Hamburg.", "Hamburg.")})
    assert found(given) == []


def test_a_sentence_of_train_elsewhere_is_a_leak_of_the_other_split() -> None:
    given = entries()
    given[8] = replace(given[8], texts={**given[8].texts, "eng_Latn": given[5].texts["eng_Latn"]})
    given[9] = replace(given[9], texts=given[7].texts)  # of dev, in test: nobody learns it
    assert found(given) == [(8, "leak")]
    assert "train-5" in check(given)[8][0].told
