"""Poolings: the shallow decoder is transformers' own, cut short; the mean is one."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from sonar_slt.adapter import Measure
from sonar_slt.adapter.pooling import AttentionPool, MeanPool, ShallowDecoderPool
from sonar_slt.errors import UserError
from sonar_slt.space import LoraStudent, SentenceSpace

pytestmark = pytest.mark.properties


def opened(layers: int = 4, **options: Any) -> SentenceSpace:
    sizes = {"dim": 32, "layers": layers, "heads": 4, "hidden": 48, "vocabulary": 9000}
    return SentenceSpace.at_random(**sizes, **options)


def measured(space: SentenceSpace | None) -> Measure:
    return Measure(samples={}, vector_mean=torch.zeros(32), vector_std=torch.ones(32), space=space)


def steps(width: int = 32) -> tuple[Tensor, Tensor]:
    states = torch.randn(3, 11, width, generator=torch.Generator().manual_seed(4))
    return states, torch.arange(11) < torch.tensor([11, 4, 1]).unsqueeze(1)


def plain(space: SentenceSpace, layers: int, states: Tensor, mask: Tensor) -> Tensor:
    """transformers' own decoder without its later layers, given `</s>`."""
    decoder = copy.deepcopy(space.model.model.decoder)
    decoder.layers = decoder.layers[:layers]
    word = torch.full((len(states), 1), space.model.config.eos_token_id)
    said: Tensor = decoder(
        input_ids=word, encoder_hidden_states=states, encoder_attention_mask=mask.long(), use_cache=False
    )[0]
    return said


@torch.no_grad()
@pytest.mark.parametrize(("layers", "used"), [(1, 1), (3, 3), (9, 4)])
def test_a_shallow_decoder_begins_as_the_first_layers_of_the_decoder(layers: int, used: int) -> None:
    space = opened()
    pool = ShallowDecoderPool(dim=32, measure=measured(space), layers=layers)
    assert len(pool.layers) == used
    states, mask = steps()
    torch.testing.assert_close(pool(states, mask), plain(space, used, states, mask), rtol=0, atol=1e-5)


@torch.no_grad()
def test_its_weights_are_precise_copies_of_the_base_whatever_a_student_made_of_that() -> None:
    space, half = opened(), opened(dtype="bfloat16")
    LoraStudent(space=space, rank=4)
    pool, states = ShallowDecoderPool(dim=32, measure=measured(space)), steps()
    assert torch.equal(pool(*states), ShallowDecoderPool(dim=32, measure=measured(opened()))(*states))
    pool = ShallowDecoderPool(dim=32, measure=measured(half))
    assert {weight.dtype for weight in pool.parameters()} == {torch.float32}
    assert all(weight.requires_grad for weight in pool.parameters())
    before = [weight.clone() for weight in half.model.parameters()]
    for weight in pool.parameters():
        weight.zero_()
    assert all(torch.equal(weight, old) for weight, old in zip(half.model.parameters(), before, strict=True))


@torch.no_grad()
def test_a_context_of_another_width_is_met_by_one_projection() -> None:
    pool = ShallowDecoderPool(dim=20, measure=measured(opened()))
    assert pool(*steps(20)).shape == (3, 1, 32)
    assert isinstance(pool.enter, torch.nn.Linear)


@pytest.mark.parametrize("space", [None, "encoder"])
def test_a_space_without_its_decoder_is_refused(space: str | None) -> None:
    with pytest.raises(UserError, match=r"pooling=shallow_decoder .* without it"):
        ShallowDecoderPool(dim=32, measure=measured(space and opened(only=space)))


@torch.no_grad()
def test_the_mean_is_of_real_steps() -> None:
    states, mask = steps()
    expected = torch.stack([clip[real].mean(dim=0) for clip, real in zip(states, mask, strict=True)])
    torch.testing.assert_close(MeanPool(dim=32)(states, mask)[:, 0], expected)


def test_heads_that_do_not_divide_the_width_are_told() -> None:
    with pytest.raises(UserError, match=r"pooling\.heads=5"):
        AttentionPool(dim=32, heads=5)
