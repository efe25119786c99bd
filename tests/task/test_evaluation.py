"""An evaluation in the micro world: every figure stands beside others, and each is what a plain computation gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from sonar_slt.config.assembly import assemble
from sonar_slt.files import read_lines
from sonar_slt.metrics import score_translations
from sonar_slt.metrics.diagnosis import diagnosis
from sonar_slt.metrics.ngrams.bleu import Bleu
from sonar_slt.task.judging.evaluation import Evaluation, evaluate
from sonar_slt.task.judging.translated import Judging
from sonar_slt.task.judging.whereabouts import Training, Whereabouts, known, own_sentence_first

pytestmark = pytest.mark.smoke

CODES = ["deu_Latn", "tur_Latn"]


@pytest.fixture(scope="module")
def made(request: pytest.FixtureRequest) -> Any:
    """The parts of an untrained micro training."""
    from tests.conftest import MICRO, composed

    outputs, space = request.getfixturevalue("outputs"), request.getfixturevalue("space_folder")
    return assemble(composed("train", outputs, {**MICRO, "recipe": "null", "space.source": str(space)}))


@pytest.fixture(scope="module")
def evaluation(made: Any) -> Evaluation:
    how = Judging(resamples=50, shown=3)
    return evaluate(made.task.adapter, made.task.student, made.data, split="test", languages=CODES, how=how)


def test_every_score_has_what_makes_it_comparable(evaluation: Evaluation) -> None:
    for entry in evaluation.metrics["scores"]:
        for name in ("bleu", "chrf", "rouge_l"):
            low, high = entry[name]["interval"]
            assert low <= entry[name]["value"] <= high and "version:" in entry[name]["signature"]
        assert entry["n"] == 12 and entry["references"] == "human" and entry["resamples"] == 50
        lines = evaluation.hypotheses[entry["language"]]
        alone = score_translations(
            [line["hypothesis"] for line in lines],
            [line["references"] for line in lines],
            lang=entry["language"],
            ids=[line["id"] for line in lines],
            resamples=50,
        )
        assert alone["ids_hash"] == entry["ids_hash"] and alone["scores"]["bleu"] == entry["bleu"]
        assert alone["warnings"] == entry["warnings"]


def test_the_floors_are_scores_of_what_saw_no_clip(evaluation: Evaluation, made: Any) -> None:
    entry = evaluation.metrics["scores"][0]
    references = [line["references"] for line in evaluation.hypotheses["deu_Latn"]]
    constant = entry["floors"]["constant"]
    said = [constant["sentence"]] * 12
    assert score_translations(said, references, lang="deu_Latn")["scores"]["bleu"]["value"] == constant["bleu"]
    every = {text for row in made.data.rows["train"] for text in row.references("deu_Latn")}
    assert constant["sentence"] in {text for given in references for text in given}
    assert entry["floors"].keys() == {"shuffled", "constant", "nearest"} and every


def test_the_parts_make_up_the_whole(made: Any) -> None:
    how = Judging(resamples=5, metrics=(Bleu(),))
    found = evaluate(made.task.adapter, made.task.student, made.data, split="train", languages=["deu_Latn"], how=how)
    lengths = found.breakdown["deu_Latn"]["length"]
    assert len(lengths) > 1 and sum(row["n"] for row in lengths) == 24
    assert "sentence" not in found.breakdown["deu_Latn"] and all(line["known"] for line in found.hypotheses["deu_Latn"])


def test_each_sentence_has_its_own_scores(evaluation: Evaluation, made: Any, tmp_path: Path) -> None:
    evaluation.write(tmp_path)
    lines = list(read_lines(tmp_path / "hypotheses" / "test.tur_Latn.jsonl"))
    rows = {row.id: row for row in made.data.rows["test"]}
    assert [line["id"] for line in lines] == list(rows)
    for line in lines:
        assert line["scores"].keys() == {"bleu", "chrf", "rouge_l"} and not line["seen"] and not line["known"]
        assert line["frames"] == rows[line["id"]].frames and line["signer"] == rows[line["id"]].signer
        assert (line["log_likelihood"] is None) == (not line["hypothesis"].strip())
        assert line["log_likelihood"] is None or line["log_likelihood"] < 0
    assert len(json.loads((tmp_path / "skeletons.json").read_text("utf-8"))["clips"]) == 3
    places = json.loads((tmp_path / "space.json").read_text("utf-8"))
    assert places["ids"] == list(rows) and len(places["z"]) == len(places["nearest"]) == len(places["rank"]) == 12
    assert places["cosine"] == pytest.approx([line["cosine"] for line in evaluation.hypotheses["deu_Latn"]], abs=1e-3)


def test_vectors_that_are_the_teachers_find_their_sentences(made: Any) -> None:
    rows = list(made.data.rows["test"])
    code, kept, sentences = known(made.data, rows)
    s = made.data.cache.encode(sentences, code)
    found = Whereabouts.of(made.data, rows, s)
    assert kept == list(range(12)) and found.retrieval["at_1"] == 100 and found.retrieval["median_rank"] == 1
    assert found.near[:, 0].tolist() == kept and torch.allclose(found.cosines, torch.ones(12))
    assert torch.equal(found.z, found.s) and 0 < sum(found.explained) <= 1
    assert own_sentence_first(made.data, rows, s) == 100
    assert own_sentence_first(made.data, rows, s.roll(1, 0)) < 50


@pytest.mark.parametrize("block", [5, 8192])
def test_the_nearest_training_clip_is_found_in_blocks(made: Any, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sonar_slt.task.judging.whereabouts.BLOCK", block)
    training = Training(made.data, CODES)
    rows = made.data.rows["train"]
    s = made.data.cache.encode([row.references(made.data.targets[0])[0] for row in rows], made.data.targets[0])
    order = [7, 3, 23, 0]
    assert training.nearest(s[order]) == order
    assert training.say(order, "tur_Latn") == [rows[place].references("tur_Latn")[0] for place in order]
    assert set(training.say(order, "deu_Latn")) <= training.known["deu_Latn"] and training.say([0], "zho_Hans") == [""]


def test_what_is_wrong_with_it_is_said(evaluation: Evaluation) -> None:
    assert evaluation.metrics["diagnosis"] == [
        found.as_json() for found in diagnosis(evaluation.metrics, lines=evaluation.hypotheses)
    ]
