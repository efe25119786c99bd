"""A text space of one language: what its pairs are, that it trains and is scored, and a sign student in it."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from sonar_slt.cli.training.training import train
from sonar_slt.data.bitext import Bitext
from sonar_slt.data.corpora.toy.text import ToyText
from sonar_slt.data.held_out import HeldOut
from sonar_slt.errors import UserError
from sonar_slt.metrics.space import space_scores
from tests.conftest import MICRO, MICRO_SPACE, composed

pytestmark = pytest.mark.smoke

GERMAN = {"languages.targets": "[deu_Latn]", "languages.unseen": "[]"}


@pytest.fixture(scope="module")
def german(request: pytest.FixtureRequest) -> tuple[Path, dict[str, Any]]:
    """A micro space of German alone, and its scores."""
    outputs = request.getfixturevalue("outputs")
    folder, metrics = train(composed("train", outputs, {"experiment": "toy_space_german", **MICRO_SPACE}), [])
    return folder / "space", metrics["space"]


def test_a_pair_is_one_meaning_in_two_ways() -> None:
    corpus, random = ToyText(languages=["deu_Latn"]), Random(3)
    pairs = [corpus.pair(random, ["deu_Latn", "deu_Latn"]) for _ in range(50)]
    assert all(first != second for first, second in pairs)
    data = Bitext(corpus=corpus, size=4, vocabulary=400)
    batch = data.batch(0)
    assert data.tokenizer.convert_ids_to_tokens(batch.source.ids[:, 0]) == ["deu_Latn"] * 4
    assert batch.source.ids[:, 0].equal(batch.target.ids[:, 0])
    assert any(a.tolist() != b.tolist() for a, b in zip(batch.source.ids, batch.target.ids, strict=True))


def test_a_language_is_said_once() -> None:
    for wrong in ([], ["deu_Latn", "deu_Latn"]):
        with pytest.raises(UserError, match=r"^data\.languages="):
            ToyText(languages=wrong)


def test_it_is_scored_by_its_own_second_ways(german: tuple[Path, dict[str, Any]]) -> None:
    _, scores = german
    assert scores["translation_bleu"] == {}
    for name in ("auto_encoding_bleu", "xsim", "xsim_plus_plus"):
        assert scores[name].keys() == {"mean", "deu_Latn"}


def test_the_second_way_is_what_is_searched_for() -> None:
    class Spelled:
        """Sentences lie where their last letter says; nothing can be decoded."""

        def encode(self, texts: Any, lang: str) -> Any:
            import torch

            return torch.eye(26)[[ord(text[-1]) - ord("a") for text in texts]]

        def decode(self, vectors: Any, lang: Any, *, num_beams: int) -> list[str]:
            return [""] * len(vectors)

    rows = [[f"first {letter}", f"second {letter}"] for letter in "abcdef"]
    right = space_scores(Spelled(), HeldOut({"deu_Latn": rows}, {"deu_Latn": ["not z"]}))
    assert right["xsim"]["mean"] == 0
    crossed = [[first, second] for (first, _), (_, second) in zip(rows, rows[1:] + rows[:1], strict=True)]
    wrong = space_scores(Spelled(), HeldOut({"deu_Latn": crossed}, {"deu_Latn": ["not z"]}))
    assert wrong["xsim"]["deu_Latn"] == 100
    alone = space_scores(Spelled(), HeldOut({"deu_Latn": [[row[0]] for row in rows]}, {"deu_Latn": ["not z"]}))
    assert alone["xsim"] == alone["xsim_plus_plus"] == {}


def test_a_sign_student_trains_and_is_scored_in_it(outputs: Path, german: tuple[Path, dict[str, Any]]) -> None:
    asked = {**MICRO, **GERMAN, "space": "toy_german", "recipe": "null", "space.source": german[0]}
    _, metrics = train(composed("train", outputs, asked), [])
    assert [entry["language"] for entry in metrics["scores"]] == ["deu_Latn"]
    assert metrics["mean_bleu"].keys() == {"trained"}
