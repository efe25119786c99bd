"""The packed pass is transformers' own at every real position, and padding never meets it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from sonar_slt.space.fresh import new_model
from sonar_slt.space.likelihood import packed_states, plain_states, sentence_nll, sets_nll
from sonar_slt.space.opening import freeze
from sonar_slt.space.packing import Packing
from sonar_slt.space.tokens import TokenBatch, decoder_inputs, pad_rows

pytestmark = pytest.mark.properties

TEXTS = ["Am Montag gibt es in Bayern Regen.", "The north will see fog tomorrow.", "Heute Nebel."]
CODES = ["deu_Latn", "eng_Latn", "deu_Latn"]


@pytest.fixture
def deep(space: Any) -> Any:
    """A random model of several layers, heads and positions, in float64: what one layer hides, four show."""
    torch.manual_seed(0)
    model = new_model(space.tokens.tokenizer, dim=32, layers=1, decoder_layers=4, heads=4, hidden=32, decoder_hidden=64)
    return freeze(model.double())


def sentences(model: Any, lengths: tuple[int, ...] = (3, 41, 1, 12, 41), seed: int = 0) -> tuple[Tensor, TokenBatch]:
    """Random rows of very different lengths, and a vector for each."""
    generator = torch.Generator().manual_seed(seed)
    rows = [torch.randint(4, model.config.vocab_size, (n,), generator=generator).tolist() for n in lengths]
    vectors = torch.randn(len(lengths), model.config.d_model, generator=generator, dtype=model.dtype)
    return vectors, pad_rows(rows, model.config.pad_token_id)


def both(model: Any, vectors: Tensor, tokens: TokenBatch) -> tuple[Tensor, Tensor]:
    """States at the real positions, by our way and by transformers'."""
    decoder, inputs = model.model.decoder, decoder_inputs(tokens, model.config.eos_token_id)
    ours = packed_states(decoder, vectors, inputs, Packing.of(tokens.mask))
    return ours, plain_states(decoder, vectors, inputs)[tokens.mask]


def plain_nll(model: Any, vectors: Tensor, tokens: TokenBatch) -> Tensor:
    inputs = decoder_inputs(tokens, model.config.eos_token_id)
    logits = model(encoder_outputs=(vectors.unsqueeze(1),), decoder_input_ids=inputs).logits
    losses = functional.cross_entropy(logits.flatten(0, 1), tokens.ids.flatten(), reduction="none")
    return (losses.view(tokens.ids.shape) * tokens.mask).sum(dim=1) / tokens.mask.sum(dim=1)


def test_the_packed_pass_equals_transformers_own(deep: Any) -> None:
    ours, plain = both(deep, *sentences(deep))
    torch.testing.assert_close(ours, plain, rtol=1e-10, atol=1e-10)


def test_it_does_so_on_a_trained_space_and_real_sentences(space: Any) -> None:
    space.model.double()
    vectors, tokens = space.encode(TEXTS, CODES), space.tokens.batch(TEXTS, CODES)
    ours, plain = both(space.model, vectors, tokens)
    torch.testing.assert_close(ours, plain, rtol=1e-10, atol=1e-12)


def test_a_pad_token_inside_a_sentence_and_more_positions_than_the_table_agree_too(deep: Any) -> None:
    vectors, tokens = sentences(deep, (700, 4))
    tokens.ids[0, 5] = deep.config.pad_token_id
    ours, plain = both(deep, vectors, tokens)
    torch.testing.assert_close(ours, plain, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("knob", ["dropout", "activation_dropout", "attention_dropout", "layerdrop"])
def test_in_training_dropout_acts_where_transformers_own_does(deep: Any, knob: str) -> None:
    """A share of 1 leaves nothing to chance, so that both ways can be compared."""
    decoder = deep.model.decoder.train()
    for layer in decoder.layers:
        layer.self_attn.dropout = float(knob == "attention_dropout")
        layer.dropout, layer.activation_dropout = float(knob == "dropout"), float(knob == "activation_dropout")
    decoder.layerdrop = float(knob == "layerdrop")
    vectors, tokens = sentences(deep)
    ours, plain = both(deep, vectors, tokens)
    torch.testing.assert_close(ours, plain, rtol=1e-10, atol=1e-10)
    deep.eval()
    assert not torch.allclose(ours, both(deep, vectors, tokens)[0], rtol=1e-3)


def test_dropout_of_attention_never_drops_the_only_memory(deep: Any) -> None:
    vectors, tokens = sentences(deep)
    expected = both(deep, vectors, tokens)[0]
    for layer in deep.model.decoder.train().layers:
        layer.encoder_attn.dropout = 1.0
    packing = Packing.of(tokens.mask)
    ours = packed_states(deep.model.decoder, vectors, decoder_inputs(tokens, deep.config.eos_token_id), packing)
    assert torch.equal(ours, expected)


def test_the_likelihood_and_its_gradient_are_transformers_own(deep: Any) -> None:
    vectors, tokens = sentences(deep)
    vectors.requires_grad_()
    ours, plain = sentence_nll(deep, vectors, tokens), plain_nll(deep, vectors, tokens)
    torch.testing.assert_close(ours, plain, rtol=1e-10, atol=1e-10)
    shares = torch.rand(len(tokens), dtype=torch.float64)
    slopes = [torch.autograd.grad((nll * shares).sum(), vectors)[0] for nll in (ours, plain)]
    torch.testing.assert_close(*slopes, rtol=1e-9, atol=1e-12)


def test_weights_that_learn_get_transformers_own_gradients(deep: Any) -> None:
    deep.requires_grad_(True)
    vectors, tokens = sentences(deep)
    live = {name: w for name, w in deep.named_parameters() if "decoder" in name or "shared" in name}
    found = [
        torch.autograd.grad(nll(deep, vectors, tokens).sum(), live.values(), allow_unused=True)
        for nll in (sentence_nll, plain_nll)
    ]
    for name, ours, plain in zip(live, *found, strict=True):
        if ours is None:  # dead with one memory vector
            assert "encoder_attn" in name and plain.abs().max() < 1e-10, name
        else:
            torch.testing.assert_close(
                ours, plain, rtol=1e-8, atol=1e-10, msg=lambda text, name=name: f"{name}: {text}"
            )


def test_padding_never_changes_a_value(deep: Any) -> None:
    vectors, tokens = sentences(deep)
    together = sentence_nll(deep, vectors, tokens)
    for i, length in enumerate(tokens.mask.sum(dim=1).tolist()):
        one = TokenBatch(tokens.ids[i : i + 1, :length], tokens.mask[i : i + 1, :length])
        alone = sentence_nll(deep, vectors[i : i + 1], one)
        torch.testing.assert_close(together[i : i + 1], alone, rtol=1e-12, atol=1e-12)
    longer = TokenBatch(functional.pad(tokens.ids, (0, 7), value=9), functional.pad(tokens.mask, (0, 7)))
    torch.testing.assert_close(sentence_nll(deep, vectors, longer), together, rtol=1e-12, atol=1e-12)
    other = TokenBatch(tokens.ids.masked_fill(~tokens.mask, 9), tokens.mask)
    assert torch.equal(sentence_nll(deep, vectors, other), together)  # whatever the padding holds


def test_several_sets_of_vectors_go_in_one_pass(deep: Any) -> None:
    vectors, tokens = sentences(deep)
    sets = torch.stack([vectors, vectors.flip(0), 2 * vectors])
    expected = torch.stack([sentence_nll(deep, one, tokens) for one in sets])
    torch.testing.assert_close(sets_nll(deep, sets, tokens), expected, rtol=1e-12, atol=1e-12)


def test_no_sentence_has_no_likelihood(deep: Any) -> None:
    nothing = TokenBatch(torch.empty(0, 0, dtype=torch.long), torch.empty(0, 0, dtype=torch.bool))
    assert sentence_nll(deep, torch.empty(0, 32, dtype=torch.float64), nothing).shape == (0,)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_stays_near(deep: Any, dtype: torch.dtype) -> None:
    vectors, tokens = sentences(deep)
    exact = sentence_nll(deep, vectors, tokens)
    near = sentence_nll(deep.to(dtype), vectors.float(), tokens)
    assert near.dtype == torch.float32
    torch.testing.assert_close(near.double(), exact, rtol=2e-2, atol=2e-2)


def test_frozen_weights_keep_little_for_backward(deep: Any) -> None:
    """The widest layer keeps a byte for each of its numbers, and no logit is kept at all."""
    vectors, tokens = sentences(deep)
    kept: list[Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor) or tensor, lambda t: t):
        sentence_nll(deep, vectors.requires_grad_(), tokens)
    count, hidden, words = int(tokens.mask.sum()), 64, deep.config.vocab_size
    wide = [tensor for tensor in kept if tensor.shape == (count, hidden)]
    assert len(wide) == 4 and all(tensor.dtype == torch.uint8 for tensor in wide)
    assert not [tensor for tensor in kept if tensor.numel() >= count * words]


def test_the_likelihood_is_that_of_the_labels(space: Any) -> None:
    vectors, tokens = space.encode(TEXTS, CODES), space.tokens.batch(TEXTS, CODES)
    inputs = decoder_inputs(tokens, space.tokens.end)
    logits = space.model(encoder_outputs=(vectors.unsqueeze(1),), decoder_input_ids=inputs).logits
    chosen = logits.log_softmax(-1).gather(2, tokens.ids.unsqueeze(2)).squeeze(2)
    expected = -(chosen * tokens.mask).sum(1) / tokens.mask.sum(1)
    torch.testing.assert_close(sentence_nll(space.model, vectors, tokens), expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(space.log_likelihood(vectors, TEXTS, CODES), -expected, rtol=1e-4, atol=1e-5)
