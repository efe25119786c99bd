"""The reference tools' adapter as one of ours: its sizes, what it is given, and what goes right here."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from sonar_slt.adapter import Measure, ReferenceAdapter
from sonar_slt.config.build import build
from sonar_slt.config.compose import examine
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError
from tests.adapter.tiny import points, wider

pytestmark = pytest.mark.properties

SMALL = {"frame_dim": 16, "frame_layers": 2, "frame_heads": 2, "dim": 32, "layers": 2, "heads": 4}
DIM = 24


def measure(landmarks: int = 137, dim: int = DIM, mean: float = 0.0, std: float = 1.0) -> Measure:
    sample = Track(torch.zeros(1, 2, landmarks, 3), torch.ones(1, 2, dtype=torch.bool))
    return Measure(samples={"points": sample}, vector_mean=torch.full((dim,), mean), vector_std=torch.full((dim,), std))


def made(measured: Measure | None = None, **options: Any) -> ReferenceAdapter:
    torch.manual_seed(0)
    return ReferenceAdapter(measure=measured or measure(), **{**SMALL, **options}).eval()


@torch.no_grad()
def seen(adapter: ReferenceAdapter, track: Track) -> Tensor:
    return adapter({"points": track})


def test_its_defaults_are_the_reference_tools_sizes() -> None:
    """65.68 million weights at 543 points, as counted there; one bias less, which another holds, and the bridge."""
    found = examine("train", ["adapter=reference"])
    assert found.problems == []
    with torch.device("meta"):
        adapter = build(found.config["adapter"])(measure=measure(543, 1024))
    count = sum(weight.numel() for name, weight in adapter.named_parameters() if not name.startswith("bridge"))
    assert round((count + 1024) / 1e6, 2) == 65.68
    assert adapter.bridge.weight.shape == (1024, 1024) and adapter.bridge.bias is None


def test_without_positions_the_order_of_frames_has_no_effect() -> None:
    clip = points(40)
    backwards = Track(clip.values.flip(1), clip.mask)
    blind, ordered = made(positions=False), made()
    torch.testing.assert_close(seen(blind, clip), seen(blind, backwards), rtol=0, atol=1e-6)
    assert (seen(ordered, clip) - seen(ordered, backwards)).abs().max() > 1e-3


def test_the_mean_is_of_real_frames_and_not_of_the_last_one_repeated() -> None:
    clip, adapter = points(20), made(positions=False)
    repeated = torch.cat([clip.values, clip.values[:, -1:].expand(-1, 30, -1, -1)], dim=1)
    as_there = seen(adapter, Track(repeated, torch.ones(1, 50, dtype=torch.bool)))
    torch.testing.assert_close(seen(adapter, wider(clip, 30, filled=7)), seen(adapter, clip), rtol=0, atol=1e-6)
    assert (as_there - seen(adapter, clip)).abs().max() > 1e-3


def test_a_missing_point_has_no_place() -> None:
    clip, adapter = points(12), made()
    clip.values[:, :, [3, 90], 2] = 0
    moved = clip.values.clone()
    moved[:, :, [3, 90], :2] = 5.0
    assert torch.equal(seen(adapter, clip), seen(adapter, Track(moved, clip.mask)))
    moved[:, :, 4, :2] = 5.0
    assert not torch.equal(seen(adapter, clip), seen(adapter, Track(moved, clip.mask)))


def test_a_fresh_one_begins_around_the_average_sentence() -> None:
    vectors = seen(made(measure(mean=3.0, std=0.01)), points(20, 31))
    assert 0 < (vectors - 3.0).abs().max() < 0.1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dim": 30}, "adapter.dim=30 cannot be split over adapter.heads=4"),
        ({"frame_dim": 15}, "adapter.frame_dim=15 cannot be split over adapter.frame_heads=2"),
        ({"layers": 0}, "adapter.layers=0: expected a whole number of at least 1"),
        ({"dropout": 1.0}, "adapter.dropout=1.0: expected a number from 0 to below 1"),
    ],
)
def test_a_wrong_size_is_named_by_its_key(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        made(**options)
