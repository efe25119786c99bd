"""Videomae: transformers' own numbers window by window, and biases that must arrive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import VideoMAEConfig, VideoMAEForPreTraining, VideoMAEModel

from sonar_slt.errors import UserError
from sonar_slt.features import Videomae
from sonar_slt.features.backbones import videomae
from sonar_slt.features.backbones.weights import Weights
from tests.features.tiny import VIDEOMAE, items, pictures, stirred

SELF = "attention.attention"


@pytest.fixture
def weights() -> dict[str, Tensor]:
    """A pre-training checkpoint under its published names: encoder with a prefix, decoder, q_bias and v_bias."""
    model = stirred(VideoMAEForPreTraining(VideoMAEConfig(**VIDEOMAE, use_mean_pooling=False)))
    found: dict[str, Tensor] = {}
    for name, weight in model.state_dict().items():
        if name.endswith(".key.bias"):
            continue
        for projection in ("query", "value"):
            name = name.replace(f"{SELF}.{projection}.bias", f"{SELF}.{projection[0]}_bias")
        found[name] = weight.contiguous()
    assert "videomae.encoder.layer.1.attention.attention.q_bias" in found
    assert "decoder.decoder_layers.0.attention.attention.v_bias" in found
    return found


@pytest.fixture
def published(weights: dict[str, Tensor], tmp_path: Path) -> Path:
    VideoMAEConfig(**VIDEOMAE, use_mean_pooling=False).save_pretrained(tmp_path)
    save_file(weights, tmp_path / "model.safetensors")
    return tmp_path


def plain(weights: dict[str, Tensor]) -> Any:
    """transformers' own encoder with these weights, put in place by hand."""
    model: Any = VideoMAEModel(VideoMAEConfig(**VIDEOMAE, use_mean_pooling=False)).eval()
    named = {name: value for name, value in model.state_dict().items() if name.endswith("key.bias")}
    for name, weight in weights.items():
        if name.startswith("videomae."):
            own = name.removeprefix("videomae.").replace("q_bias", "query.bias").replace("v_bias", "value.bias")
            named[own] = weight
    model.load_state_dict(named)
    return model


@torch.no_grad()
@pytest.mark.parametrize("pooling", ["token", "mean"])
@pytest.mark.parametrize("frames", [1, 16, 43])
def test_a_window_gets_the_vector_that_it_has_alone(
    weights: dict[str, Tensor], published: Path, pooling: Any, frames: int
) -> None:
    ours, theirs = Videomae(weights=str(published), pooling=pooling), plain(weights)
    film, numbers = pictures(frames), items(ours, frames)
    vectors = ours(film, numbers)
    for window, vector in zip(numbers, vectors, strict=True):
        states = theirs(ours._normalised(film[window])[None]).last_hidden_state[0]
        assert (vector - (states[0] if pooling == "token" else states.mean(dim=0))).abs().max() < 1e-5


@torch.no_grad()
def test_windows_that_begin_at_odd_frames(weights: dict[str, Tensor], published: Path) -> None:
    ours, theirs = Videomae(weights=str(published), stride=5), plain(weights)
    film, numbers = pictures(30), items(ours, 30)
    states = torch.stack([theirs(ours._normalised(film[window])[None]).last_hidden_state[0, 0] for window in numbers])
    assert (ours(film, numbers) - states).abs().max() < 1e-5


def test_the_biases_of_the_file_arrive(weights: dict[str, Tensor], published: Path) -> None:
    backbone = Videomae(weights=str(published), pooling="mean")
    for number, layer in enumerate(backbone.model.encoder.layer):
        own = layer.attention.attention
        for name, projection in (("q_bias", own.query), ("v_bias", own.value)):
            written = weights[f"videomae.encoder.layer.{number}.{SELF}.{name}"]
            assert written.abs().min() > 0
            assert torch.equal(projection.bias, written)
        assert own.key.bias is None or not own.key.bias.any()


def test_biases_that_were_lost_are_noticed_and_put_right(
    weights: dict[str, Tensor], published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As some releases of transformers do: all biases are zero when the weights are in place."""
    filled = Weights.fill

    def losing(self: Weights, model: Any, *arguments: Any, **named: Any) -> None:
        filled(self, model, *arguments, **named)
        for layer in model.encoder.layer:
            layer.attention.attention.query.bias.detach().zero_()
            layer.attention.attention.value.bias.detach().zero_()

    whole = Videomae(weights=str(published)).fingerprint
    monkeypatch.setattr(Weights, "fill", losing)
    assert Videomae(weights=str(published)).fingerprint == whole
    monkeypatch.setattr(videomae, "verify_biases", lambda model, stored: None)
    assert Videomae(weights=str(published)).fingerprint != whole, "without the check nobody would have noticed"


def test_a_model_without_a_place_for_the_biases_is_refused(published: Path) -> None:
    with pytest.raises(UserError, match=r"q_bias of layer 0 .*has no place in .* install transformers>="):
        Videomae(weights=str(published), architecture={"qv_bias": False, "qkv_bias": False})


def test_a_file_without_biases_is_refused(weights: dict[str, Tensor], published: Path) -> None:
    bare = {name: weight for name, weight in weights.items() if not name.endswith(("q_bias", "v_bias"))}
    save_file(bare, published / "model.safetensors")
    with pytest.raises(UserError, match=r"lacks encoder.layer.0.attention.attention.query.bias"):
        Videomae(weights=str(published))


def test_keys_of_a_release_that_gives_them_biases(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """transformers 5.17 has a bias for keys; no file knows it, and it must not be left to chance."""
    made = videomae._made

    def older(*arguments: Any, **named: Any) -> Any:
        model = made(*arguments, **named)
        for layer in model.encoder.layer:
            layer.attention.attention.key.bias = nn.Parameter(torch.randn(32))
        return model

    expected = Videomae(weights=str(published))
    monkeypatch.setattr(videomae, "_made", older)
    film, numbers = pictures(24), items(expected, 24)
    found = Videomae(weights=str(published))
    assert (found(film, numbers) - expected(film, numbers)).abs().max() < 1e-6


@torch.no_grad()
def test_a_file_that_transformers_wrote(weights: dict[str, Tensor], published: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    plain(weights).save_pretrained(again)
    assert Videomae(weights=str(again)).fingerprint == Videomae(weights=str(published)).fingerprint


def test_a_single_file_needs_its_sizes(published: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    (published / "model.safetensors").rename(alone / "model.safetensors")
    with pytest.raises(UserError, match=r"as \(32, .*the model as \(768, .*set features.videomae_large.architecture"):
        Videomae(weights=str(alone / "model.safetensors"), architecture={"image_size": 32}, option="videomae_large")
    assert Videomae(weights=str(alone / "model.safetensors"), architecture=VIDEOMAE).width == 32


def test_a_fine_tuned_checkpoint_has_no_last_norm(weights: dict[str, Tensor], tmp_path: Path) -> None:
    VideoMAEConfig(**VIDEOMAE, use_mean_pooling=True).save_pretrained(tmp_path)
    kept = {name: weight for name, weight in weights.items() if ".layernorm." not in name}
    head = {"fc_norm.weight": torch.ones(32), "classifier.weight": torch.zeros(4, 32)}
    save_file({**kept, **head}, tmp_path / "model.safetensors")
    assert Videomae(weights=str(tmp_path)).model.layernorm is None


@pytest.mark.parametrize("stride", [0, 17])
def test_windows_must_cover_every_frame(stride: int) -> None:
    with pytest.raises(UserError, match=r"stride=.*expected 1 to 16"):
        Videomae(architecture=VIDEOMAE, stride=stride)


def test_another_kind_of_model_is_refused(published: Path) -> None:
    (published / "config.json").write_text('{"model_type": "vivit"}', encoding="utf-8")
    with pytest.raises(UserError, match="is a vivit model: expected a VideoMAE"):
        Videomae(weights=str(published))
