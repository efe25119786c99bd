"""One performance: a meaning, signed by someone, seen by a pose estimator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.corpora.toy.meaning import Meaning
from sonar_slt.data.corpora.toy.signing.anatomy import pose
from sonar_slt.data.corpora.toy.signing.camera import Camera
from sonar_slt.data.corpora.toy.signing.grammar import glosses
from sonar_slt.data.corpora.toy.signing.language import SIGN_LANGUAGES, SignLanguage
from sonar_slt.data.corpora.toy.signing.motion import move
from sonar_slt.data.corpora.toy.signing.signer import Signer

FRAME_RATES = (24.0, 25.0, 30.0)
_CAMERA = Camera()


@dataclass(frozen=True, slots=True, eq=False)
class Performance:
    """A clip: x, y in pixels of a 1280x720 picture and a confidence for each point; a lost point is 0, 0, 0."""

    points: NDArray[np.float32]  # (frames, 137, 3)
    fps: float
    glosses: tuple[str, ...]


def perform(
    meaning: Meaning,
    *,
    signer: Signer,
    seed: int,
    fps: float | None = None,
    camera: Camera = _CAMERA,
    language: SignLanguage = SIGN_LANGUAGES["a"],
) -> Performance:
    """Sign a meaning. The same arguments give the same bytes; the same seed gives the same body, noise and losses
    whatever face and head say."""
    random = np.random.default_rng(seed)
    drawn = float(random.choice(FRAME_RATES))
    rate = drawn if fps is None else float(fps)
    signed = glosses(meaning, language.order)
    motion = move(signed, signer, rate, random, signs=language.signs)
    points = camera.film(pose(motion, signer), motion.seconds, signer, random)
    return Performance(points=points, fps=rate, glosses=tuple(map(str, signed)))
