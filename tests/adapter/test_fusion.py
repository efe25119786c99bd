"""Streams at two paces: what belongs together is joined, and no padding comes between."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from sonar_slt.adapter.fusion import Concatenated, PerStep, beside
from sonar_slt.adapter.shrinking import Shrinking
from sonar_slt.data.track import Track


def numbered(*lengths: int, start: int, extra: int = 0) -> Track:
    """Rows that bear their numbers, from `start` on; 99 in the padding."""
    places = torch.arange(max(lengths) + extra)
    mask = places < torch.tensor(lengths).unsqueeze(1)
    return Track(torch.where(mask, places + start, 99).float().unsqueeze(-1), mask)


def test_a_row_of_one_stream_lies_beside_the_steps_at_its_share_of_the_clip() -> None:
    motion = numbered(2, 3, 1, 5, start=0, extra=1)
    steps = torch.arange(6) < torch.tensor([6, 4, 1, 2]).unsqueeze(1)
    found = [row[real].tolist() for row, real in zip(beside(motion, steps).squeeze(-1), steps, strict=True)]
    assert found == [[0, 0, 0, 1, 1, 1], [0, 1, 1, 2], [0], [1, 3]]


@torch.no_grad()
@pytest.mark.parametrize("extra", [1, 40])
def test_steps_are_joined_by_the_real_lengths(extra: int) -> None:
    fusion = PerStep(dim=1, streams=2)
    short = fusion([numbered(30, 9, start=0), numbered(4, 2, start=50)])
    long = fusion([numbered(30, 9, start=0, extra=extra), numbered(4, 2, start=50, extra=extra)])
    assert torch.equal(short.values[short.mask], long.values[long.mask])


def test_one_stream_stands_directly_behind_the_other() -> None:
    fused = Concatenated(dim=1, streams=2)([numbered(4, 2, start=0, extra=3), numbered(1, 3, start=50, extra=2)])

    def real(clip: int) -> Tensor:
        return fused.values[clip, : int(fused.mask[clip].sum()), 0]

    assert real(0).tolist() == [0, 1, 2, 3, 50]
    assert real(1).tolist() == [0, 1, 50, 51, 52]
    assert fused.mask.sum(dim=1).tolist() == [5, 5] and fused.mask[:, :5].all()


@torch.no_grad()
@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 64, 300, 513])
def test_time_is_halved_and_rounded_up(length: int) -> None:
    states, mask = Shrinking(dim=4, out=6, halvings=2)(torch.randn(1, length, 4), torch.ones(1, length).bool())
    assert states.shape == (1, -(-length // 4), 6)
    assert mask.all()
