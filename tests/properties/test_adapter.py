"""What must hold for every adapter that conf/ knows: padding changes nothing, order and missing points do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor

from sonar_slt.config.build import build
from sonar_slt.config.location import conf_folder
from sonar_slt.data.layouts import OPENPOSE_137

pytestmark = pytest.mark.properties

OPTIONS = sorted(path.stem for path in (Path(conf_folder()) / "adapter").glob("*.yaml"))
LENGTHS = (1, 5, 30, 61, 90, 121, 200)


FOR_POINTS = {
    "roots": OPENPOSE_137.roots,
    "sample": torch.randn(4, 20, 137, 3, generator=torch.Generator().manual_seed(3)),
}


@pytest.fixture(params=OPTIONS)
def adapter(request: pytest.FixtureRequest) -> Any:
    torch.manual_seed(0)
    node = yaml.safe_load((Path(conf_folder()) / "adapter" / f"{request.param}.yaml").read_text(encoding="utf-8"))
    return build(node)(**FOR_POINTS, vector_mean=torch.zeros(64), vector_std=torch.ones(64)).eval()


def padded(clips: list[Tensor], length: int) -> tuple[Tensor, Tensor]:
    batch, mask = torch.zeros(len(clips), length, 137, 3), torch.zeros(len(clips), length, dtype=torch.bool)
    for i, clip in enumerate(clips):
        batch[i, : len(clip)], mask[i, : len(clip)] = clip, True
    return batch, mask


def clips() -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    drawn = [torch.randn(length, 137, 3, generator=generator) for length in LENGTHS]
    for clip in drawn:
        clip[..., 2] = clip[..., 2].abs().clamp(0, 1)
    return drawn


@torch.no_grad()
@pytest.mark.parametrize("length", [200, 201, 256, 333])
def test_padding_changes_no_bit(adapter: Any, length: int) -> None:
    alone = torch.stack([adapter(*padded([clip], len(clip)))[0] for clip in clips()])
    together = adapter(*padded(clips(), length))
    assert torch.equal(alone, together)


@torch.no_grad()
def test_what_lies_in_the_padding_is_never_seen(adapter: Any) -> None:
    batch, mask = padded(clips(), 256)
    dirty = torch.where(mask[..., None, None], batch, torch.full_like(batch, 7.0))
    assert torch.equal(adapter(batch, mask), adapter(dirty, mask))


@torch.no_grad()
def test_the_order_of_frames_matters(adapter: Any) -> None:
    clip = clips()[4]
    turned = clip.flip(0)
    first, second = (adapter(*padded([one], len(one))) for one in (clip, turned))
    assert (first - second).abs().max() > 1e-3


@torch.no_grad()
def test_a_missing_point_has_no_place(adapter: Any) -> None:
    clip = clips()[3]
    clip[:, [40, 95], 2] = 0
    elsewhere = clip.clone()
    elsewhere[:, [40, 95], :2] = 5.0  # a point of the face, and a wrist that other points are seen from
    assert torch.equal(adapter(*padded([clip], len(clip))), adapter(*padded([elsewhere], len(clip))))


def test_the_head_starts_at_the_teachers_mean_and_spread() -> None:
    node = yaml.safe_load((Path(conf_folder()) / "adapter" / "keypoint.yaml").read_text(encoding="utf-8"))
    mean, std = torch.full((64,), 3.0), torch.full((64,), 0.01)
    vector = build(node)(**FOR_POINTS, vector_mean=mean, vector_std=std).eval()(*padded(clips(), 200))
    assert (vector - mean).abs().max() < 0.1
