"""What holds for every backbone: one vector per window, whatever stands beside it, in any precision."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import nn

from sonar_slt.errors import UserError
from sonar_slt.features import Backbone
from tests.features.tiny import ALL, CLIP, VIT, clip, items, pictures, stirred, videomae, vit

pytestmark = pytest.mark.properties


@pytest.fixture(params=ALL)
def made(request: pytest.FixtureRequest) -> Backbone:
    backbone: Backbone = stirred(ALL[request.param]())
    return backbone.requires_grad_(False)


@torch.no_grad()
@pytest.mark.parametrize("frames", [1, 2, 5, 16, 17, 40])
def test_one_vector_per_window(made: Backbone, frames: int) -> None:
    vectors = made(pictures(frames), items(made, frames))
    assert vectors.shape == (len(items(made, frames)), made.width)
    assert vectors.isfinite().all()


@torch.no_grad()
def test_what_else_is_in_the_batch_changes_nothing(made: Backbone) -> None:
    film, numbers = pictures(40), items(made, 40)
    together = made(film, numbers)
    for i, window in enumerate(numbers):
        seen, places = window.unique(return_inverse=True)
        assert (made(film[seen], places[None])[0] - together[i]).abs().max() < 1e-5


@torch.no_grad()
def test_windows_in_any_order_and_more_than_once(made: Backbone) -> None:
    film, numbers = pictures(40), items(made, 40)
    order = torch.tensor([2, 0, 0, 3, 1, 2])
    assert (made(film, numbers[order]) - made(film, numbers)[order]).abs().max() < 1e-5


@torch.no_grad()
def test_each_frame_matters(made: Backbone) -> None:
    film, numbers = pictures(40), items(made, 40)
    other = film.clone()
    other[20] = 255 - other[20]
    moved = (made(film, numbers) - made(other, numbers)).abs().amax(dim=1) > 1e-6
    assert (moved == (numbers == 20).any(dim=1)).all()


@torch.no_grad()
def test_half_precision_is_near(made: Backbone) -> None:
    film, numbers = pictures(24), items(made, 24)
    full = made(film, numbers)
    half = made.to(torch.bfloat16)(film, numbers)
    assert half.dtype == torch.bfloat16
    assert torch.cosine_similarity(half.float(), full).min() > 0.998


def test_it_is_frozen_and_stays_in_eval_mode(made: Backbone) -> None:
    nn.ModuleList([made]).train()
    assert not any(module.training for module in made.modules())
    assert not any(weight.requires_grad for weight in made.parameters())


def test_it_learns_when_it_is_asked_to(made: Backbone) -> None:
    made.requires_grad_(True).train()
    assert made.training
    made(pictures(17), items(made, 17)).square().sum().backward()
    moved = [weight.grad is not None and weight.grad.abs().sum() > 0 for weight in made.parameters()]
    assert sum(moved) > 0.8 * len(moved)  # not CLIP's last norm, which comes behind what is taken


TARGETS = {"Vit": ["qkv", "proj"], "ClipS2": ["q_proj", "v_proj"], "Videomae": ["query", "value"]}


def test_lora_reaches_every_layer(made: Backbone) -> None:
    """The last layer too, of which only one token is looked at."""
    film, numbers = pictures(17), items(made, 17)
    before = made(film, numbers)
    targets = TARGETS[type(made).__name__]
    inject_adapter_in_model(LoraConfig(r=2, target_modules=targets, init_lora_weights=False), made.model)
    learning = [weight for weight in made.parameters() if weight.requires_grad]
    assert len(learning) >= 2 * 2 * 2  # two layers, two projections, two matrices
    after = made(film, numbers)
    assert (after - before).abs().max() > 1e-3
    after.square().sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in learning)


@pytest.mark.parametrize("name", ALL)
def test_random_weights_are_those_of_the_seed(name: str) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = ALL[name](seed=1)
    assert torch.equal(torch.rand(3), expected), "the caller's random numbers go on as they were"
    again, other = ALL[name](seed=1), ALL[name](seed=2)
    assert first.described() == again.described() != other.described()
    film, numbers = pictures(17), items(first, 17)
    assert torch.equal(first(film, numbers), again(film, numbers))
    assert not torch.equal(first(film, numbers), other(film, numbers))


def test_what_decides_a_vector_is_described() -> None:
    described = [
        vit(),
        vit(pooling="mean"),
        vit(fit="pad"),
        vit(architecture={**VIT, "num_heads": 2}),
        clip(),
        clip(scales=[1]),
        clip(architecture={**CLIP, "num_attention_heads": 2}),
        videomae(),
        videomae(pooling="mean"),
        videomae(stride=4),
    ]
    told = [json.dumps(backbone.described(), sort_keys=True) for backbone in described]
    assert len(set(told)) == len(told)


def test_the_hash_is_of_the_weights_and_not_of_the_precision() -> None:
    backbone = vit()
    before = backbone.described()
    assert backbone.to(torch.bfloat16).described() == before


@pytest.mark.parametrize("opened", [vit, clip, videomae])
def test_weights_that_are_not_there(opened: Any, tmp_path: Path) -> None:
    option = opened().__class__.__name__.lower().replace("clips2", "clip_s2")
    with pytest.raises(UserError, match=f"features.{option}.weights=FOLDER"):
        opened(weights="nobody/nothing")
    with pytest.raises(UserError, match="no hub id"):
        opened(weights=str(tmp_path / "none"))
    with pytest.raises(UserError, match=r"holds no weights: expected model.safetensors"):
        opened(weights=str(tmp_path))


@pytest.mark.parametrize("opened", [vit, videomae])
def test_an_unknown_pooling_is_refused(opened: Any) -> None:
    with pytest.raises(UserError, match="token, mean"):
        opened(pooling="cls")


@pytest.mark.parametrize("opened", [vit, clip, videomae])
def test_sizes_that_cannot_be_are_refused(opened: Any) -> None:
    with pytest.raises(UserError, match="architecture"):
        opened(architecture={"num_heads": 5, "hidden_size": 32, "num_attention_heads": 5})
