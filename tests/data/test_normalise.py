"""Normalising: place and size vanish, missing points stay missing and touch nothing, half precision is enough."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonar_slt.data.corpora.toy.meaning import draw
from sonar_slt.data.corpora.toy.signing import perform, signers
from sonar_slt.data.layouts import OPENPOSE_137, SIGNING, convert
from sonar_slt.data.normalise import ByFrame, BySigner
from sonar_slt.data.view import Clip

BOTH = pytest.mark.parametrize("normalise", [BySigner(), ByFrame()], ids=lambda choice: choice.name)


@pytest.fixture(scope="module")
def pixels() -> Clip:
    performed = perform(draw(Random(1)), signer=signers(9, 0)[0], seed=5).points
    return convert(performed, OPENPOSE_137, SIGNING)


def shoulder_frame(points: Clip) -> Clip:
    """The arithmetic of `normalise=signer`, written out: the median shoulders give the origin and the unit."""
    seen = points[..., 2] > 0
    right, left = SIGNING.shoulders
    both = seen[:, right] & seen[:, left]
    pair = np.median(points[both][:, [right, left], :2], axis=0)
    expected = points.copy()
    expected[..., :2] = (points[..., :2] - pair.mean(axis=0)) / float(np.hypot(*(pair[0] - pair[1])))
    expected[~seen] = 0
    return expected


def test_the_signers_shoulders_are_origin_and_unit(pixels: Clip) -> None:
    clip = BySigner()(pixels, SIGNING)
    np.testing.assert_array_equal(clip, shoulder_frame(pixels))
    right, left = (np.median(clip[clip[:, s, 2] > 0, s, :2], axis=0) for s in SIGNING.shoulders)
    assert np.hypot(*(left - right)) == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose((left + right) / 2, 0, atol=1e-3)


def test_each_frame_lies_in_its_own_unit_circle(pixels: Clip) -> None:
    clip = ByFrame()(pixels, SIGNING)
    for frame in clip:
        places = frame[frame[:, 2] > 0, :2]
        np.testing.assert_allclose(places.mean(axis=0), 0, atol=1e-5)
        assert np.hypot(*places.T).max() == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(clip[..., 2], pixels[..., 2])


def test_a_frame_of_one_place_stays_at_the_origin() -> None:
    points = np.zeros((1, SIGNING.points, 3), np.float32)
    points[0, :4] = (300, 200, 0.5)
    clip = ByFrame()(points, SIGNING)
    np.testing.assert_array_equal(clip[0, :4], [(0, 0, 0.5)] * 4)
    assert (clip[0, 4:] == 0).all()


@BOTH
@pytest.mark.parametrize(("scale", "shift"), [(0.5, (300, -40)), (3, (-1000, 2000)), (1 / 1280, (0, 0))])
def test_place_and_size_of_the_picture_vanish(
    pixels: Clip, normalise: BySigner | ByFrame, scale: float, shift: tuple[float, float]
) -> None:
    seen = pixels[..., 2:] > 0
    moved = np.where(seen, pixels * [scale, scale, 1] + [*shift, 0], 0).astype(np.float32)
    np.testing.assert_allclose(normalise(moved, SIGNING), normalise(pixels, SIGNING), atol=5e-4)


@BOTH
def test_missing_points_stay_missing_and_have_no_place(pixels: Clip, normalise: BySigner | ByFrame) -> None:
    clip, missing = normalise(pixels, SIGNING), pixels[..., 2] == 0
    assert missing.any() and (clip[missing] == 0).all() and (clip[~missing][:, 2] > 0).all()


@pytest.mark.properties
@BOTH
@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), junk=st.sampled_from([np.nan, np.inf, -np.inf, 1e30, -1.0, 5e8]))
def test_what_lies_in_missing_points_is_never_read(normalise: BySigner | ByFrame, seed: int, junk: float) -> None:
    random = np.random.default_rng(seed)
    points = random.normal(300, 50, (6, SIGNING.points, 3)).astype(np.float32)
    points[..., 2] = random.random(points.shape[:2]) > random.random()
    before = points.copy()
    dirty = np.where(points[..., 2:] > 0, points, np.float32(junk))
    dirty[..., 2] = points[..., 2]
    clip, clean = normalise(dirty, SIGNING), normalise(np.where(points[..., 2:] > 0, points, 0), SIGNING)
    assert np.isfinite(clip).all() and clip.dtype == np.float32
    np.testing.assert_array_equal(clip, clean)
    np.testing.assert_array_equal(points, before)


@pytest.mark.properties
@BOTH
@pytest.mark.parametrize("junk", [(np.nan, 5, 0.5), (5, np.inf, 0.5), (-1e12, 5, 0.5), (5, 5, np.inf), (5, 5, np.nan)])
def test_a_point_that_is_nowhere_counts_as_missing(
    pixels: Clip, normalise: BySigner | ByFrame, junk: tuple[float, float, float]
) -> None:
    broken, without = pixels.copy(), pixels.copy()
    broken[3, 7], without[3, 7] = junk, 0
    np.testing.assert_array_equal(normalise(broken, SIGNING), normalise(without, SIGNING))


@BOTH
def test_half_precision_is_fine_enough(pixels: Clip, normalise: BySigner | ByFrame) -> None:
    faint = pixels.copy()
    faint[..., 2] *= 1e-9
    clip = normalise(pixels, SIGNING)
    stored = clip.astype(np.float16).astype(np.float32)
    assert np.isfinite(stored).all() and np.abs(clip[..., :2]).max() < 4
    assert np.abs(stored - clip).max() < 1e-3  # of a shoulder's width, or of the frame's radius
    assert ((normalise(faint, SIGNING).astype(np.float16)[..., 2] > 0) == (pixels[..., 2] > 0)).all()


@BOTH
@pytest.mark.parametrize("gone", ["shoulders", "width", "all"])
def test_clips_without_shoulders_or_without_anything_are_borne(
    pixels: Clip, normalise: BySigner | ByFrame, gone: str
) -> None:
    points, (right, left) = pixels.copy(), SIGNING.shoulders
    if gone == "width":
        points[:, left] = points[:, right]
    else:
        points[:, [right, left] if gone == "shoulders" else slice(None)] = 0
    clip = normalise(points, SIGNING)
    assert np.isfinite(clip.astype(np.float16)).all() and np.abs(clip[..., :2]).max() < 10
    assert (clip == 0).all() == (gone == "all")


@BOTH
def test_without_shoulders_place_and_size_vanish_too(pixels: Clip, normalise: BySigner | ByFrame) -> None:
    points = pixels.copy()
    points[:, SIGNING.shoulders] = 0
    moved = np.where(points[..., 2:] > 0, points * [2, 2, 1] + [1400, -40, 0], 0).astype(np.float32)
    np.testing.assert_allclose(normalise(moved, SIGNING), normalise(points, SIGNING), atol=5e-4)


@BOTH
def test_an_empty_clip_stays_empty(normalise: BySigner | ByFrame) -> None:
    assert normalise(np.zeros((0, SIGNING.points, 3), np.float32), SIGNING).shape == (0, SIGNING.points, 3)
