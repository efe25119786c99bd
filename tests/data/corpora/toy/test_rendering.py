"""The toy world's pictures: always the same, of somebody one can tell apart, with nothing that was not seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sonar_slt.data.corpora.toy.corpus import ToyCorpus
from sonar_slt.data.corpora.toy.meaning import Meaning
from sonar_slt.data.corpora.toy.rendering import RENDERING, drawn, look
from sonar_slt.data.corpora.toy.rendering.look import GROUNDS
from sonar_slt.data.corpora.toy.rendering.wall import wall
from sonar_slt.data.corpora.toy.signing import Camera, perform, signers
from sonar_slt.data.layouts.openpose import FACE, LEFT_HAND, RIGHT_HAND
from sonar_slt.data.normalise import BySigner
from sonar_slt.data.preparation import Preparation

Picture = NDArray[np.uint8]

SIZE = (64, 64)
CLEAR = Camera(noise=0.0, face_noise=0.0, lost_points=0.0, lost_hands=0.0, lost_face=0.0)
RAIN = Meaning("monday", "berlin", "rain", "certain", False, None)


def _points(meaning: Meaning = RAIN, signer: int = 0, frame: float = 0.6) -> NDArray[np.float32]:
    """The points of one frame of a clip that lacks none."""
    points = perform(meaning, signer=signers(9, 0)[signer], seed=1, fps=25.0, camera=CLEAR).points
    return points[int(frame * len(points))].copy()


def _difference(one: Picture, other: Picture) -> NDArray[np.int64]:
    """How much each place of two pictures differs: (height, width)."""
    return np.abs(one.astype(int) - other.astype(int)).sum(axis=-1)


def test_a_picture_is_a_function_of_points_and_look():
    points = _points()
    one, other = (drawn(points, look(signer=2, seed=5), size=SIZE) for _ in range(2))
    assert one.dtype == np.uint8 and one.shape == (64, 64, 3) and np.array_equal(one, other)
    assert drawn(points, look(signer=2, seed=5), size=(160, 90)).shape == (90, 160, 3)
    assert len(RENDERING) == 16


def test_drawing_leaves_wall_and_points_as_they_were():
    points, seen = _points(), look(signer=1, seed=4)
    before, empty = points.copy(), np.asarray(wall(seen, (128, 128))).copy()
    drawn(points, seen, size=SIZE)
    assert np.array_equal(points, before) and np.array_equal(np.asarray(wall(seen, (128, 128))), empty)


@pytest.mark.parametrize("ground", GROUNDS)
def test_who_is_not_seen_is_not_drawn(ground):
    seen = replace(look(signer=0, seed=3), ground=ground)
    empty = drawn(np.zeros((137, 3), np.float32), seen, size=SIZE)
    assert np.array_equal(empty, np.asarray(wall(seen, (128, 128)).reduce(2)))
    assert (_difference(drawn(_points(), seen, size=SIZE), empty) > 0).mean() > 0.2


@pytest.mark.parametrize("part", [LEFT_HAND, RIGHT_HAND, FACE])
def test_a_lost_part_changes_its_own_place_alone(part):
    seen, points = look(signer=0, seed=3), _points()
    whole = drawn(points, seen, size=SIZE)
    x, y = (points[part, :2].mean(axis=0) - (370.0, 20.0)) * 64 / 540
    points[part] = 0.0
    down, right = np.nonzero(_difference(drawn(points, seen, size=SIZE), whole))
    assert len(down) > 8
    assert np.abs(right - x).max() < 14 and np.abs(down - y).max() < 14


def test_any_single_point_may_be_missing():
    seen, points = look(signer=0, seed=3), _points()
    for point in range(137):
        some = points.copy()
        some[point] = 0.0
        drawn(some, seen, size=SIZE)


def test_any_points_may_be_missing():
    random, seen, points = np.random.default_rng(0), look(signer=4, seed=3), _points()
    for share in np.linspace(0.1, 0.95, 40):
        drawn(points * (random.random((137, 1)) > share), seen, size=SIZE)


def test_signers_look_different_and_the_same_in_every_clip():
    people = [look(signer=signer, seed=0) for signer in range(9)]
    assert len({(one.skin, one.hair, one.cloth) for one in people}) == 9
    for signer in range(9):
        again = look(signer=signer, seed=1)
        assert (again.sleeve, again.long_hair, again.hairline) == (
            people[signer].sleeve,
            people[signer].long_hair,
            people[signer].hairline,
        )
        assert np.abs(np.array(again.cloth) - people[signer].cloth).max() < 70  # the light differs, not the cloth


def test_clips_differ_in_room_and_light():
    looks = [look(signer=0, seed=seed) for seed in range(40)]
    assert {one.ground for one in looks} == set(GROUNDS)
    assert len({one.wall for one in looks}) > 30 and len({one.shift for one in looks}) == 40


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (RAIN, replace(RAIN, negated=True)),
        (RAIN, replace(RAIN, likelihood="probable")),
        (RAIN, replace(RAIN, likelihood="possible")),
        (replace(RAIN, likelihood="probable"), replace(RAIN, likelihood="possible")),
    ],
)
def test_markers_are_seen_in_the_face(one, other):
    """With the same seed, hands and body are the same: only the head differs, and that by more than a shade."""
    seen = look(signer=0, seed=3)
    first, second = (_points(meaning, frame=0.75) for meaning in (one, other))
    assert np.allclose(first[LEFT_HAND], second[LEFT_HAND])
    differs = _difference(drawn(first, seen, size=SIZE), drawn(second, seen, size=SIZE))
    assert (differs > 60).sum() >= 12


def test_handshapes_are_seen_in_the_hand():
    """MONDAY and TUESDAY differ in the handshape alone."""
    seen = look(signer=0, seed=3)
    first, second = (_points(replace(RAIN, time=time), frame=0.25) for time in ("monday", "tuesday"))
    assert (_difference(drawn(first, seen, size=SIZE), drawn(second, seen, size=SIZE)) > 60).sum() >= 8


def test_the_corpus_shows_its_clips(tmp_path: Path):
    corpus = ToyCorpus(folder=tmp_path, preparation=Preparation(normalise=BySigner()), train=3, dev=1, test=1)
    entry = corpus.read().entries[1]
    recording = corpus.record(entry)
    pictures = list(corpus.pictures(entry.id, size=48, step=10))
    assert len(pictures) == -(-len(recording) // 10) and pictures[0].shape == (48, 48, 3)
    assert np.array_equal(pictures[2], drawn(recording.points[20], look(signer=1, seed=1), size=(48, 48)))
    assert not np.array_equal(pictures[2], pictures[3])
