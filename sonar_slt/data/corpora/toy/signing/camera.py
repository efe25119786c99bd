"""What a pose estimator makes of a body: pixels, noise, confidences, and points that it loses.

A lost point is 0, 0, 0, as OpenPose writes it. Numbers are rounded to thousandths, so that the last bit of a machine's
arithmetic does not reach a corpus.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.corpora.toy.signing.signer import Signer
from sonar_slt.data.layouts.openpose import FACE, LEFT_HAND, OPENPOSE_137, RIGHT_HAND

Array = NDArray[np.float64]
Single = NDArray[np.float32]

WIDTH, HEIGHT = 1280, 720
_MIRROR = np.array(OPENPOSE_137.mirror)
_RIGHT_WRIST, _LEFT_WRIST = OPENPOSE_137.wrists
_HIPS, _LEGS = [8, 9, 12], [10, 11, 13, 14, *range(19, 25)]
_DROPS, _DROP_LENGTHS = 3, (2, 8)  # at most so many times, for so many frames, a part is lost


@dataclass(frozen=True, slots=True)
class Camera:
    """How badly a performance is seen. Noise is in shoulder widths; losses are shares of frames, or of points."""

    noise: float = 0.012
    face_noise: float = 0.009
    sway: float = 0.02
    lost_points: float = 0.01
    lost_hands: float = 0.04
    lost_face: float = 0.01

    def film(self, points: Array, seconds: Array, signer: Signer, random: np.random.Generator) -> Single:
        """Record the pose of a right-handed signer (2, frames, 137) as the picture of this one (frames, 137, 3)."""
        seen = (points + self._sway(seconds, random)).astype(np.float32)
        error = random.standard_normal(points.shape, dtype=np.float32)
        confidence = self._confidence(error, random)
        confidence[self._lost(points.shape[1], random)] = 0.0
        error *= self._blur(points)
        seen += error
        if signer.left_handed:
            seen, confidence = seen[..., _MIRROR], confidence[:, _MIRROR]
            seen[0] *= -1.0
        return _develop(seen, confidence, signer)

    def _sway(self, seconds: Array, random: np.random.Generator) -> Array:
        """The body's slow swing: (2, frames, 1)."""
        rate, phase = random.uniform(0.6, 2.2, (2, 2, 1)), random.uniform(0.0, 2.0 * np.pi, (2, 2, 1))
        waves = np.sin(seconds * rate + phase).sum(1) * np.array([[self.sway], [0.4 * self.sway]])
        return np.asarray(waves[..., None])

    def _blur(self, points: Array) -> Single:
        """Standard deviation of each point's error: (frames, 137). Fast hands are seen less sharply."""
        blur = np.full(points.shape[1:], self.noise, dtype=np.float32)
        blur[:, FACE] = self.face_noise
        for hand, wrist in ((RIGHT_HAND, _RIGHT_WRIST), (LEFT_HAND, _LEFT_WRIST)):
            step = np.abs(np.diff(points[..., wrist], axis=1)).sum(0)
            blur[1:, hand] *= 1.0 + np.minimum(4.0 * step, 1.0)[:, None]
        return blur

    def _confidence(self, error: Single, random: np.random.Generator) -> Single:
        """From 0 to 1, lower where the error is larger: (frames, 137). Some performances show the face badly."""
        level = np.full(OPENPOSE_137.points, 0.9, dtype=np.float32)
        level[FACE] = 0.88 - 0.35 * random.random() ** 3
        level[LEFT_HAND] = level[RIGHT_HAND] = 0.75
        doubt = np.abs(error[0])
        doubt += np.abs(error[1])
        return np.asarray(np.maximum(level - np.float32(0.08) * doubt, np.float32(0.06)))

    def _lost(self, frames: int, random: np.random.Generator) -> NDArray[np.bool_]:
        """What the estimator does not find: (frames, 137)."""
        lost: NDArray[np.bool_] = np.less(random.random((frames, OPENPOSE_137.points), np.float32), self.lost_points)
        length = random.integers(*_DROP_LENGTHS, (3, _DROPS, 1))
        begin = random.random((3, _DROPS, 1)) * frames
        expected = frames / (_DROPS * (sum(_DROP_LENGTHS) - 1) / 2.0)
        happens = random.random((3, _DROPS, 1))
        share = np.array([self.lost_hands, self.lost_hands, self.lost_face])[:, None, None]
        clock = np.arange(frames)
        inside = (clock >= begin) & (clock < begin + length) & (happens < share * expected)
        gone = np.any(inside, axis=1)  # (3, frames)
        for row, part in enumerate((RIGHT_HAND, LEFT_HAND, FACE)):
            lost[gone[row], part] = True
        legs, hips, flicker = random.random(), random.random(), random.random((frames, 1)) < 0.4
        lost[:, _LEGS] |= flicker | (legs < 0.85)
        lost[:, _HIPS] |= hips < 0.3
        return lost


def _develop(points: Single, confidence: Single, signer: Signer) -> Single:
    """Pixels of the picture; what falls outside is lost."""
    right, down = signer.shoulder_width * np.cos(signer.tilt), signer.shoulder_width * np.sin(signer.tilt)
    x, y = points
    picture = np.stack(
        [
            np.float32(signer.neck[0]) + np.float32(right) * x - np.float32(down) * y,
            np.float32(signer.neck[1]) + np.float32(down) * x + np.float32(right) * y,
            confidence,
        ]
    )
    inside = (picture[0] > 0.0) & (picture[0] < WIDTH) & (picture[1] > 0.0) & (picture[1] < HEIGHT)
    picture *= inside & (confidence > 0.0)
    np.rint(picture * np.float32(1000.0), out=picture)
    return np.ascontiguousarray(np.moveaxis(picture / np.float32(1000.0), 0, -1))
