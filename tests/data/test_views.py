"""Views: what they keep, what they take away."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from sonar_slt.data.corpora.toy.meaning import draw
from sonar_slt.data.corpora.toy.signing import perform, signers
from sonar_slt.data.layouts import OPENPOSE_137
from sonar_slt.data.normalise import BySigner
from sonar_slt.data.view import All, Clip, NoFace, OneHand, Shuffled

FACE = OPENPOSE_137.parts["face"]


@pytest.fixture(scope="module")
def clip() -> Clip:
    return BySigner()(perform(draw(Random(1)), signer=signers(9, 0)[0], seed=5).points, OPENPOSE_137)


def test_everything_is_everything(clip: Clip) -> None:
    assert All()(clip, OPENPOSE_137, np.random.default_rng(0)) is clip


def test_shuffled_frames_are_the_same_frames(clip: Clip) -> None:
    shuffled = Shuffled()(clip, OPENPOSE_137, np.random.default_rng(0))
    assert not np.array_equal(shuffled, clip)
    assert sorted(frame.tobytes() for frame in shuffled) == sorted(frame.tobytes() for frame in clip)


def test_one_hand_keeps_the_hand_that_moves_more(clip: Clip) -> None:
    left, right = OPENPOSE_137.parts["left_hand"], OPENPOSE_137.parts["right_hand"]
    still = clip.copy()
    still[:, 7, :2] = 0.4  # the left wrist rests
    seen = OneHand()(still, OPENPOSE_137, np.random.default_rng(0))
    assert (seen[:, left] == 0).all() and np.array_equal(seen[:, right], clip[:, right])
    assert np.array_equal(seen[:, FACE], clip[:, FACE])


def test_no_face_hides_face_and_head_and_nothing_else(clip: Clip) -> None:
    seen = NoFace()(clip, OPENPOSE_137, np.random.default_rng(0))
    hidden = [*OPENPOSE_137.head, *range(FACE.start, FACE.stop)]
    kept = [point for point in range(137) if point not in hidden]
    assert (seen[:, hidden] == 0).all() and np.array_equal(seen[:, kept], clip[:, kept])
    assert (clip[:, hidden] != 0).any()
