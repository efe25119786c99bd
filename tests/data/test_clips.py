"""What the data knows of its sentences: the ids and vectors of each, and the vectors' mean and spread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch

from sonar_slt.config.assembly import assemble
from sonar_slt.data import clips
from sonar_slt.data.clips import Clips, mean_and_spread
from sonar_slt.errors import UserError
from sonar_slt.space import tokens as tokens_module
from sonar_slt.space.cache import CachedVectors
from sonar_slt.space.tokens import FlatRows, SentenceTokens

pytestmark = pytest.mark.properties


@pytest.mark.parametrize("size", [2, 7, 8, 9, 1000])
def test_mean_and_spread_are_torchs_whatever_the_blocks(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "BLOCK", 4)
    vectors = 5 + 0.01 * torch.randn(size, 3, generator=torch.Generator().manual_seed(0))
    found = mean_and_spread(vectors)
    torch.testing.assert_close(found["vector_mean"], vectors.double().mean(dim=0).float())
    torch.testing.assert_close(found["vector_std"], vectors.double().std(dim=0).float())


@pytest.mark.parametrize("period", [2, 3, 4, 5])
def test_of_many_vectors_those_drawn_are_of_all_languages(period: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sentences follow each other clip by clip, each in the same languages."""
    monkeypatch.setattr(clips, "BLOCK", 64)
    monkeypatch.setattr(clips, "MEASURED", 1000)
    vectors = (torch.arange(60_000) % period).float().unsqueeze(1).expand(-1, 3)
    found = mean_and_spread(vectors)
    spread = vectors[:period].std(dim=0, correction=0)
    error = 4 * spread[0].item() / 1000**0.5  # four standard errors
    torch.testing.assert_close(found["vector_mean"], vectors[:period].mean(dim=0), rtol=0, atol=error)
    torch.testing.assert_close(found["vector_std"], spread, rtol=0, atol=error)
    assert torch.equal(mean_and_spread(vectors)["vector_mean"], found["vector_mean"]), "always the same are drawn"


def test_so_many_vectors_are_read_and_none_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "BLOCK", 7)
    monkeypatch.setattr(clips, "MEASURED", 100)
    read: list[int] = []

    class Noted:
        def __len__(self) -> int:
            return 1000

        def __getitem__(self, rows: torch.Tensor) -> torch.Tensor:
            read.extend(rows.tolist())
            return torch.zeros(len(rows), 3)

    mean_and_spread(Noted())  # type: ignore[arg-type]
    assert len(read) == len(set(read)) == 100 and read == sorted(read)


def test_one_vector_has_no_spread() -> None:
    found = mean_and_spread(torch.ones(1, 3))
    assert torch.equal(found["vector_mean"], torch.ones(3)) and (found["vector_std"] == 1e-8).all()


def test_a_training_reads_its_vectors_from_disk(sign_config: Any) -> None:
    data = assemble(sign_config).data
    assert isinstance(data.vectors, CachedVectors) and data.vectors is data.vectors
    assert len(data.vectors) == len(data.texts) > len(data.train_vectors)
    trained = {text for row in data.rows["train"] for code in data.anchors for text in row.texts[code]}
    assert {text for _, text in list(data.texts)[: len(data.train_vectors)]} == trained
    asked = list(data.texts)
    expected = data.space.encode([text for _, text in asked], [code for code, _ in asked])
    torch.testing.assert_close(data.vectors[:], expected, rtol=1e-4, atol=1e-6)


def test_the_sentences_asked_for_are_those_drawn_and_those_judged(sign_config: Any) -> None:
    data = assemble(sign_config).data
    asked = data.sentences()
    assert asked[: len(data.texts)] == list(data.texts) and len(set(asked)) == len(asked)
    unseen = {(code, row.texts[code][0]) for rows in data.rows.values() for row in rows for code in data.unseen}
    assert unseen and set(asked) == unseen | data.texts.keys()


def reopened(data: Clips) -> Clips:
    """The same corpus, opened by nobody but the test."""
    return Clips(
        corpus=data.corpus,
        space=data.space,
        view=data.view,
        targets=data.targets,
        unseen=data.unseen,
        cache=data.cache.folder.parent,
    )


class TestIds:
    @pytest.mark.parametrize("size", [0, 1, 4, 5, 8, 23])
    def test_flat_rows_are_the_rows_whatever_the_slices(
        self, space: Any, size: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tokens_module, "SLICE", 4)
        texts = [f"{number} " + "Regen " * (number % 5) for number in range(size)]
        codes = [("deu_Latn", "eng_Latn")[number % 2] for number in range(size)]
        flat, rows = space.tokens.flat_rows(texts, codes), space.tokens.rows(texts, codes)
        assert len(flat) == size and list(flat) == rows and space.tokens.lengths(texts) == [len(row) for row in rows]
        if rows:
            assert flat[-1] == rows[-1] and all(type(number) is int for number in flat[0])
        with pytest.raises(IndexError):
            flat[size]

    def test_a_long_sentence_is_cut_as_everywhere(self, space: Any) -> None:
        long = ["Regen " * 2000]
        (row,) = space.tokens.flat_rows(long, ["deu_Latn"])
        assert space.tokens.lengths(long) == [len(row)] and space.tokens.truncated == 0
        assert row == space.tokens.rows(long, ["deu_Latn"])[0] and space.tokens.truncated == 1

    def test_four_bytes_hold_a_token(self) -> None:
        rows = FlatRows(iter([[[250000] * 30] * 1000]))
        assert rows._ids.nbytes == 4 * 30 * 1000

    def test_no_sentence_is_tokenised_before_a_batch_is_made(
        self, sign_config: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        data = reopened(assemble(sign_config).data)
        asked: list[int] = []
        flat_rows = SentenceTokens.flat_rows

        def noted(tokens: Any, texts: Any, codes: Any) -> FlatRows:
            asked.append(len(texts))
            return flat_rows(tokens, texts, codes)

        monkeypatch.setattr(SentenceTokens, "flat_rows", noted)
        data.sentences()
        assert not asked
        data.train_dataloader()
        assert asked == [len(data.texts)], "here, so that no worker does it again"
        data.batch(0)
        assert len(asked) == 1


class TestTexts:
    @pytest.fixture
    def broken(self, sign_config: Any) -> Iterator[Any]:
        """A function that opens the corpus once a clip of the dev split says something else in a language."""
        data = assemble(sign_config).data

        def opened(code: str, texts: Any) -> Clips:
            rows = list(data.corpus.rows)
            number = next(i for i, row in enumerate(rows) if row.split == "dev")
            rows[number] = replace(rows[number], id="clip-7", texts={**rows[number].texts, code: texts})
            data.corpus.rows = rows
            return reopened(data)

        yield opened

    @pytest.mark.parametrize("code", ["deu_Latn", "tur_Latn"])
    @pytest.mark.parametrize("text", ["", " \t\n", "half \ud800"])
    def test_a_sentence_that_says_nothing_is_refused_by_the_name_of_its_clip(
        self, broken: Any, code: str, text: str
    ) -> None:
        with pytest.raises(UserError, match=f"Clip clip-7 in {code}: Sentence number 1 of 2"):
            broken(code, ["Regen", text])

    def test_one_text_is_no_list_of_them(self, broken: Any) -> None:
        with pytest.raises(UserError, match="Clip clip-7 in deu_Latn: One text, not a list"):
            broken("deu_Latn", "Regen")

    def test_only_unseen_languages_may_be_missing(self, broken: Any) -> None:
        broken("tur_Latn", [])
        with pytest.raises(UserError, match="Clip clip-7 has no sentence in deu_Latn"):
            broken("deu_Latn", [])
