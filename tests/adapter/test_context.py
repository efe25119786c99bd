"""The space's encoder as a context: what transformers' own computes, and a teacher that never notices."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from sonar_slt.adapter import Measure
from sonar_slt.adapter.context import SonarContext, TransformerContext
from sonar_slt.errors import UserError
from sonar_slt.space import LoraStudent, SentenceSpace

pytestmark = pytest.mark.properties

TEXTS, CODES = ["Am Montag gibt es in Bayern Regen.", "Fog."], ["deu_Latn", "eng_Latn"]


def opened(**options: Any) -> SentenceSpace:
    sizes = {"dim": 32, "layers": 3, "heads": 4, "hidden": 48, "vocabulary": 9000}
    return SentenceSpace.at_random(**sizes, **options)


def measured(space: SentenceSpace | None) -> Measure:
    return Measure(samples={}, vector_mean=torch.zeros(32), vector_std=torch.ones(32), space=space)


def steps(*lengths: int) -> tuple[Tensor, Tensor]:
    states = torch.randn(len(lengths), max(lengths), 32, generator=torch.Generator().manual_seed(4))
    return states, torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)


def taught(context: SonarContext) -> SonarContext:
    with torch.no_grad():
        for weight in context.adapters.parameters():
            weight.copy_(0.2 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(weight.numel())))
    return context


def plain(space: SentenceSpace, context: SonarContext, states: Tensor, mask: Tensor) -> Tensor:
    """transformers' own encoder over the same input."""
    found: Tensor = space.model.model.encoder(inputs_embeds=context.entered(states), attention_mask=mask.long())[0]
    return found.to(states.dtype)


@torch.no_grad()
@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [("float32", 1e-5), ("float64", 1e-12), ("bfloat16", 0.1), ("float16", 0.02)],
)
def test_a_fresh_context_is_the_encoder_of_the_space(dtype: str, tolerance: float) -> None:
    space = opened(dtype=dtype)
    context = SonarContext(measure=measured(space))
    states, mask = steps(40, 7, 1)
    states = states.to(torch.promote_types(space.model.dtype, torch.float32))
    seen = context(states, mask)
    assert seen.dtype == states.dtype
    assert (seen - plain(space, context, states, mask))[mask].abs().max() < tolerance
    assert {weight.dtype for weight in context.parameters()} == {states.dtype}  # small matrices are precise


@torch.no_grad()
def test_a_clip_may_be_longer_than_any_sentence_and_the_space_keeps_its_table() -> None:
    space = opened()
    context, table = SonarContext(measure=measured(space)), space.model.model.encoder.embed_positions
    before = table.weights
    states, mask = steps(700)
    seen = context(states, mask)
    assert table.weights is before
    assert (seen - plain(space, context, states, mask)).abs().max() < 1e-5


@pytest.mark.parametrize("targets", [["q_proj", "v_proj"], ["k_proj", "out_proj", "fc1", "fc2"]])
def test_only_its_small_matrices_move_and_the_teacher_stays_bit_for_bit(targets: list[str]) -> None:
    space = opened()
    base = {name: weight.clone() for name, weight in space.model.state_dict().items()}
    vectors, said = space.encode(TEXTS, CODES), space.decode(torch.randn(2, 32), "deu_Latn", max_new_tokens=5)
    context = taught(SonarContext(measure=measured(space), targets=targets, dropout=0.1))
    optimiser = torch.optim.AdamW(context.parameters(), lr=0.05)
    states, mask = steps(12, 5)
    states.requires_grad_(True)
    first = context.eval()(states, mask).detach()
    context.train()(states, mask)[mask].square().sum().backward()
    optimiser.step()
    assert states.grad is not None and states.grad[mask].any(dim=-1).all()  # through the frozen base
    assert not torch.allclose(context.eval()(states, mask), first, rtol=1e-3)
    assert all(torch.equal(weight, base[name]) for name, weight in space.model.state_dict().items())
    assert torch.equal(space.encode(TEXTS, CODES), vectors) and len(said) == 2
    assert not space.model.training


def test_nothing_of_the_base_is_saved_or_copied() -> None:
    space = opened()
    context = SonarContext(measure=measured(space), rank=2)
    names = {name.rpartition(".")[0].split(".")[0] for name in context.state_dict()}
    assert names == {"enter", "adapters"}
    assert sum(weight.numel() for weight in context.parameters()) == 3 * 4 * 2 * 2 * 32 + 2 * 32
    assert context._encoder is space.model.model.encoder


@torch.no_grad()
@pytest.mark.parametrize("first", ["context", "student"])
def test_it_lives_beside_a_lora_student_of_the_same_space(first: str) -> None:
    space, alone = opened(), opened()
    context = None if first == "student" else taught(SonarContext(measure=measured(space)))
    student = LoraStudent(space=space, rank=4)
    context = context or taught(SonarContext(measure=measured(space)))
    states, mask = steps(9, 4)
    assert torch.equal(context(states, mask), taught(SonarContext(measure=measured(alone)))(states, mask))
    with student.as_teacher() as teacher:
        assert torch.equal(teacher.encode(TEXTS, CODES), alone.encode(TEXTS, CODES))


@pytest.mark.parametrize("space", [None, "decoder"])
def test_a_space_without_its_encoder_is_refused(space: str | None) -> None:
    with pytest.raises(UserError, match=r"context=sonar .* without it"):
        SonarContext(measure=measured(space and opened(only=space)))


@pytest.mark.parametrize(("options", "told"), [({"rank": 0}, "rank"), ({"targets": ["qproj"]}, "qproj")])
def test_wrong_options_are_told(options: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError, match=told):
        SonarContext(measure=measured(opened()), **options)


@torch.no_grad()
def test_a_transformer_is_as_loud_as_the_encoder_of_the_space() -> None:
    space = opened()
    space.model.model.encoder.layer_norm.weight.fill_(0.01)
    states, mask = steps(20)
    for context in (TransformerContext(measure=measured(space), dim=32), SonarContext(measure=measured(space))):
        assert 0.009 < float(context(states, mask).square().mean().sqrt()) < 0.011 + 0.02  # biases of 0.02
    assert float(TransformerContext(measure=measured(None), dim=32)(states, mask).std()) > 0.9


def test_a_width_that_the_heads_do_not_divide_is_told() -> None:
    with pytest.raises(UserError, match=r"context\.dim=30"):
        TransformerContext(measure=measured(None), dim=30)
