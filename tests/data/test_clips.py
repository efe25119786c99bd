"""What the data knows of the teacher's vectors beforehand: their mean and spread, read in blocks."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from sonar_slt.config.assembly import assemble
from sonar_slt.data import clips
from sonar_slt.data.clips import mean_and_spread
from sonar_slt.space.cache import CachedVectors

pytestmark = pytest.mark.properties


@pytest.mark.parametrize("size", [2, 7, 8, 9, 1000])
def test_mean_and_spread_are_torchs_whatever_the_blocks(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "BLOCK", 4)
    vectors = 5 + 0.01 * torch.randn(size, 3, generator=torch.Generator().manual_seed(0))
    found = mean_and_spread(vectors)
    torch.testing.assert_close(found["vector_mean"], vectors.double().mean(dim=0).float())
    torch.testing.assert_close(found["vector_std"], vectors.double().std(dim=0).float())


def test_of_many_vectors_every_so_many_th_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "BLOCK", 4)
    monkeypatch.setattr(clips, "MEASURED", 100)
    vectors = torch.randn(1000, 3, generator=torch.Generator().manual_seed(0))
    found = mean_and_spread(vectors)
    torch.testing.assert_close(found["vector_mean"], vectors[::10].mean(dim=0))
    torch.testing.assert_close(found["vector_std"], vectors[::10].std(dim=0))


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
