"""The fast way of generating and transformers' own agree, token for token, under every knob."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import Tensor

from sonar_slt.errors import UserError
from sonar_slt.space.generation import Generated, Search, generate, most_new_tokens, prefixes
from sonar_slt.space.generation.plain import plain_generate

pytestmark = pytest.mark.properties
pytest_plugins = ["tests.space.talking"]

GREEDY = Search(num_beams=1)
BEAMS = Search(num_beams=5, n_best=5)
TIE = 1e-4
"""Where plain scores lie closer than this, float32 may decide either way."""


def agree(talk: Any, vectors: Tensor, languages: Tensor, search: Search, **options: Any) -> list[list[Generated]]:
    """The fast outputs, after a look that plain ones are the same, in order and in score."""
    plain = plain_generate(talk.model, vectors, languages, search, **options)
    fast = generate(talk.model, vectors, languages, search, **options)
    assert [[one.ids for one in best] for best in fast] == [[one.ids for one in best] for best in plain]
    for ours, theirs in zip(fast, plain, strict=True):
        assert [one.score for one in ours] == pytest.approx([one.score for one in theirs], rel=1e-9, abs=1e-9)
    return fast


@pytest.mark.parametrize("search", [GREEDY, BEAMS], ids=["greedy", "five beams"])
def test_every_vector_gives_the_same_tokens_and_scores_in_float64(talk64: Any, search: Search) -> None:
    end = talk64.space.tokens.end
    outputs = agree(talk64, talk64.vectors, talk64.languages, search)
    lengths = [len(best[0].ids) for best in outputs if best[0].ids[-1] == end]
    assert len(lengths) >= 200  # sentences that ended by themselves
    assert max(lengths) >= 5 * min(lengths)


@pytest.mark.parametrize("search", [GREEDY, BEAMS], ids=["greedy", "five beams"])
def test_in_float32_only_ties_are_decided_otherwise(talk32: Any, search: Search) -> None:
    plain = plain_generate(talk32.model, talk32.vectors, talk32.languages, search)
    fast = generate(talk32.model, talk32.vectors, talk32.languages, search)
    different = [i for i in range(len(plain)) if [one.ids for one in plain[i]] != [one.ids for one in fast[i]]]
    print(f"{len(plain) - len(different)} of {len(plain)} identical in float32")
    for i in different:
        if search.num_beams == 1:
            assert greedy_gap(talk32, i, plain[i][0].ids, fast[i][0].ids) < TIE
        else:
            for ours, theirs in zip(fast[i], plain[i], strict=True):
                assert abs(ours.score - theirs.score) < TIE
    assert len(different) <= len(plain) // 20


def greedy_gap(talk: Any, row: int, plain: tuple[int, ...], fast: tuple[int, ...]) -> float:
    """How far the plain way's first two choices lie apart where the outputs part."""
    parting = next(i for i, (one, other) in enumerate(zip(plain, fast, strict=False)) if one != other)
    inputs = torch.cat([prefixes(talk.model, talk.languages[row : row + 1])[0], torch.tensor(plain[:parting]).long()])
    logits = talk.model(
        encoder_outputs=(talk.vectors[row].view(1, 1, -1),), decoder_input_ids=inputs.unsqueeze(0)
    ).logits[0, -1]
    first, second = logits.topk(2).values.tolist()
    return float(first - second)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_says_nearly_always_the_same(talk32: Any, dtype: torch.dtype) -> None:
    vectors, languages = talk32.some(6)
    model = copy.deepcopy(talk32.model).to(dtype)
    for search in (GREEDY, Search()):
        plain = plain_generate(model, vectors, languages, search)
        fast = generate(model, vectors, languages, search)
        same = sum(one[0].ids == other[0].ids for one, other in zip(plain, fast, strict=True))
        assert same >= 0.8 * len(vectors)


LENGTH_AND_REPETITION: list[dict[str, Any]] = [
    {"min_new_tokens": 25},
    {"max_new_tokens": 1},
    {"max_new_tokens": 9},
    {"min_new_tokens": 14, "max_new_tokens": 14},
    {"no_repeat_ngram_size": 1, "max_new_tokens": 30},
    {"no_repeat_ngram_size": 2},
    {"no_repeat_ngram_size": 3},
    {"repetition_penalty": 1.3},
    {"repetition_penalty": 0.8, "max_new_tokens": 40},
    {"repetition_penalty": 1.1, "no_repeat_ngram_size": 2, "min_new_tokens": 12, "max_new_tokens": 33},
]
OF_BEAMS: list[dict[str, Any]] = [
    {"length_penalty": 0.0},
    {"length_penalty": 2.0},
    {"length_penalty": -1.0},
    {"early_stopping": True},
    {"early_stopping": True, "length_penalty": 2.0, "repetition_penalty": 1.2, "num_beams": 3, "n_best": 2},
    {"num_beams": 2},
    {"num_beams": 12, "n_best": 12},
]


@pytest.mark.parametrize("knobs", LENGTH_AND_REPETITION, ids=str)
def test_length_and_repetition_knobs_agree(talk64: Any, knobs: dict[str, Any]) -> None:
    vectors, languages = talk64.some(6)
    for search in (Search(num_beams=1, **knobs), Search(n_best=5, **knobs)):
        changed = agree(talk64, vectors, languages, search)
        usual = generate(talk64.model, vectors, languages, Search(num_beams=search.num_beams, n_best=search.n_best))
        assert changed != usual  # the knob did something


@pytest.mark.parametrize("knobs", OF_BEAMS, ids=str)
def test_knobs_of_beams_agree(talk64: Any, knobs: dict[str, Any]) -> None:
    vectors, languages = talk64.some(6)
    changed = agree(talk64, vectors, languages, Search(**{"n_best": min(5, knobs.get("num_beams", 5)), **knobs}))
    assert changed != generate(talk64.model, vectors, languages, BEAMS)


@pytest.mark.parametrize("search", [GREEDY, Search(), BEAMS], ids=["greedy", "beams", "n-best"])
def test_ends_are_forced_where_they_are_asked_for(talk64: Any, search: Search) -> None:
    vectors, languages = talk64.some(6)
    ends = torch.arange(len(vectors)) % 37 + (1 if search.n_best == 1 else 2)
    outputs = agree(talk64, vectors, languages, search, ends=ends)
    assert [len(best[0].ids) for best in outputs] == ends.tolist()
    end = talk64.space.tokens.end
    assert all(one.ids[-1] == end and end not in one.ids[:-1] for best in outputs for one in best)


@pytest.mark.parametrize("search", [GREEDY, BEAMS], ids=["greedy", "five beams"])
def test_alone_equals_together(talk64: Any, search: Search) -> None:
    vectors, languages = talk64.some(12)
    together = generate(talk64.model, vectors, languages, search)
    for i, best in enumerate(together):
        alone = generate(talk64.model, vectors[i : i + 1], languages[i : i + 1], search)[0]
        assert [one.ids for one in alone] == [one.ids for one in best]
        assert [one.score for one in alone] == pytest.approx([one.score for one in best], rel=1e-6)


@pytest.mark.parametrize("search", [GREEDY, BEAMS], ids=["greedy", "five beams"])
def test_sentences_that_leave_early_change_nothing_for_the_others(talk64: Any, search: Search) -> None:
    vectors, languages = talk64.some(12)
    usual = generate(talk64.model, vectors, languages, search)
    ends = torch.tensor([len(best[0].ids) for best in usual])
    stay = torch.arange(len(vectors)) % 2 == 1
    shortened = torch.where(stay, ends, torch.arange(len(vectors)) % 5 + 2)
    forced = generate(talk64.model, vectors, languages, search, ends=shortened)
    alone = generate(talk64.model, vectors[stay], languages[stay], search, ends=ends[stay])
    assert [forced[i] for i in stay.nonzero().squeeze(1).tolist()] == alone


def test_one_vector_speaks_each_language_it_is_asked_for(talk64: Any) -> None:
    codes = talk64.space.languages
    languages = torch.tensor([talk64.space.tokens.language_id(code) for code in codes])
    vectors = talk64.vectors[:1].expand(len(codes), -1)
    outputs = agree(talk64, vectors, languages, BEAMS)
    assert len({best[0].ids for best in outputs}) == len(codes)


def test_outputs_stop_where_positions_do(talk64: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk64.model.config, "max_position_embeddings", 12)
    assert most_new_tokens(talk64.model, Search()) == 11
    vectors, languages = talk64.some(12)
    for search in (GREEDY, BEAMS):
        outputs = agree(talk64, vectors, languages, search)
        assert max(len(one.ids) for best in outputs for one in best) == 11


def test_the_defaults_of_a_checkpoint_change_neither_way(talk64: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, languages = talk64.some(24)
    before = agree(talk64, vectors, languages, BEAMS)
    for name, value in {"repetition_penalty": 3.0, "forced_bos_token_id": 7, "num_beams": 2, "max_length": 9}.items():
        monkeypatch.setattr(talk64.model.generation_config, name, value)
    assert agree(talk64, vectors, languages, BEAMS) == before
    assert talk64.model.generation_config.max_length == 9


def test_nothing_in_nothing_out(talk64: Any) -> None:
    for way in (generate, plain_generate):
        assert way(talk64.model, talk64.vectors[:0], talk64.languages[:0], Search()) == []


def test_a_student_with_lora_agrees_and_differs_from_its_base(talk64: Any) -> None:
    vectors, languages = talk64.some(6)
    student = copy.deepcopy(talk64)
    inject_adapter_in_model(
        LoraConfig(r=4, target_modules=r".*decoder\..*(self_attn\.[qkv]_proj|encoder_attn\.(v_proj|out_proj))"),
        student.model,
    )
    torch.manual_seed(0)
    for name, weight in student.model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.03)
    student.model.double().eval()
    for search in (GREEDY, BEAMS):
        taught = agree(student, vectors, languages, search)
        assert taught != generate(talk64.model, vectors, languages, search)


class TestSampling:
    def test_the_same_seed_says_the_same_and_moves_no_other_generator(self, talk64: Any) -> None:
        vectors, languages = talk64.some(12)
        state = torch.get_rng_state()
        for way in (generate, plain_generate):
            first, again, other = (
                way(talk64.model, vectors, languages, Search(num_beams=1, do_sample=True, n_best=2, seed=seed))
                for seed in (1, 1, 2)
            )
            assert first == again != other
            assert all(len(draws) == 2 for draws in first)
            assert any(one.ids != two.ids for one, two in first)
        assert torch.equal(torch.get_rng_state(), state)

    def test_without_a_seed_torch_s_own_decides(self, talk64: Any) -> None:
        vectors, languages = talk64.some(12)
        outputs = []
        for seed in (5, 5, 6):
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                outputs.append(generate(talk64.model, vectors, languages, Search(num_beams=1, do_sample=True)))
        assert outputs[0] == outputs[1] != outputs[2]

    @pytest.mark.parametrize("knobs", [{"top_k": 1}, {"top_p": 1e-6}, {"temperature": 1e-6}], ids=str)
    def test_drawing_from_one_token_is_greedy(self, talk64: Any, knobs: dict[str, Any]) -> None:
        vectors, languages = talk64.some(12)
        drawn = generate(talk64.model, vectors, languages, Search(num_beams=1, do_sample=True, seed=0, **knobs))
        assert drawn == generate(talk64.model, vectors, languages, GREEDY)

    @pytest.mark.parametrize(
        "knobs",
        [{}, {"temperature": 2.5}, {"temperature": 0.4}, {"top_k": 5}, {"top_p": 0.7}, {"top_k": 9, "top_p": 0.8}],
        ids=str,
    )
    def test_draws_are_distributed_as_transformers_would_draw(self, talk64: Any, knobs: dict[str, Any]) -> None:
        from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

        vector, language = talk64.vectors[3:4], talk64.languages[3:4]
        logits = talk64.model(
            encoder_outputs=(vector.unsqueeze(1),), decoder_input_ids=prefixes(talk64.model, language)
        ).logits[:, -1]
        none: Any = None
        if "temperature" in knobs:
            logits = TemperatureLogitsWarper(knobs["temperature"])(none, logits)
        if "top_k" in knobs:
            logits = TopKLogitsWarper(knobs["top_k"])(none, logits)
        if "top_p" in knobs:
            logits = TopPLogitsWarper(knobs["top_p"])(none, logits)
        expected = logits.softmax(dim=-1)[0]
        search = Search(num_beams=1, do_sample=True, seed=1, n_best=4000, max_new_tokens=1, **knobs)
        drawn = torch.tensor([one.ids[0] for one in generate(talk64.model, vector, language, search)[0]])
        found = torch.bincount(drawn, minlength=len(expected)) / len(drawn)
        assert not found[expected == 0].any()
        noise = (2 * expected * (1 - expected) / (math.pi * len(drawn))).sqrt().sum() / 2
        assert (found - expected).abs().sum() / 2 < 2 * noise  # the distance that chance alone would make is `noise`
        assert expected.max() < 0.999  # there was something to draw from

    def test_the_score_is_the_mean_log_probability_before_any_knob(self, talk64: Any) -> None:
        vectors, languages = talk64.some(24)
        search = Search(num_beams=1, do_sample=True, seed=3, temperature=1.5, repetition_penalty=1.2)
        for vector, language, (drawn,) in zip(
            vectors, languages, generate(talk64.model, vectors, languages, search), strict=True
        ):
            said = torch.tensor([[int(language), *drawn.ids]])
            inputs = torch.cat([torch.tensor([[talk64.space.tokens.end]]), said[:, :-1]], dim=1)
            logits = talk64.model(encoder_outputs=(vector.view(1, 1, -1),), decoder_input_ids=inputs).logits
            weighed = logits.log_softmax(-1).gather(2, said.unsqueeze(2))[0, 1:]
            assert drawn.score == pytest.approx(weighed.mean().item(), abs=1e-5)


def test_plain_scores_may_be_left_out(talk64: Any) -> None:
    vectors, languages = talk64.some(24)
    for search in (GREEDY, BEAMS):
        scored = plain_generate(talk64.model, vectors, languages, search)
        bare = plain_generate(talk64.model, vectors, languages, search, scored=False)
        assert [[one.ids for one in best] for best in bare] == [[one.ids for one in best] for best in scored]
        assert all(math.isnan(one.score) for best in bare for one in best)


@pytest.mark.parametrize(
    ("knobs", "says"),
    [
        ({"num_beams": 0}, "num_beams=0: expected at least 1"),
        ({"max_new_tokens": 0}, "max_new_tokens=0"),
        ({"min_new_tokens": -1}, "min_new_tokens=-1"),
        ({"min_new_tokens": 9, "max_new_tokens": 8}, "min_new_tokens=9 is more than max_new_tokens=8"),
        ({"num_beams": 2.5}, "num_beams=2.5: expected a whole number"),
        ({"num_beams": True}, "num_beams=True: expected a whole number"),
        ({"do_sample": 1}, "do_sample=1: expected True or False"),
        ({"length_penalty": float("nan")}, "length_penalty=nan: expected a finite number"),
        ({"length_penalty": "long"}, "length_penalty='long': expected a finite number"),
        ({"temperature": 0.0, "do_sample": True, "num_beams": 1}, "temperature=0.0: expected more than 0"),
        ({"top_p": 1.5, "do_sample": True, "num_beams": 1}, "top_p=1.5: expected at most 1"),
        ({"top_k": -2}, "top_k=-2"),
        ({"repetition_penalty": 0}, "repetition_penalty=0: expected more than 0"),
        ({"no_repeat_ngram_size": -1}, "no_repeat_ngram_size=-1"),
        ({"seed": -1}, "seed=-1"),
        ({"do_sample": True, "num_beams": 5}, "sampling is offered with num_beams=1 only"),
        ({"temperature": 0.7}, "temperature=0.7 acts on sampling only"),
        ({"top_p": 0.9, "num_beams": 1}, "top_p=0.9 acts on sampling only"),
        ({"length_penalty": 2.0, "num_beams": 1}, "length_penalty=2.0 acts on beams only"),
        ({"early_stopping": True, "num_beams": 1}, "early_stopping=True acts on beams only"),
        ({"n_best": 6}, "n_best=6 of num_beams=5"),
        ({"n_best": 2, "num_beams": 1}, "n_best=2 of num_beams=1"),
        ({"beams": 4}, "no knob 'beams'. Did you mean num_beams"),
    ],
    ids=str,
)
def test_a_wrong_knob_is_one_sentence(knobs: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says):
        Search.of(**knobs)
