"""ClipS2: the class tokens of transformers' tower, tile by tile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch.nn import functional
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPVisionModel

from sonar_slt.errors import UserError
from sonar_slt.features import ClipS2
from sonar_slt.features.backbones.clip_s2 import tiled
from tests.features.tiny import CLIP, clip, items, photograph, pictures, stirred


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A whole CLIP, text tower and all, under the names that its files have on the hub."""
    config = CLIPConfig(
        vision_config=CLIP,
        text_config={"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2},
    )
    model: Any = stirred(CLIPModel(config))
    config.save_pretrained(tmp_path)
    weights = {name: weight.contiguous() for name, weight in model.state_dict().items()}
    assert "vision_model.encoder.layers.1.self_attn.q_proj.bias" in weights and "text_projection.weight" in weights
    weights["vision_model.embeddings.position_ids"] = torch.arange(17)[None]  # as older files have it
    save_file(weights, tmp_path / "model.safetensors")
    return tmp_path


@torch.no_grad()
def test_a_picture_gets_the_class_tokens_of_its_tiles(published: Path) -> None:
    theirs = CLIPVisionModel.from_pretrained(published).eval()
    picture = photograph(50, 70)
    processor = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=32)
    normal = processor([Image.fromarray(picture)], return_tensors="pt")["pixel_values"]
    large = functional.interpolate(normal, size=64, mode="bicubic")
    corners = [large[:, :, top : top + 32, left : left + 32] for top in (0, 32) for left in (0, 32)]
    whole, *tiles = (theirs(tile).last_hidden_state[:, 0] for tile in (normal, *corners))
    expected = torch.cat([whole, torch.stack(tiles).mean(dim=0)], dim=-1)

    ours = ClipS2(weights=str(published))
    vector = ours(torch.from_numpy(ours.picture(picture))[None], torch.zeros(1, 1, dtype=torch.long))
    assert vector.shape == (1, ours.width) == (1, 64)
    assert (vector - expected).abs().max() < 0.02 * expected.abs().max()  # their picture differs in some last bits

    film = pictures(2)
    vectors = ours(film, items(ours, 2))
    exact = theirs(ours._normalised(film)).last_hidden_state[:, 0]
    assert (vectors[:, :32] - exact).abs().max() < 1e-5


def test_tiles_are_the_picture_enlarged() -> None:
    film = torch.rand(2, 3, 8, 8)
    tiles = tiled(film, 3)
    assert tiles.shape == (2, 9, 3, 8, 8)
    large = functional.interpolate(film, size=24, mode="bicubic")
    assert torch.equal(tiles[:, 5], large[:, :, 8:16, 16:24])
    assert torch.equal(tiled(film, 1)[:, 0], film)


@torch.no_grad()
def test_scales_stand_side_by_side() -> None:
    both, one, two = (clip(scales=scales) for scales in ([1, 2], [1], [2]))
    film, numbers = pictures(3), items(both, 3)
    expected = torch.cat([one(film, numbers), two(film, numbers)], dim=-1)
    assert (both(film, numbers) - expected).abs().max() < 1e-5


@pytest.mark.parametrize("scales", [[], [0], [1.5]])
def test_scales_that_there_are_not(scales: Any) -> None:
    with pytest.raises(UserError, match="expected whole numbers from 1"):
        clip(scales=scales)


def test_another_kind_of_model_is_refused(published: Path) -> None:
    (published / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
    with pytest.raises(UserError, match="is a bert model: expected one of CLIP"):
        ClipS2(weights=str(published))


def test_shapes_that_differ(published: Path) -> None:
    with pytest.raises(UserError, match=r"holds .* as \(32,.*the model as \(16,.*set features.clip_s2.architecture"):
        ClipS2(weights=str(published), architecture={"hidden_size": 16})
