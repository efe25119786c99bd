"""What must hold for every sentence space: SONAR's conventions, one copy of the weights, likelihood and LoRA."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from sonar_slt.errors import UserError
from sonar_slt.space import LoraStudent
from sonar_slt.space.likelihood import decoder_states, plain_states, sentence_nll
from sonar_slt.space.tokens import MAX_TOKENS, decoder_inputs

pytestmark = pytest.mark.properties

TEXTS = ["Am Montag gibt es in Bayern Regen.", "The north will see fog tomorrow.", "Heute Nebel."]
CODES = ["deu_Latn", "eng_Latn", "deu_Latn"]


def test_the_vector_is_the_mean_over_all_states_specials_included(space: Any) -> None:
    tokens = space.tokens.batch(TEXTS[:1], CODES[:1])
    assert tokens.ids[0, 0] == space.tokens.language_id("deu_Latn")
    assert tokens.ids[0, -1] == space.tokens.end
    states = space.model.model.encoder(input_ids=tokens.ids, attention_mask=tokens.mask.long())[0]
    torch.testing.assert_close(space.encode(TEXTS[:1], "deu_Latn"), states.mean(dim=1))


def test_transformers_own_tokenizer_agrees_with_ours(space: Any) -> None:
    tokenizer = space.tokens.tokenizer
    for text, code in zip(TEXTS, CODES, strict=True):
        tokenizer.src_lang = code
        assert tokenizer(text)["input_ids"] == space.tokens.rows([text], [code])[0]


def test_a_batch_encodes_what_each_sentence_encodes_alone(space: Any) -> None:
    alone = torch.cat([space.encode([text], code) for text, code in zip(TEXTS, CODES, strict=True)])
    torch.testing.assert_close(space.encode(TEXTS, CODES), alone, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(space.encode(TEXTS, CODES, batch_tokens=1), alone, rtol=1e-5, atol=1e-7)


def test_gradients_flow_when_asked_for(space: Any) -> None:
    assert not space.encode(TEXTS, CODES).requires_grad
    vectors = space.encode(TEXTS, CODES).requires_grad_()
    space.log_likelihood(vectors, TEXTS, CODES).sum().backward()
    assert vectors.grad is not None and vectors.grad.abs().sum() > 0


def test_the_fast_decoder_pass_equals_transformers_own(space: Any) -> None:
    space.model.double()
    vectors = space.encode(TEXTS, CODES)
    tokens = space.tokens.batch(TEXTS, CODES)
    inputs = decoder_inputs(tokens, space.tokens.end)
    decoder = space.model.model.decoder
    plain, fast = plain_states(decoder, vectors, inputs), decoder_states(decoder, vectors, inputs)
    torch.testing.assert_close(fast[tokens.mask], plain[tokens.mask], rtol=1e-10, atol=1e-12)


def test_the_likelihood_is_that_of_the_labels(space: Any) -> None:
    vectors, tokens = space.encode(TEXTS, CODES), space.tokens.batch(TEXTS, CODES)
    logits = space.model(
        encoder_outputs=(vectors.unsqueeze(1),), decoder_input_ids=decoder_inputs(tokens, space.tokens.end)
    ).logits
    chosen = logits.log_softmax(-1).gather(2, tokens.ids.unsqueeze(2)).squeeze(2)
    expected = -(chosen * tokens.mask).sum(1) / tokens.mask.sum(1)
    torch.testing.assert_close(sentence_nll(space.model, vectors, tokens), expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(space.log_likelihood(vectors, TEXTS, CODES), -expected, rtol=1e-4, atol=1e-5)


def test_decoding_starts_like_training_and_takes_a_language_per_vector(space: Any) -> None:
    vectors = space.encode(TEXTS, CODES)
    together = space.decode(vectors, CODES, num_beams=1, max_new_tokens=8)
    alone = [space.decode(vectors[i : i + 1], CODES[i], num_beams=1, max_new_tokens=8)[0] for i in range(3)]
    assert together == alone


def test_saving_and_opening_keeps_the_space(space: Any, tmp_path: Path) -> None:
    space.save(tmp_path / "copy")
    again = type(space).from_pretrained(tmp_path / "copy")
    assert again.fingerprint == space.fingerprint
    assert torch.equal(again.encode(TEXTS, CODES), space.encode(TEXTS, CODES))


def test_a_changed_weight_changes_the_fingerprint(space: Any) -> None:
    before = space.fingerprint
    with torch.no_grad():
        space.model.model.encoder.layer_norm.bias[0] += 1e-3
    assert type(space)(space.model, space.tokens.tokenizer).fingerprint != before


def test_long_text_is_cut_and_counted(space: Any) -> None:
    rows = space.tokens.rows(["Regen " * 2000], ["deu_Latn"])
    assert len(rows[0]) == MAX_TOKENS and rows[0][-1] == space.tokens.end
    assert space.tokens.truncated == 1


def test_no_sentences_give_no_vectors(space: Any) -> None:
    assert space.encode([], "deu_Latn").shape == (0, space.dim)
    assert space.decode(torch.empty(0, space.dim), "deu_Latn") == []


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda s: s.encode(["x"], "xxx_Latn"), "xxx_Latn"),
        (lambda s: s.encode(["x", "y"], ["deu_Latn"]), "1 languages for 2"),
        (lambda s: s.decode(torch.zeros(2, 5), "deu_Latn"), r"\(2, 5\)"),
        (lambda s: s.decode(torch.full((1, s.dim), float("nan")), "deu_Latn"), "NaN"),
        (lambda s: type(s).from_pretrained("nowhere/at-all-here"), "No sentence space"),
        (lambda s: type(s).from_pretrained("x", dtype="float8"), "float8"),
    ],
)
def test_wrong_input_is_one_sentence(space: Any, call: Any, says: str) -> None:
    with pytest.raises(UserError, match=says):
        call(space)


class TestLora:
    def test_a_fresh_student_is_the_teacher(self, space: Any) -> None:
        vectors, tokens = space.encode(TEXTS, CODES), space.tokens.batch(TEXTS, CODES)
        before = sentence_nll(space.model, vectors, tokens)
        student = LoraStudent(space=space)
        torch.testing.assert_close(student.nll(vectors, tokens), before)

    def test_only_the_small_matrices_move_and_the_teacher_stays_bit_for_bit(self, space: Any) -> None:
        vectors, tokens = space.encode(TEXTS, CODES), space.tokens.batch(TEXTS, CODES)
        before, base = sentence_nll(space.model, vectors, tokens), list(space.model.parameters())
        before_training = [weight.clone() for weight in base]
        student = LoraStudent(space=space)
        owned = [weight for weight in student.parameters() if weight.requires_grad]
        assert {id(w) for w in owned} == {id(w) for w in space.model.parameters() if w.requires_grad}
        student.nll(vectors, tokens).sum().backward()
        assert all(w.grad is not None for w in owned)
        with torch.no_grad():
            for weight in owned:
                weight.add_(0.1)
        assert not torch.allclose(student.nll(vectors, tokens), before, rtol=1e-3)
        with student.as_teacher() as teacher:
            assert torch.equal(sentence_nll(teacher.model, vectors, tokens), before)
            assert torch.equal(teacher.encode(TEXTS, CODES), vectors)
        assert all(torch.equal(weight, kept) for weight, kept in zip(base, before_training, strict=True))

    def test_query_and_key_of_the_cross_attention_are_dead_and_left_out(self, space: Any) -> None:
        student = LoraStudent(space=space)
        assert not [name for name in student.adapters if "encoder_attn/q_proj" in name or "encoder_attn/k_proj" in name]
        space.model.requires_grad_(True)
        vectors, tokens = space.encode(TEXTS, CODES), space.tokens.batch(TEXTS, CODES)
        inputs = decoder_inputs(tokens, space.tokens.end)
        plain_states(space.model.model.decoder, vectors, inputs).square().sum().backward()
        attention = space.model.model.decoder.layers[0].encoder_attn
        assert attention.q_proj.weight.grad.abs().max() < 1e-6 < attention.v_proj.base_layer.weight.grad.abs().max()
