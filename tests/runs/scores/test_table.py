"""The scores on the screen: all of them, in old and new records, and never wider than the terminal."""

from __future__ import annotations

import copy
import io
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from sonar_slt.runs.scores.entries import machine_readable, score_rows
from sonar_slt.runs.scores.table import scores_table

BLEU_SIGNATURE = "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0"
VALUES = {"bleu": 21.34, "chrf": 45.6, "chrf_pp": 44.4, "ter": 71.2, "rouge_l": 41.44, "wer": 80.1, "token_f1": 50.5,
          "bleurt": 0.545, "bertscore": 0.87654}  # fmt: skip


def entry(code: str, name: str, seen: bool, **more: Any) -> dict[str, Any]:
    scores = {
        key: {"value": value, "signature": BLEU_SIGNATURE if key == "bleu" else f"{key}|version:1",
              "interval": [value * 0.9, value * 1.1]}
        for key, value in VALUES.items()
    }  # fmt: skip
    floors = {
        "shuffled": {"bleu": 0.26, "chrf": 14.3},
        "constant": {"bleu": 0.34, "chrf": 15.8, "sentence": "am tag [bold]regen"},
        "nearest": {"bleu": 7.7, "chrf": 20.2},
    }
    return {"language": code, "name": name, "seen": seen, **scores, "ceiling": 90.1, "ae": 89.9, "cosine": 0.5,
            "n": 2642, "ids_hash": "0123456789abcdef", "references": "human", "resamples": 1000, "seed": 1,
            "warnings": {"empty hypotheses": 3}, "floors": floors,
            "breakdown": {"length": [{"group": "1 to 6 words", "n": 4, "bleu": {"value": 1.0}}]}, **more}  # fmt: skip


def legacy() -> dict[str, Any]:
    scores = {name: {"value": 50.0 + n, "signature": f"order:{n}|tok:none"} for n, name in
              enumerate(("bleu_1", "bleu_2", "bleu_3", "bleu_4"), start=1)}  # fmt: skip
    scores |= {"reduced_bleu": {"value": 8.51, "signature": "reduced", "empty_references": 48}}  # type: ignore[dict-item]
    return {"language": "deu_Latn", "protocol": "phoenix14t", "title": "PHOENIX-14T", "scores": scores}


def comparison() -> dict[str, Any]:
    score = {"value": 21.34, "other": 22.0, "delta": -0.66, "delta_interval": [-1.5, 0.2], "interval": [19.0, 23.0],
             "other_interval": [20.0, 24.0], "bootstrap": {"p": 0.0421}, "randomisation": {"p": 0.0001}}  # fmt: skip
    return {"language": "deu_Latn", "system": "2026-11-28_06-31-07-890776_sign_99cb9cc8", "against": "other.txt",
            "resamples": 1000, "trials": 10000, "seed": 1, "scores": {"bleu": score}}  # fmt: skip


FULL: dict[str, Any] = {
    "scores": [
        entry("tur_Latn", "Turkish", False, references="pseudo", warnings={}),
        entry("deu_Latn", "German", True),
    ],
    "legacy": [legacy()],
    "significance": [comparison()],
}


def shown(metrics: dict[str, Any], width: int = 120) -> str:
    stream = io.StringIO()
    Console(width=width, file=stream, highlight=False).print(scores_table(metrics))
    return stream.getvalue()


@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_nothing_is_cut(width: int) -> None:
    text = shown(FULL, width)
    assert max(cell_len(line.rstrip()) for line in text.splitlines()) <= width and "…" not in text
    for words in ("BLEU", "chrF2", "chrF++", "TER ↓", "ROUGE-L", "WER ↓", "token F1", "BLEURT", "BERTScore",
                  "21.3", "19.2–23.5", "0.545", "0.491–0.600", "0.877", "90.1", "89.9", "2,642", "01234567", "pseudo",
                  "a machine's translations"):  # fmt: skip
        assert words in text, words
    heading = next(line.split() for line in text.splitlines() if "BLEU" in line)
    assert heading[:4] == ["language", "BLEU", "ceiling", "auto-enc."]
    assert (len([line for line in text.splitlines() if line.startswith("language")]) == 1) == (width == 200)


def test_trained_languages_come_first_and_warnings_and_floors_below() -> None:
    text = shown(FULL)
    assert text.index("German") < text.index("Turkish") and text.count("3 empty hypotheses") == 1
    order = ["Warning, German", "shuffled references", "nearest training clip", "Difference in German", BLEU_SIGNATURE]
    places = [text.index(words) for words in [*order, "only to be compared with older papers"]]
    assert places == sorted(places)
    row = next(line for line in text.splitlines() if line.startswith("best constant sentence"))
    assert row.split()[-2:] == ["0.3", "15.8"]
    assert text.count(BLEU_SIGNATURE) == 1 and "1,000 resamples" in text
    alone = shown({"scores": FULL["scores"][1:]})
    assert "am tag [bold]regen" in alone and "Legacy" not in alone and "Difference" not in alone


def test_a_comparison_tells_delta_p_and_both_systems() -> None:
    text = shown(FULL)
    for words in ("2026-11-28_06-31-07-890776_sign_99cb9cc8", "other.txt", "-0.7", "-1.5 to 0.2", "0.042", "< 0.001"):
        assert words in text, words


def test_a_legacy_protocol_tells_its_scores_signatures_and_empty_references() -> None:
    text = shown(FULL)
    assert "PHOENIX-14T" in text and "BLEU-4" in text and "54.0" in text and "48 references are empty" in text
    assert text.count("tok:none") == 1 and "BLEU-1, BLEU-2, BLEU-3, BLEU-4  tok:none" in text


def test_old_and_bare_records_are_shown_as_they_are() -> None:
    old = {"language": "deu_Latn", "name": "German [b]", "seen": True, "bleu": {"value": 80.0, "interval": [75, 85]},
           "chrf": {"value": 88.8}, "ceiling": None, "n": 9}  # fmt: skip
    text = shown({"scores": [old, "junk", {"language": "tur_Latn"}, {"language": "eng_Latn", "bleu": None}]}, 80)
    assert "German [b]" in text and "75.0–85.0" in text and "88.8" in text and "tur_Latn" in text
    assert "ceiling" not in text and "auto-enc." not in text
    for metrics in ({}, {"scores": None}, {"scores": [{}]}, {"loss": 1.0}):
        shown(metrics)  # type: ignore[arg-type]


def test_what_machines_read_has_the_promised_form() -> None:
    both = machine_readable(FULL)
    assert list(both) == ["languages"] and list(both["languages"]) == ["tur_Latn", "deu_Latn"]
    one = machine_readable({**FULL, "scores": FULL["scores"][1:]})
    assert one == both["languages"]["deu_Latn"]
    assert one["scores"]["bleu"] == {
        "value": 21.34,
        "signature": BLEU_SIGNATURE,
        "interval": [21.34 * 0.9, 21.34 * 1.1],
    }
    assert list(one["scores"]) == list(VALUES)
    assert (one["n"], one["ids_hash"], one["language"], one["references"]) == (
        2642, "0123456789abcdef", "deu_Latn", "human",
    )  # fmt: skip
    assert one["legacy"]["phoenix14t"]["bleu_4"]["value"] == 54.0
    assert one["significance"]["scores"]["bleu"]["delta"] == -0.66 and "language" not in one["significance"]
    assert "legacy" not in both["languages"]["tur_Latn"]
    before = copy.deepcopy(FULL)
    machine_readable(FULL)
    assert before == FULL and len(score_rows(FULL)) == 2
