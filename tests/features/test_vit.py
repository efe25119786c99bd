"""Vit: timm's own numbers, and every checkpoint that does not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file
from timm.data import create_transform, resolve_model_data_config

from sonar_slt.errors import UserError
from sonar_slt.features import Vit
from tests.features.tiny import VIT, items, photograph, pictures, stirred, vit


@pytest.fixture
def theirs() -> Any:
    return stirred(timm.create_model("vit_tiny_patch16_224", num_classes=0, **VIT))


@pytest.fixture
def folder(theirs: Any, tmp_path: Path) -> Path:
    head = {"head.weight": torch.zeros(10, 32), "head.bias": torch.zeros(10)}
    save_file({**theirs.state_dict(), **head}, tmp_path / "model.safetensors")
    return tmp_path


@torch.no_grad()
@pytest.mark.parametrize("pooling", ["token", "mean"])
def test_a_picture_gets_timms_vector(theirs: Any, folder: Path, pooling: Any) -> None:
    picture = photograph(50, 70)
    transform = create_transform(**{**resolve_model_data_config(theirs), "input_size": (3, 32, 32)})
    states = theirs.forward_features(transform(Image.fromarray(picture))[None])
    expected = states[:, 0] if pooling == "token" else states[:, 1:].mean(dim=1)
    ours = vit(weights=str(folder), pooling=pooling)
    vector = ours(torch.from_numpy(ours.picture(picture))[None], torch.zeros(1, 1, dtype=torch.long))
    assert (vector - expected).abs().max() < 1e-5


@torch.no_grad()
@pytest.mark.parametrize(
    ("model", "architecture"),
    [
        ("vit_tiny_patch16_224", {"qk_norm": True, "init_values": 0.1}),
        ("vit_tiny_patch16_224", {"global_pool": "avg"}),
        ("vit_small_patch14_reg4_dinov2", {}),
        ("vit_small_patch16_dinov3", {}),
        ("vit_base_patch16_siglip_224", {}),
    ],
)
@pytest.mark.parametrize("pooling", ["token", "mean"])
def test_other_models_of_timm(model: str, architecture: dict[str, Any], pooling: Any, tmp_path: Path) -> None:
    sizes = {**VIT, **architecture}
    if "siglip" in model and pooling == "token":
        with pytest.raises(UserError, match=r"no class token: set features.vit.pooling=mean"):
            Vit(model=model, tag=None, architecture=sizes)
        return
    theirs = stirred(timm.create_model(model, num_classes=0, **sizes))
    save_file(theirs.state_dict(), tmp_path / "model.safetensors")
    ours = Vit(model=model, tag=None, architecture=sizes, pooling=pooling, weights=str(tmp_path))
    film = pictures(3)
    states = theirs.forward_features(ours._normalised(film))
    expected = states[:, 0] if pooling == "token" else states[:, theirs.num_prefix_tokens :].mean(dim=1)
    assert (ours(film, items(ours, 3)) - theirs.fc_norm(expected)).abs().max() < 1e-5


def test_normalising_is_that_of_the_weights() -> None:
    small = {**VIT, "num_heads": 4}
    assert Vit(tag="augreg_in21k_ft_in1k", architecture=small).mean == (0.5, 0.5, 0.5)
    made = Vit(tag="mae", architecture=small)
    assert (made.mean, made.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert made.picture.size == 32 and made.picture.share == 0.9


def test_the_config_beside_the_weights_says_how_they_were_trained(folder: Path) -> None:
    beside = {"mean": [0.1, 0.2, 0.3], "crop_pct": 1.0, "interpolation": "bilinear", "crop_mode": "squash"}
    (folder / "config.json").write_text(json.dumps({"pretrained_cfg": beside}), encoding="utf-8")
    made = vit(weights=str(folder))
    assert made.mean == (0.1, 0.2, 0.3) and made.std == (0.5, 0.5, 0.5)
    assert (made.picture.fit, made.picture.share, made.picture.interpolation) == ("squeeze", 1.0, "bilinear")
    (folder / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match=r"config.json' cannot be read as json"):
        vit(weights=str(folder))


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_a_file_of_any_kind(theirs: Any, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mine.{suffix}"
    if suffix == "pth":
        torch.save({"model": theirs.state_dict(), "epoch": 3}, path)
    else:
        save_file(theirs.state_dict(), path)
    assert vit(weights=str(path)).fingerprint == vit(weights=str(tmp_path)).fingerprint != vit().fingerprint


def test_shapes_that_differ(folder: Path) -> None:
    with pytest.raises(
        UserError,
        match=r"holds pos_embed as \(1, 17, 32\), the model as \(1, 37, 32\): set features.vit.model or "
        r"features.vit.architecture",
    ):
        vit(weights=str(folder), architecture={**VIT, "img_size": 48})


def test_a_depth_that_differs(folder: Path) -> None:
    with pytest.raises(UserError, match=r"lacks blocks.2.norm1.weight of shape \(32,\): set features.vit.model"):
        vit(weights=str(folder), architecture={**VIT, "depth": 3})
    with pytest.raises(UserError, match=r"holds blocks.1.*, which the model has not: set features.vit.model"):
        vit(weights=str(folder), architecture={**VIT, "depth": 1})


def test_a_file_that_is_cut_short(folder: Path, tmp_path: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="cut short"):
        vit(weights=str(folder))
    torch.save({"a": torch.zeros(1000)}, tmp_path / "w.pt")
    (tmp_path / "w.pt").write_bytes((tmp_path / "w.pt").read_bytes()[:2000])
    with pytest.raises(UserError, match="cut short"):
        vit(weights=str(tmp_path / "w.pt"))


class Stranger:
    """Something that is no tensor."""


def test_a_file_with_more_than_tensors_is_not_opened(theirs: Any, tmp_path: Path) -> None:
    torch.save({"model": theirs.state_dict(), "args": Stranger()}, tmp_path / "w.pth")
    with pytest.raises(UserError, match="more than tensors"):
        vit(weights=str(tmp_path / "w.pth"))


def test_files_that_are_no_weights(folder: Path, tmp_path: Path) -> None:
    torch.save({"model": {"epoch": 3}}, tmp_path / "w.pth")
    with pytest.raises(UserError, match="expected tensors by their names"):
        vit(weights=str(tmp_path / "w.pth"))
    (tmp_path / "w.txt").write_text("no", encoding="utf-8")
    with pytest.raises(UserError, match="no file of weights"):
        vit(weights=str(tmp_path / "w.txt"))


def test_several_files_and_an_index(theirs: Any, tmp_path: Path) -> None:
    weights = theirs.state_dict()
    names = sorted(weights)
    parts = {"one.safetensors": names[::2], "two.safetensors": names[1::2]}
    for file, part in parts.items():
        save_file({name: weights[name] for name in part}, tmp_path / file)
    with pytest.raises(UserError, match="2 files of weights"):
        vit(weights=str(tmp_path))
    index = {"weight_map": {name: file for file, part in parts.items() for name in part}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    film = pictures(2)
    ours = vit(weights=str(tmp_path), pooling="mean")
    assert torch.allclose(
        ours(film, items(ours, 2)), theirs.forward_features(ours._normalised(film))[:, 1:].mean(dim=1), atol=1e-5
    )
    (tmp_path / "two.safetensors").unlink()
    with pytest.raises(UserError, match=r"has no two.safetensors"):
        vit(weights=str(tmp_path))


@pytest.mark.parametrize(("model", "tag"), [("vit_nope", None), ("vit_base_patch16_224", "nope")])
def test_a_model_that_timm_does_not_know(model: str, tag: str | None) -> None:
    with pytest.raises(UserError, match=r"timm knows no vit.*nope; .*list_models"):
        Vit(model=model, tag=tag)


def test_a_model_that_is_no_vit() -> None:
    with pytest.raises(UserError, match="no vision transformer"):
        Vit(model="resnet10t", tag=None)


def test_only_frames_can_be_seen_one_by_one() -> None:
    backbone = vit()
    with pytest.raises(ValueError, match="windows of one frame"):
        backbone(pictures(4), torch.from_numpy(np.arange(4).reshape(2, 2)))
