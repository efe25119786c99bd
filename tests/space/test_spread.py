"""The mean and the spread of the teacher's vectors, block by block and drawn from many."""

from __future__ import annotations

import pytest
import torch

from sonar_slt.space import spread as module
from sonar_slt.space.spread import mean_and_spread

pytestmark = pytest.mark.properties


@pytest.mark.parametrize("size", [2, 7, 8, 9, 1000])
def test_mean_and_spread_are_torchs_whatever_the_blocks(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 4)
    vectors = 5 + 0.01 * torch.randn(size, 3, generator=torch.Generator().manual_seed(0))
    found = mean_and_spread(vectors)
    torch.testing.assert_close(found["vector_mean"], vectors.double().mean(dim=0).float())
    torch.testing.assert_close(found["vector_std"], vectors.double().std(dim=0).float())


@pytest.mark.parametrize("period", [2, 3, 4, 5])
def test_of_many_vectors_those_drawn_are_of_all_languages(period: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sentences follow each other clip by clip, each in the same languages."""
    monkeypatch.setattr(module, "BLOCK", 64)
    monkeypatch.setattr(module, "MEASURED", 1000)
    vectors = (torch.arange(60_000) % period).float().unsqueeze(1).expand(-1, 3)
    found = mean_and_spread(vectors)
    spread = vectors[:period].std(dim=0, correction=0)
    error = 4 * spread[0].item() / 1000**0.5  # four standard errors
    torch.testing.assert_close(found["vector_mean"], vectors[:period].mean(dim=0), rtol=0, atol=error)
    torch.testing.assert_close(found["vector_std"], spread, rtol=0, atol=error)
    assert torch.equal(mean_and_spread(vectors)["vector_mean"], found["vector_mean"]), "always the same are drawn"


def test_so_many_vectors_are_read_and_none_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 7)
    monkeypatch.setattr(module, "MEASURED", 100)
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
