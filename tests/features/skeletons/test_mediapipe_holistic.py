"""MediaPipe itself, where SONAR_SLT_MEDIAPIPE names a folder in which its environment has been made already."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from sonar_slt.data.layouts import MEDIAPIPE_543
from sonar_slt.features.skeletons import Holistic, MediapipeHolistic, person_faults
from sonar_slt.features.skeletons.environment import lock_hash

PLACE = Path(os.environ.get("SONAR_SLT_MEDIAPIPE", "absent"))
SAMPLES = Path(os.environ.get("SONAR_SLT_SAMPLES", "absent"))
pytestmark = pytest.mark.skipif(
    not (PLACE / f"mediapipe-{lock_hash()}" / ".ready").is_file(),
    reason="SONAR_SLT_MEDIAPIPE names no folder with the environment of MediaPipe",
)
sampled = pytest.mark.skipif(not SAMPLES.is_dir(), reason="SONAR_SLT_SAMPLES names no folder of samples")


@pytest.fixture(scope="module")
def holistic() -> Iterator[Holistic]:
    with MediapipeHolistic(environments=PLACE).open() as opened:
        yield opened


@pytest.fixture(scope="module")
def signer() -> list[np.ndarray]:
    """18 frames of 1280 x 720."""
    import av

    with av.open(SAMPLES / "video" / "how2sign" / "_BOJ9cYPRe4_16-8-rgb_front.mp4") as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def points(holistic: Holistic, frames: Sequence[np.ndarray]) -> np.ndarray:
    return np.stack(list(holistic.skeleton(frames)))


def test_nobody_is_found_in_noise(holistic: Holistic) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (5, 120, 90, 3), np.uint8)
    found = points(holistic, [*noise])
    assert found.shape == (5, 543, 3) and not found.any()
    assert len(person_faults(found)) == 1


@sampled
def test_a_signer_is_found_with_both_hands(holistic: Holistic, signer: list[np.ndarray]) -> None:
    found = points(holistic, signer)
    assert len(found) == 18 and not person_faults(found)
    seen = {part: (found[:, where, 2] > 0).any(axis=1) for part, where in MEDIAPIPE_543.parts.items()}
    assert seen["body"].all() and seen["face"].all()
    assert (seen["left_hand"] & seen["right_hand"]).mean() > 0.5
    placed = found[found[..., 2] > 0]
    assert ((placed >= (0, 0, 0)) & (placed <= (1280, 720, 1))).all(axis=1).mean() > 0.9
    middle = {part: found[:, where][seen[part]].mean(axis=(0, 1)) for part, where in MEDIAPIPE_543.parts.items()}
    assert middle["face"][1] < middle["left_hand"][1]  # the head is above the hand in the lap,
    assert middle["right_hand"][0] < middle["left_hand"][0]  # and the right hand on the left of the picture
    for side, wrist in zip(("right_hand", "left_hand"), MEDIAPIPE_543.wrists, strict=True):
        hand = found[seen[side], MEDIAPIPE_543.parts[side]]
        assert np.linalg.norm(hand[:, 0, :2] - found[seen[side], wrist, :2], axis=1).mean() < 40


@sampled
def test_the_same_clip_has_the_same_points_whatever_came_before(holistic: Holistic, signer: list[np.ndarray]) -> None:
    once = points(holistic, signer)
    abandoned = holistic.skeleton(signer[5:])
    next(abandoned)
    abandoned.close()  # type: ignore[attr-defined]
    points(holistic, [frame[:, ::-1] for frame in signer[:4]])
    np.testing.assert_array_equal(points(holistic, signer), once)
    assert holistic._process
    holistic._process.kill()
    holistic._process.wait()
    np.testing.assert_array_equal(points(holistic, signer), once)
    with MediapipeHolistic(environments=PLACE).open() as other:
        np.testing.assert_array_equal(points(other, signer), once)


@sampled
def test_pictures_as_small_as_those_of_phoenix(holistic: Holistic, signer: list[np.ndarray]) -> None:
    from PIL import Image

    small = [np.asarray(Image.fromarray(frame[:, 450:1031]).resize((210, 260))) for frame in signer]
    found = points(holistic, small)
    assert not person_faults(found)
    assert (found[:, MEDIAPIPE_543.parts["right_hand"], 2] > 0).any(axis=1).mean() > 0.5


@sampled
def test_frames_of_different_sizes(holistic: Holistic, signer: list[np.ndarray]) -> None:
    found = points(holistic, [signer[0], np.ascontiguousarray(signer[1][:, 400:1100]), signer[2]])
    assert found.any(axis=(1, 2)).all()
