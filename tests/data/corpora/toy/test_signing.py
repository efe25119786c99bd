"""The toy sign language: what hands, face and order must carry, and what a clip may look like."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from itertools import combinations
from random import Random

import numpy as np
import pytest

from sonar_slt.data.corpora.toy.meaning import Contrast, Meaning, Temperature, Wind, draw
from sonar_slt.data.corpora.toy.signing import (
    FRAME_RATES,
    Camera,
    Gloss,
    Performance,
    glosses,
    perform,
    signers,
)
from sonar_slt.data.corpora.toy.signing import lexicon as vocabulary
from sonar_slt.data.corpora.toy.signing.anatomy import pose
from sonar_slt.data.corpora.toy.signing.lexicon import Sign
from sonar_slt.data.corpora.toy.signing.motion import move
from sonar_slt.data.layouts.openpose import BODY, FACE, LEFT_HAND, OPENPOSE_137, RIGHT_HAND

SIGNERS = signers(9, 0)
MEANING = Meaning("friday", "coast", "fog", "certain", False, Temperature("lowest", -7))
STEADY = replace(SIGNERS[0], speed=1.0, amplitude=1.0, jitter=0.0, tilt=0.0, neck=(640.0, 260.0), left_handed=False)
CLEAN = Camera(noise=0.0, face_noise=0.0, sway=0.0, lost_points=0.0, lost_hands=0.0, lost_face=0.0)


@pytest.fixture(scope="module")
def meanings() -> list[Meaning]:
    random = Random(7)
    return list({draw(random): None for _ in range(3000)})


@pytest.fixture(scope="module")
def performances(meanings: list[Meaning]) -> list[Performance]:
    return [perform(m, signer=SIGNERS[i % len(SIGNERS)], seed=i) for i, m in enumerate(meanings[:300])]


def test_shapes_and_ranges(performances: list[Performance]) -> None:
    for performance in performances:
        points = performance.points
        assert points.dtype == np.float32
        assert points.flags.c_contiguous
        assert points.shape[1:] == (137, 3)
        assert 30 <= len(points) <= 250
        assert performance.fps in FRAME_RATES
        assert np.isfinite(points).all()
        assert (points >= 0.0).all()
        assert (points <= [1280.0, 720.0, 1.0]).all()
    assert {performance.fps for performance in performances} == set(FRAME_RATES)
    assert 90 <= np.mean([len(performance.points) for performance in performances]) <= 118


def test_lost_points_are_zero_and_as_frequent_as_in_real_corpora(performances: list[Performance]) -> None:
    points = np.concatenate([performance.points for performance in performances])
    lost = points[..., 2] == 0.0
    assert (points[lost] == 0.0).all()
    assert (points[~lost] > 0.0).all()
    for hand in (LEFT_HAND, RIGHT_HAND):
        assert 0.02 < lost[:, hand].all(-1).mean() < 0.08
    assert 0.005 < lost[:, FACE].mean() < 0.05
    assert lost[:, 19:25].mean() > 0.95  # feet
    assert lost[:, [1, 2, 5]].mean() < 0.03


def test_the_same_arguments_give_the_same_bytes_in_another_process() -> None:
    script = (
        "from hashlib import sha256; from sonar_slt.data.corpora.toy.meaning import *;"
        "from sonar_slt.data.corpora.toy.signing import *;"
        f"p = perform({MEANING!r}, signer=signers(4, 0)[3], seed=11);"
        "print(sha256(p.points.tobytes()).hexdigest())"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    here = perform(MEANING, signer=SIGNERS[3], seed=11)
    assert answer.split() == [sha256(here.points.tobytes()).hexdigest()]
    assert not np.array_equal(here.points[:30], perform(MEANING, signer=SIGNERS[3], seed=12).points[:30])


def test_frame_rate_can_be_set() -> None:
    slow, fast = (perform(MEANING, signer=STEADY, seed=3, fps=fps) for fps in (12.5, 25.0))
    assert (slow.fps, fast.fps) == (12.5, 25.0)
    assert len(fast.points) == pytest.approx(2 * len(slow.points), abs=1)


@pytest.mark.parametrize("signer", [SIGNERS[0], SIGNERS[3]], ids=["right-handed", "left-handed"])
@pytest.mark.parametrize("change", [{"negated": True}, {"likelihood": "probable"}, {"likelihood": "possible"}])
def test_negation_and_likelihood_are_on_face_and_head_only(signer, change) -> None:  # type: ignore[no-untyped-def]
    plain = perform(MEANING, signer=signer, seed=5)
    marked = perform(replace(MEANING, **change), signer=signer, seed=5)
    differs = (plain.points != marked.points).any(axis=(0, 2))
    assert plain.points.shape == marked.points.shape
    assert set(np.flatnonzero(differs[BODY])) == set(OPENPOSE_137.head)
    assert differs[FACE].all()
    assert not differs[LEFT_HAND].any()
    assert not differs[RIGHT_HAND].any()


def test_markers_stand_out_from_the_noise() -> None:
    def face(**change: object) -> np.ndarray:
        signed = glosses(replace(MEANING, **change))  # type: ignore[arg-type]
        return pose(move(signed, STEADY, 25.0, np.random.default_rng(0)), STEADY)[:, :, FACE]

    noise = Camera().face_noise
    brows = slice(17, 27)
    for change in ({"negated": True}, {"likelihood": "probable"}, {"likelihood": "possible"}):
        moved = np.abs(face(**change) - face())[..., brows].max(axis=(0, 1))
        assert np.median(moved) > 4.0 * noise
    between = np.abs(face(likelihood="probable") - face(likelihood="possible"))
    assert between.max(axis=1).max(axis=0).mean() > 3.0 * noise


def test_a_left_handed_signer_is_the_mirror_image() -> None:
    meaning = replace(MEANING, negated=True, second=Wind("northeast", "strong"))
    right = perform(meaning, signer=STEADY, seed=2).points
    left = perform(meaning, signer=replace(STEADY, left_handed=True), seed=2).points[:, list(OPENPOSE_137.mirror)]
    seen = (right[..., 2] > 0.0) & (left[..., 2] > 0.0)
    assert seen.sum() > 0.7 * seen.size
    np.testing.assert_allclose(left[seen][:, 0], 1280.0 - right[seen][:, 0], atol=2e-3)
    np.testing.assert_array_equal(left[seen][:, 1:], right[seen][:, 1:])
    assert {signer.left_handed for signer in SIGNERS} == {True, False}


@pytest.mark.parametrize(
    ("second", "comment"),
    [
        (None, []),
        (Temperature("highest", 0), ["highest", "0"]),
        (Temperature("lowest", -10), ["lowest", "minus", "1", "0"]),
        (Temperature("highest", 21), ["highest", "2", "1"]),
        (Wind("southwest", "light"), ["south", "west", "wind-light"]),
        (Wind("north", "strong"), ["north", "wind-strong"]),
        (Contrast("but", "east", "hail"), ["but", "east", "hail"]),
    ],
)
def test_glosses_go_time_place_topic_comment(second, comment) -> None:  # type: ignore[no-untyped-def]
    meaning = Meaning("monday", "north", "rain", "possible", True, second)
    topic = Gloss("rain", ("negated", "possible"))
    assert glosses(meaning) == [Gloss("monday"), Gloss("north"), topic, *map(Gloss, comment)]
    assert str(topic) == "RAIN[negated,possible]"
    performed = perform(meaning, signer=STEADY, seed=0).glosses
    assert performed == tuple(map(str, glosses(meaning)))


def test_distinct_meanings_are_signed_differently(meanings: list[Meaning]) -> None:
    assert len(meanings) > 2900
    assert len({tuple(glosses(meaning)) for meaning in meanings}) == len(meanings)


@pytest.mark.parametrize("slot", ["TIME_SIGNS", "REGION_SIGNS", "PHENOMENON_SIGNS", "DIGIT_SIGNS", "WIND_SIGNS"])
def test_signs_that_compete_are_far_apart(slot: str) -> None:
    signs: Mapping[str, Sign] = getattr(vocabulary, slot)
    paths = {}
    for sign in signs:
        name = sign if sign in vocabulary.SIGNS else f"wind-{sign}"
        points = pose(move([Gloss(name)], STEADY, 30.0, np.random.default_rng(0)), STEADY)[:, :, 95:]
        paths[sign] = points[:, np.linspace(0, points.shape[1] - 1, 40).round().astype(int)]
    for one, other in combinations(paths, 2):
        distance = np.sqrt(((paths[one] - paths[other]) ** 2).sum(axis=(0, 2))).max()
        assert distance > 25.0 * Camera().noise, (one, other)


def test_some_signs_differ_by_one_parameter() -> None:
    def parameters(one: str, other: str) -> set[str]:
        first, second = vocabulary.SIGNS[one], vocabulary.SIGNS[other]
        return {name for name in Sign.__slots__ if getattr(first, name) != getattr(second, name)}

    for digit in "1234":
        assert parameters(digit, str(int(digit) + 5)) == {"other"}
    for pair in (("today", "tonight"), ("coast", "hamburg"), ("mountains", "bavaria"), ("rain", "showers")):
        assert parameters(*pair) == {"other"}
    for pair in (("monday", "tuesday"), ("berlin", "saxony"), ("rain", "hail")):
        assert parameters(*pair) == {"shape"}
    for pair in (("north", "south"), ("east", "west"), ("rain", "snow"), ("tuesday", "friday")):
        assert parameters(*pair) == {"movement"}
    for pair in (("fog", "clouds"), ("monday", "thursday")):
        assert parameters(*pair) == {"place"}


def test_motion_is_smooth_and_hands_stay_with_their_arms() -> None:
    points = perform(MEANING, signer=STEADY, seed=4, fps=25.0, camera=CLEAN).points
    for hand, wrist, shoulder in ((RIGHT_HAND, 4, 2), (LEFT_HAND, 7, 5)):
        path = points[:, hand, :2].mean(axis=1) / STEADY.shoulder_width
        assert np.linalg.norm(np.diff(path, axis=0), axis=1).max() < 0.4
        np.testing.assert_array_equal(points[:, hand][:, 0, :2], points[:, wrist, :2])
        reach = np.linalg.norm(points[:, wrist, :2] - points[:, shoulder, :2], axis=1)
        assert reach.max() < 1.8 * STEADY.shoulder_width
    assert not (points[:, 95:, 2] == 0.0).any()


def test_the_layout_is_consistent() -> None:
    covered = [i for part in OPENPOSE_137.parts.values() for i in range(part.start, part.stop)]
    assert covered == list(range(OPENPOSE_137.points))
    assert [OPENPOSE_137.mirror[i] for i in OPENPOSE_137.mirror] == covered
    assert len(set(OPENPOSE_137.edges)) == len(OPENPOSE_137.edges)
    mirrored = {frozenset((OPENPOSE_137.mirror[a], OPENPOSE_137.mirror[b])) for a, b in OPENPOSE_137.edges}
    assert mirrored == {frozenset(edge) for edge in OPENPOSE_137.edges}


def test_the_first_signers_do_not_depend_on_the_count() -> None:
    assert signers(3, 0) == SIGNERS[:3]
    assert signers(3, 1) != SIGNERS[:3]
    assert len({signer.name for signer in SIGNERS}) == len(SIGNERS)
