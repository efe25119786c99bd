"""What a shortlist of the vocabulary may and may not change."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from sonar_slt.errors import UserError
from sonar_slt.space import Shortlist
from sonar_slt.space.generation import Search, generate
from sonar_slt.space.generation.constraints import constrain

pytestmark = pytest.mark.properties
pytest_plugins = ["tests.space.talking"]

SEARCHES = [Search(num_beams=1), Search(n_best=5), Search(repetition_penalty=1.3, no_repeat_ngram_size=2)]
NAMES = ["greedy", "five beams", "against repetition"]
TEXTS = ["Heute Nebel.", "Am Montag gibt es in Bayern Regen und Wind."]


@pytest.mark.parametrize("search", SEARCHES, ids=NAMES)
def test_a_list_of_everything_changes_nothing(talk64: Any, search: Search) -> None:
    vectors, languages = talk64.some(6)
    everything = torch.arange(talk64.model.config.vocab_size)
    shortlist = Shortlist({int(language): everything for language in languages.unique()})
    usual = generate(talk64.model, vectors, languages, search)
    listed = generate(talk64.model, vectors, languages, search, shortlist=shortlist)
    for one, other in zip(usual, listed, strict=True):
        assert [best.ids for best in one] == [best.ids for best in other]
        assert [best.score for best in one] == pytest.approx([best.score for best in other], rel=1e-6)


@pytest.mark.parametrize("search", SEARCHES, ids=NAMES)
def test_only_listed_tokens_are_said_and_other_languages_stay(talk64: Any, search: Search) -> None:
    vectors, languages = talk64.some(6)
    german = talk64.space.tokens.language_id("deu_Latn")
    shortlist = Shortlist.of_texts(talk64.space, {"deu_Latn": TEXTS})
    listed = shortlist.ids(german)
    assert listed is not None and len(listed) < 0.2 * talk64.model.config.vocab_size
    usual = generate(talk64.model, vectors, languages, search)
    outputs = generate(talk64.model, vectors, languages, search, shortlist=shortlist)
    allowed = set(listed.tolist())
    for language, before, now in zip(languages.tolist(), usual, outputs, strict=True):
        if language == german:
            assert {token for one in now for token in one.ids} <= allowed
            assert now != before
        else:
            assert [one.ids for one in now] == [one.ids for one in before]


def test_a_list_holds_the_texts_the_control_tokens_and_the_language(talk64: Any) -> None:
    tokens = talk64.space.tokens
    german, english = tokens.language_id("deu_Latn"), tokens.language_id("eng_Latn")
    shortlist = Shortlist.of_texts(talk64.space, {"deu_Latn": TEXTS})
    ids = shortlist.ids(german)
    assert ids is not None and ids.tolist() == sorted(set(ids.tolist()))
    said = {token for row in tokens.rows(TEXTS, ["deu_Latn"] * len(TEXTS)) for token in row}
    control = {tokens.pad, tokens.end, tokens.tokenizer.bos_token_id, tokens.tokenizer.unk_token_id}
    assert set(ids.tolist()) == said | control
    assert german in ids and english not in ids
    assert shortlist.ids(english) is None


def test_more_beams_than_a_list_has_tokens_is_no_crash(talk64: Any) -> None:
    german = talk64.space.tokens.language_id("deu_Latn")
    shortlist = Shortlist.of_texts(talk64.space, {"deu_Latn": ["a"]})
    languages = torch.tensor([german])
    search = Search(num_beams=20, n_best=20, max_new_tokens=6)
    (outputs,) = generate(talk64.model, talk64.vectors[:1], languages, search, shortlist=shortlist)
    assert 1 <= len(outputs) <= 20


def test_no_texts_are_refused(talk64: Any) -> None:
    with pytest.raises(UserError, match="No texts for the shortlist of 'deu_Latn'"):
        Shortlist.of_texts(talk64.space, {"deu_Latn": []})


def test_languages_that_the_space_lacks_are_refused(talk64: Any) -> None:
    with pytest.raises(UserError, match="no language 'deu_Latm': did you mean deu_Latn"):
        Shortlist.of_texts(talk64.space, {"deu_Latn": TEXTS, "deu_Latm": TEXTS})


def test_one_text_is_no_list_of_texts(talk64: Any) -> None:
    with pytest.raises(UserError, match="not a list"):
        Shortlist.of_texts(talk64.space, {"deu_Latn": "Heute Nebel."})


@pytest.mark.parametrize("min_new_tokens", [0, 40])
@pytest.mark.parametrize("knobs", [{"num_beams": 1}, {"num_beams": 1, "do_sample": True, "seed": 3}, {"num_beams": 5}])
def test_a_list_that_is_used_up_ends_the_sentence(talk64: Any, knobs: Any, min_new_tokens: int) -> None:
    """Each of its words may be said once, so that after the last one `</s>` is all that is left."""
    vectors, german = talk64.vectors[:4], talk64.space.tokens.language_id("deu_Latn")
    shortlist = Shortlist.of_texts(talk64.space, {"deu_Latn": ["a"]})
    ids = shortlist.ids(german)
    assert ids is not None
    search = Search(**knobs, no_repeat_ngram_size=1, min_new_tokens=min_new_tokens, max_new_tokens=50)
    outputs = generate(talk64.model, vectors, torch.full((4,), german), search, shortlist=shortlist)
    for (output,) in outputs:
        *words, last = output.ids
        assert last == talk64.space.tokens.end and output.score > -1e6
        assert sorted([*words, german, last]) == ids.tolist()


def test_where_anything_else_is_left_the_end_stays_forbidden() -> None:
    search = Search(num_beams=1, do_sample=True, no_repeat_ngram_size=1)
    history = torch.tensor([[0, 1, 2, 3], [0, 1, 1, 2]])
    scores = torch.tensor([[-1.0, 2.0, 3.0, 4.0]] * 2)
    constrain(scores, history, None, search=search, end=0)
    forbidden = -torch.inf
    assert scores.tolist() == [[-1.0, forbidden, forbidden, forbidden], [forbidden, forbidden, forbidden, 4.0]]
