"""What scores are called, and which way is better, is said once and for all who show them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sonar_slt.runs.scores.numbers import digits_of, is_number, rounded, score_text
from sonar_slt.runs.scores.titles import (
    ERRORS,
    TITLES,
    figure_title,
    for_pages,
    heading,
    higher_is_better,
    language_title,
    title,
)


def test_every_metric_that_can_be_chosen_has_a_title() -> None:
    there = {path.stem for path in (Path(__file__).parents[3] / "conf" / "metrics").glob("*.yaml")}
    assert there <= TITLES.keys()


@pytest.mark.parametrize("name", TITLES)
def test_all_agree_which_way_is_better(name: str) -> None:
    for key in (name, f"{name}/unseen", f"{name}/deu_Latn"):
        assert higher_is_better(key) is (name not in ERRORS)
    assert heading(name).endswith("↓") is (name in ERRORS) is (name in for_pages()["errors"])
    assert (
        for_pages()["titles"][name] == title(name) == figure_title(f"{name}/unseen").removesuffix(", unseen languages")
    )


def test_a_language_is_called_by_its_name_where_it_is_one() -> None:
    assert (language_title("deu_Latn"), language_title("und_Zzzz")) == ("German", "und_Zzzz")
    assert figure_title("bleu/und_Zzzz") == "BLEU, und_Zzzz"


def test_only_what_one_can_reckon_with_is_a_number() -> None:
    assert all(map(is_number, (0, -1.5, 10**400)))
    assert not any(map(is_number, (True, None, "1", float("nan"), float("inf"), -float("inf"))))
    assert [score_text(None), score_text(12.34), score_text(0.1234, "bleurt")] == ["", "12.3", "0.123"]
    assert [rounded(size, digits_of(size)) for size in (123.45, 1.234, 0.1234, 0.0012345)] == [
        "123.5", "1.23", "0.123", "0.00123",
    ]  # fmt: skip
