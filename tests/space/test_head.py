"""The best columns of a large vocabulary are those that `topk` finds."""

from __future__ import annotations

import pytest
import torch

from sonar_slt.space.generation.head import best, few_rows

pytestmark = pytest.mark.properties


@pytest.mark.parametrize("width", [7, 1396, 256 * 40, 256 * 40 + 1, 20_011])
@pytest.mark.parametrize("count", [1, 5, 7])
def test_the_best_are_those_of_topk(width: int, count: int) -> None:
    scores = torch.randn(9, width, generator=torch.Generator().manual_seed(width))
    scores[3, : width // 2] = float("-inf")
    values, columns = best(scores, count)
    expected = scores.topk(count, dim=1)
    assert torch.equal(values, expected.values)
    assert torch.equal(columns, expected.indices)


def test_equal_scores_are_each_found_once() -> None:
    values, columns = best(torch.zeros(2, 20_000), 10)
    assert torch.equal(values, torch.zeros(2, 10))
    assert all(len(set(row)) == 10 for row in columns.tolist())


def test_rows_come_in_order_and_in_float32() -> None:
    logits = torch.randn(40, 100_000, dtype=torch.bfloat16)
    parts = list(few_rows(logits))
    assert len(parts) > 1
    assert torch.equal(torch.cat([scores for _, scores in parts]), logits.float())
    assert torch.equal(torch.cat([torch.arange(40)[part] for part, _ in parts]), torch.arange(40))
