"""From many states to one vector: what padding may not change, and what each pooling looks at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from sonar_slt import SentenceSpace
from sonar_slt.errors import UserError
from sonar_slt.space import AttentionPooling, EosPooling, MaxPooling, MeanPooling

pytestmark = pytest.mark.properties

TEXTS = ["Am Montag gibt es in Bayern Regen.", "Heute Nebel."]
CHOICES = ["mean", "max", "eos", AttentionPooling(layers=1), AttentionPooling(layers=1, take="last")]


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_padding_never_changes_a_vector(space_folder: Path, choice: Any) -> None:
    space = SentenceSpace.from_pretrained(space_folder, dtype="float64", pooling=choice)
    alone = torch.cat([space.encode([text], "deu_Latn") for text in TEXTS])
    torch.testing.assert_close(space.encode(TEXTS, "deu_Latn"), alone, rtol=1e-10, atol=1e-12)


def test_poolings_look_at_what_they_say() -> None:
    states = torch.tensor([[[1.0, 5.0], [3.0, 1.0], [99.0, 99.0]]])
    mask = torch.tensor([[True, True, False]])
    assert MeanPooling()(states, mask).tolist() == [[2.0, 3.0]]
    assert MaxPooling()(states, mask).tolist() == [[3.0, 5.0]]
    assert EosPooling()(states, mask).tolist() == [[3.0, 1.0]]


def test_attention_pooling_is_the_first_layers_of_the_decoder_reading_the_end_alone(space: Any) -> None:
    pooling = AttentionPooling(layers=1)
    pooling.adopt(space.model)
    states, mask = torch.randn(2, 5, space.dim), torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    expected = space.model.model.decoder(  # the micro space has one decoder layer
        input_ids=torch.full((2, 1), space.tokens.end),
        encoder_hidden_states=states,
        encoder_attention_mask=mask.long(),
        use_cache=False,
    )[0][:, 0]
    torch.testing.assert_close(pooling(states, mask), expected)


def test_attention_pooling_trains_without_moving_the_space(space: Any) -> None:
    pooling = AttentionPooling(layers=1)
    pooling.adopt(space.model)
    pooling.requires_grad_(True)
    before = [weight.clone() for weight in space.model.parameters()]
    optimiser = torch.optim.SGD(pooling.parameters(), lr=1.0)
    pooling(torch.randn(2, 5, space.dim), torch.ones(2, 5, dtype=torch.bool)).square().sum().backward()
    optimiser.step()
    assert not any(torch.equal(w, space.model.model.decoder.layer_norm.weight) for w in [pooling.norm.weight])
    assert all(torch.equal(weight, kept) for weight, kept in zip(space.model.parameters(), before, strict=True))


def test_half_precision_is_pooled_in_float32() -> None:
    states = torch.ones(1, 300, 4, dtype=torch.bfloat16)
    states[0, 0] = 1.5
    pooled = MeanPooling()(states, torch.ones(1, 300, dtype=torch.bool))
    assert pooled.dtype == torch.float32
    torch.testing.assert_close(pooled, torch.full((1, 4), 1 + 0.5 / 300))


def test_every_pooling_has_vectors_of_its_own_name(space_folder: Path) -> None:
    opened = [SentenceSpace.from_pretrained(space_folder, pooling=choice) for choice in CHOICES]
    opened.append(SentenceSpace.from_pretrained(space_folder, normalize=True))
    opened.append(SentenceSpace.from_pretrained(space_folder, dtype="bfloat16"))
    assert len({space.vector_id for space in opened}) == len(opened)
    assert len({space.fingerprint for space in opened}) == 1


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda folder: SentenceSpace.from_pretrained(folder, pooling="median"), "median.*mean, max"),
        (lambda folder: SentenceSpace.from_pretrained(folder, pooling="attention", only="encoder"), "only=encoder"),
        (lambda folder: AttentionPooling(layers=0), "layers=0"),
        (lambda folder: AttentionPooling(take="middle"), "middle"),
    ],
)
def test_wrong_choices_are_one_sentence(space_folder: Path, wrong: Any, says: str) -> None:
    with pytest.raises(UserError, match=says):
        wrong(space_folder)
