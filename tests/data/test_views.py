"""Normalising and views: what they keep, what they take away."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from sonar_slt.data.corpora.toy.meaning import draw
from sonar_slt.data.corpora.toy.signing import perform, signers
from sonar_slt.data.layouts import OPENPOSE_137
from sonar_slt.data.normalise import by_signer
from sonar_slt.data.view import All, Clip, NoFace, OneHand, Shuffled

FACE = OPENPOSE_137.parts["face"]


@pytest.fixture(scope="module")
def pixels() -> Clip:
    return perform(draw(Random(1)), signer=signers(9, 0)[0], seed=5).points


@pytest.fixture(scope="module")
def clip(pixels: Clip) -> Clip:
    return by_signer(pixels, OPENPOSE_137)


def test_place_and_size_of_the_signer_vanish(pixels: Clip, clip: Clip) -> None:
    seen = pixels[..., 2:] > 0
    moved = np.where(seen, pixels * [0.5, 0.5, 1] + [300, -40, 0], pixels).astype(np.float32)
    np.testing.assert_allclose(by_signer(moved, OPENPOSE_137), clip, atol=2e-4)
    left, right = (np.median(clip[clip[:, s, 2] > 0, s, :2], axis=0) for s in OPENPOSE_137.shoulders)
    assert np.hypot(*(left - right)) == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose((left + right) / 2, 0, atol=1e-3)


def test_missing_points_stay_missing_and_have_no_place(pixels: Clip, clip: Clip) -> None:
    missing = pixels[..., 2] == 0
    assert missing.any() and (clip[missing] == 0).all() and (clip[~missing][:, 2] > 0).all()


def test_clips_without_shoulders_or_without_anything_are_borne(pixels: Clip) -> None:
    headless = pixels.copy()
    headless[:, list(OPENPOSE_137.shoulders)] = 0
    assert np.isfinite(by_signer(headless, OPENPOSE_137)).all()
    assert (by_signer(np.zeros_like(pixels), OPENPOSE_137) == 0).all()


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
