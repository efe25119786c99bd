"""The second sign language of the toy world: the same meanings, texts and people, other forms and another order."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from random import Random

import numpy as np
import pytest

from sonar_slt.data.corpora.toy.corpus import ToyCorpus
from sonar_slt.data.corpora.toy.meaning import Meaning, Wind, draw
from sonar_slt.data.corpora.toy.signing import SIGN_LANGUAGES, Camera, Gloss, glosses, perform, signers
from sonar_slt.data.corpora.toy.signing import lexicon as vocabulary
from sonar_slt.data.corpora.toy.signing.anatomy import pose
from sonar_slt.data.corpora.toy.signing.motion import move
from sonar_slt.data.normalise import BySigner
from sonar_slt.data.preparation import Preparation
from sonar_slt.errors import UserError

A, B = SIGN_LANGUAGES["a"], SIGN_LANGUAGES["b"]


def corpus(**options: object) -> ToyCorpus:
    preparation = Preparation(normalise=BySigner())
    sizes = {"train": 8, "dev": 5, "test": 5}
    return ToyCorpus(folder=Path("nowhere"), preparation=preparation, **{**sizes, **options})  # type: ignore[arg-type]


def test_b_has_every_sign_of_a_in_another_form() -> None:
    assert A.signs == vocabulary.SIGNS
    assert B.signs.keys() == A.signs.keys()
    assert len(set(B.signs.values())) == len(B.signs)
    assert not [name for name in A.signs if A.signs[name] == B.signs[name]]


@pytest.mark.parametrize("slot", ["TIME_SIGNS", "REGION_SIGNS", "PHENOMENON_SIGNS", "DIGIT_SIGNS", "WIND_SIGNS"])
def test_signs_of_b_that_compete_are_far_apart(slot: str) -> None:
    steady = signers(1, 0)[0]
    paths = []
    for sign in getattr(vocabulary, slot):
        gloss = [Gloss(f"wind-{sign}" if slot == "WIND_SIGNS" else sign)]
        points = pose(move(gloss, steady, 30.0, np.random.default_rng(0), signs=B.signs), steady)[:, :, 95:]
        paths.append(points[:, np.linspace(0, points.shape[1] - 1, 40).round().astype(int)])
    for one, other in combinations(paths, 2):
        assert np.sqrt(((one - other) ** 2).sum(axis=(0, 2))).max() > 25.0 * Camera().noise


def test_b_begins_with_the_topic_and_says_every_meaning_its_own_way() -> None:
    meaning = Meaning("monday", "north", "rain", "possible", True, Wind("southwest", "light"))
    said = [gloss.sign for gloss in glosses(meaning, B.order)]
    assert said == ["rain", "south", "west", "wind-light", "monday", "north"]
    assert glosses(meaning, B.order)[0].markers == ("negated", "possible")
    random = Random(7)
    meanings = {draw(random) for _ in range(1500)}
    assert len({tuple(glosses(meaning, B.order)) for meaning in meanings}) == len(meanings)
    first, second = (perform(meaning, signer=signers(1, 0)[0], seed=3, language=language) for language in (A, B))
    assert first.fps == second.fps and sorted(first.glosses) == sorted(second.glosses)


def test_a_corpus_of_b_has_the_same_texts_and_people_and_other_clips() -> None:
    first, second, usual = corpus(signing="a"), corpus(signing="b"), corpus()
    assert len({first.fingerprint, second.fingerprint}) == 2 and first.fingerprint == usual.fingerprint
    assert first.sign_language == second.sign_language == ""
    entries = first.read().entries
    assert entries == second.read().entries
    for entry in entries[:6]:
        mine, plain, theirs = (one.record(entry).points for one in (first, usual, second))
        assert np.array_equal(mine, plain)
        shared = min(len(mine), len(theirs))
        assert not np.array_equal(mine[:shared], theirs[:shared])
        trunk = [1, 2, 5]  # neck and shoulders: the same body at the same place
        middle = [np.median(points[:, trunk, :2], axis=0) for points in (mine, theirs)]
        np.testing.assert_allclose(*middle, atol=12.0)


def test_a_language_that_nobody_signs_is_refused() -> None:
    with pytest.raises(UserError, match=r"^data\.signing=c: .* a and b\.$"):
        corpus(signing="c")
