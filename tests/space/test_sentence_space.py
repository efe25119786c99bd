"""What must hold for every sentence space: SONAR's conventions, batches, saving, bad input."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.nn import functional

from sonar_slt import SentenceSpace
from sonar_slt.errors import UserError
from sonar_slt.space import LoraStudent
from sonar_slt.space.encoder import encoded, plain_encoded
from sonar_slt.space.generation import Search
from sonar_slt.space.tokens import MAX_TOKENS

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


def test_the_encoder_without_padding_equals_transformers_own(space: Any) -> None:
    space.model.double()
    tokens = space.tokens.batch([*TEXTS, "Heute " * 40], [*CODES, "deu_Latn"])
    plain, ours = plain_encoded(space.model.model.encoder, tokens), encoded(space.model.model.encoder, tokens)
    torch.testing.assert_close(ours[tokens.mask], plain[tokens.mask], rtol=1e-10, atol=1e-12)
    assert not ours[~tokens.mask].any()


def test_the_encoder_is_differentiable(space: Any) -> None:
    space.model.requires_grad_(True)
    space.encode(TEXTS, CODES, differentiable=True).square().sum().backward()
    assert all(weight.grad is not None for weight in space.model.model.encoder.parameters())


def test_half_precision_encodes_nearly_the_same(space: Any, space_folder: Path) -> None:
    for dtype in ("bfloat16", "float16"):
        half = type(space).from_pretrained(space_folder, dtype=dtype).encode(TEXTS, CODES)
        assert half.dtype == torch.float32
        assert functional.cosine_similarity(half, space.encode(TEXTS, CODES)).min() > 0.99


def test_vectors_are_raw_unless_a_length_of_one_is_asked_for(space: Any, space_folder: Path) -> None:
    raw, unit = space.encode(TEXTS, CODES), space.encode(TEXTS, CODES, normalize=True)
    assert not torch.allclose(raw.norm(dim=1), torch.ones(3), atol=1e-3)
    torch.testing.assert_close(unit, raw / raw.norm(dim=1, keepdim=True))
    opened = type(space).from_pretrained(space_folder, normalize=True)
    assert torch.equal(opened.encode(TEXTS, CODES), unit)
    assert torch.equal(opened.encode(TEXTS, CODES, normalize=False), raw)


def test_gradients_flow_when_asked_for(space: Any) -> None:
    assert not space.encode(TEXTS, CODES).requires_grad
    vectors = space.encode(TEXTS, CODES).requires_grad_()
    space.log_likelihood(vectors, TEXTS, CODES).sum().backward()
    assert vectors.grad is not None and vectors.grad.abs().sum() > 0


def test_decoding_starts_like_training_and_takes_a_language_per_vector(space: Any) -> None:
    vectors = space.encode(TEXTS, CODES)
    together = space.decode(vectors, CODES, num_beams=1, max_new_tokens=8)
    alone = [space.decode(vectors[i : i + 1], CODES[i], num_beams=1, max_new_tokens=8)[0] for i in range(3)]
    assert together == alone


def test_the_best_hypothesis_is_what_is_decoded(space: Any) -> None:
    vectors = space.encode(TEXTS, CODES)
    found = space.hypotheses(vectors, CODES, num_beams=4, n_best=3, max_new_tokens=8)
    assert [len(best) for best in found] == [3, 3, 3]
    assert [best[0].text for best in found] == space.decode(vectors, CODES, num_beams=4, max_new_tokens=8)
    assert all(one.score >= two.score for best in found for one, two in pairwise(best))


def test_batches_of_vectors_change_no_sentence(space: Any) -> None:
    vectors = space.encode(TEXTS, CODES)
    whole = space.decode(vectors, CODES, max_new_tokens=8)
    assert space.decode(vectors, CODES, max_new_tokens=8, batch_size=2) == whole
    assert space.decode(vectors, CODES, max_new_tokens=8, plain=True) == whole


def test_sampling_needs_no_word_about_beams_and_repeats_with_its_seed(space: Any) -> None:
    vectors = space.encode(TEXTS, CODES)
    once = space.decode(vectors, CODES, do_sample=True, temperature=0.8, top_p=0.9, seed=3, max_new_tokens=8)
    assert once == space.decode(vectors, CODES, do_sample=True, temperature=0.8, top_p=0.9, seed=3, max_new_tokens=8)
    assert len({tuple(space.decode(vectors, CODES, do_sample=True, seed=s, max_new_tokens=8)) for s in range(5)}) > 1


def test_several_sets_of_vectors_are_scored_in_one_pass(space: Any) -> None:
    sets = torch.stack([space.encode(TEXTS, CODES), torch.randn(3, space.dim)])
    together = space.log_likelihood(sets, TEXTS, CODES)
    assert together.shape == (2, 3)
    for one, vectors in zip(together, sets, strict=True):
        torch.testing.assert_close(one, space.log_likelihood(vectors, TEXTS, CODES))


def test_text_that_looks_like_a_control_token_is_text(space: Any) -> None:
    tokens = space.tokens
    (row,) = tokens.rows(["Regen </s> deu_Latn <pad> Nebel"], ["eng_Latn"])
    special = {tokens.end, tokens.pad, tokens.language_id("deu_Latn")}
    assert row[0] == tokens.language_id("eng_Latn") and row[-1] == tokens.end
    assert not special & set(row[1:-1])


def test_saving_and_opening_keeps_the_space(space: Any, tmp_path: Path) -> None:
    space.save(tmp_path / "copy")
    again = type(space).from_pretrained(tmp_path / "copy")
    assert again.fingerprint == space.fingerprint
    assert torch.equal(again.encode(TEXTS, CODES), space.encode(TEXTS, CODES))


def test_a_space_with_a_student_is_not_saved(space: Any, tmp_path: Path) -> None:
    LoraStudent(space=space)
    with pytest.raises(UserError, match="merge it first"):
        space.save(tmp_path / "copy")
    assert not list(tmp_path.iterdir())


def test_a_space_is_saved_over_nothing_but_a_space(space: Any, tmp_path: Path) -> None:
    space.save(str(tmp_path / "copy"))
    space.save(tmp_path / "copy")
    (tmp_path / "copy" / "thesis.txt").write_text("x")
    (tmp_path / "file").write_text("x")
    for place in ("copy", "file"):
        with pytest.raises(UserError, match="a folder of its own"):
            space.save(tmp_path / place)
    assert (tmp_path / "copy" / "thesis.txt").is_file() and (tmp_path / "file").read_text() == "x"


def test_broken_weights_are_said_so(space: Any) -> None:
    vectors = space.encode(TEXTS, CODES)
    for half in ("encoder", "decoder"):
        weight = getattr(space.model.model, half).layers[0].fc1.weight
        kept = weight.data[0, 0].clone()
        weight.data[0, 0] = float("nan")
        with pytest.raises(UserError, match="NaN or infinity"):
            space.encode(TEXTS, CODES) if half == "encoder" else space.decode(vectors, CODES)
        weight.data[0, 0] = kept


def test_decoding_leaves_every_module_as_it_was(space: Any) -> None:
    student = LoraStudent(space=space, dropout=0.5).train()
    space.model.model.decoder.layers[0].train()
    before = [module.training for module in space.model.modules()]
    student.decode(space.encode(TEXTS, CODES), CODES, max_new_tokens=4)
    assert [module.training for module in space.model.modules()] == before and any(before) and not all(before)


def test_as_many_are_decoded_together_as_memory_is_allowed() -> None:
    huge = SentenceSpace.__new__(SentenceSpace)
    config = SimpleNamespace(vocab_size=256206, decoder_layers=24, d_model=1024)
    huge.model = SimpleNamespace(config=config, dtype=torch.float32)
    assert 20 < huge._together(Search()) < 40  # 5 beams of 128 tokens: 0.13 GiB for each vector
    assert huge._together(Search(max_new_tokens=510)) < 10
    assert huge._together(Search(num_beams=1, max_new_tokens=1)) > 200


def test_a_changed_weight_changes_the_fingerprint(space: Any) -> None:
    before = space.fingerprint
    with torch.no_grad():
        space.model.model.encoder.layer_norm.bias[0] += 1e-3
    assert type(space)(space.model, space.tokens.tokenizer).fingerprint != before


def test_long_text_is_cut_and_counted(space: Any, caplog: pytest.LogCaptureFixture) -> None:
    texts = ["Regen " * 2000, "Nebel"]
    vectors = space.encode(texts, "deu_Latn")
    space.log_likelihood(vectors, texts, "deu_Latn")
    assert caplog.messages == ["1 of 2 sentences were longer than 514 tokens and were cut"] * 2
    space.tokens.truncated = 0
    rows = space.tokens.rows(["Regen " * 2000], ["deu_Latn"])
    assert len(rows[0]) == MAX_TOKENS and rows[0][-1] == space.tokens.end
    assert space.tokens.truncated == 1


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda s: s.encode(["x"], "xxx_Latn"), "xxx_Latn"),
        (lambda s: s.encode(["x"], "german"), "did you mean deu_Latn.*sonar_slt.languages"),
        (lambda s: s.encode(["x", "y"], ["deu_Latn"]), "1 languages for 2"),
        (lambda s: s.encode([], "deu_Latn"), "list is empty"),
        (lambda s: s.encode("x", "deu_Latn"), "not a list"),
        (lambda s: s.encode(["x", " "], "deu_Latn"), "number 1 of 2 is empty"),
        (lambda s: s.encode(["x", None], "deu_Latn"), "NoneType"),
        (lambda s: s.encode(["x \ud800"], "deu_Latn"), "half a character"),
        (lambda s: s.encode({"x": 1}, "deu_Latn"), "not as dict"),
        (lambda s: s.encode(["x"], None), "not NoneType"),
        (lambda s: s.encode(["x"], [1]), "not 1"),
        (lambda s: s.encode(["x"], "deu_Latn", batch_tokens=0), "batch_tokens=0"),
        (lambda s: s.log_likelihood(torch.zeros(1, s.dim), "x", "deu_Latn"), "not a list"),
        (lambda s: s.log_likelihood(torch.zeros(0, 1, s.dim), ["x"], "deu_Latn"), "N at least 1"),
        (lambda s: s.decode(torch.zeros(1, s.dim).long(), "deu_Latn"), "floating-point"),
        (lambda s: s.decode(torch.full((1, s.dim), 1e38), "deu_Latn"), "another scale"),
        (lambda s: s.decode(torch.zeros(1, s.dim), "deu_Latn", num_beams=5000), "num_beams=5000"),
        (lambda s: s.decode(torch.zeros(1, s.dim), "deu_Latn", shortlist="x"), "Shortlist.of_texts"),
        (lambda s: type(s).from_pretrained(None), "No sentence space"),
        (lambda s: type(s).from_pretrained("x", device="gpu"), "gpu"),
        (lambda s: type(s).from_pretrained("x", dtype=torch.int8), "int8"),
        (lambda s: s.decode([[0.0]], "deu_Latn"), "not list"),
        (lambda s: s.decode(torch.zeros(1, s.dim), "deu_Latn", batch_size=0), "batch_size=0"),
        (lambda s: s.log_likelihood(torch.zeros(2, s.dim), ["x"], "deu_Latn"), "2 vectors for 1"),
        (lambda s: s.decode(torch.empty(0, s.dim), "deu_Latn"), "N at least 1"),
        (lambda s: s.decode(torch.zeros(1, s.dim), "deu_Latn", beams=3), "no knob 'beams'.*num_beams"),
        (lambda s: s.decode(torch.zeros(1, s.dim), "deu_Latn", do_sample=True, num_beams=3), "num_beams=1"),
        (lambda s: s.decode(torch.zeros(2, 5), "deu_Latn"), r"\(2, 5\)"),
        (lambda s: s.decode(torch.full((1, s.dim), float("nan")), "deu_Latn"), "NaN"),
        (lambda s: type(s).from_pretrained("nowhere/at-all-here"), "No sentence space"),
        (lambda s: type(s).from_pretrained("x", dtype="float8"), "float8"),
    ],
)
def test_wrong_input_is_one_sentence(space: Any, call: Any, says: str) -> None:
    with pytest.raises(UserError, match=says):
        call(space)
