"""A space of any size without training: the same for a seed, in halves too, and able to write down what it says."""

from __future__ import annotations

import pytest
import torch

from sonar_slt import SentenceSpace
from sonar_slt.errors import UserError
from sonar_slt.languages import LANGUAGES

SIZES = {"dim": 32, "layers": 2, "heads": 2, "hidden": 64, "vocabulary": 9000}
TEXTS = ["One dog barks.", "Ein Hund bellt, und noch einer."]


def test_a_seed_gives_the_same_space_whole_or_in_halves() -> None:
    whole, again = SentenceSpace.at_random(**SIZES), SentenceSpace.at_random(**SIZES)
    assert whole.fingerprint == again.fingerprint != SentenceSpace.at_random(**SIZES, seed=1).fingerprint
    vectors = whole.encode(TEXTS, "eng_Latn")
    assert torch.equal(SentenceSpace.at_random(**SIZES, only="encoder").encode(TEXTS, "eng_Latn"), vectors)
    decoder = SentenceSpace.at_random(**SIZES, only="decoder")
    assert decoder.fingerprint == whole.fingerprint and decoder.vector_id == whole.vector_id
    assert torch.equal(
        decoder.log_likelihood(vectors, TEXTS, "eng_Latn"), whole.log_likelihood(vectors, TEXTS, "eng_Latn")
    )


def test_it_knows_every_language_and_writes_down_any_row() -> None:
    space = SentenceSpace.at_random(**SIZES)
    assert space.languages == tuple(LANGUAGES)
    assert max(space.tokens.language_id(code) for code in space.languages) == 8999
    assert space.encode(["Hund"] * len(LANGUAGES), list(LANGUAGES)).shape == (len(LANGUAGES), 32)
    assert space.tokens.text([[8998 - len(LANGUAGES)]]) != [""]
    rows = space.tokens.rows(["Hund"], ["deu_Latn"])
    assert len(rows[0]) == 1 + len("▁Hund") + 1 and space.tokens.text([rows[0]]) == ["Hund"]


def test_states_keep_a_sensible_size() -> None:
    space = SentenceSpace.at_random(**SIZES)
    vectors = space.encode(TEXTS, "eng_Latn")
    assert 0.1 < vectors.std() < 2
    assert 0.5 < -space.log_likelihood(vectors, TEXTS, "eng_Latn").mean() / torch.tensor(9000.0).log() < 2


def test_too_small_a_vocabulary_is_refused() -> None:
    with pytest.raises(UserError, match="vocabulary=100"):
        SentenceSpace.at_random(**SIZES | {"vocabulary": 100})
