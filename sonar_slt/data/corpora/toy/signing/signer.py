"""Who signs: build, place in the picture, handedness and manner.

Signers are drawn once for a corpus; every performance then varies around its signer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Signer:
    """One person before one camera. Lengths are in shoulder widths unless they say pixels."""

    name: str
    shoulder_width: float
    """In pixels."""
    neck: tuple[float, float]
    """Where the neck is, in pixels of a 1280x720 picture."""
    tilt: float
    """Slant of the camera, in radians."""
    left_handed: bool
    speed: float
    amplitude: float
    """How large movements are."""
    smoothness: int
    """How much neighbouring signs melt into each other: passes of a three-frame average."""
    jitter: float
    """How much place, size and duration of a sign vary from one performance to the next."""
    upper_arm: float
    forearm: float
    hand: float
    head: float
    torso: float


def signers(count: int, seed: int) -> tuple[Signer, ...]:
    """Draw signers; the first ones are the same whatever the count. Every fifth, from the fourth on, is left-handed."""
    return tuple(_signer(index, seed) for index in range(count))


def _signer(index: int, seed: int) -> Signer:
    random = np.random.default_rng([seed, index])

    def between(low: float, high: float) -> float:
        return round(float(random.uniform(low, high)), 4)

    return Signer(
        name=f"signer{index + 1:02d}",
        shoulder_width=between(165.0, 225.0),
        neck=(between(580.0, 700.0), between(230.0, 285.0)),
        tilt=between(-0.05, 0.05),
        left_handed=index % 5 == 3,
        speed=between(0.88, 1.18),
        amplitude=between(0.85, 1.15),
        smoothness=int(random.integers(1, 4)),
        jitter=between(0.7, 1.2),
        upper_arm=between(0.78, 0.88),
        forearm=between(0.68, 0.78),
        hand=between(0.92, 1.08),
        head=between(0.92, 1.08),
        torso=between(1.38, 1.55),
    )
