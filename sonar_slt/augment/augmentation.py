"""What an augmentation is, and several of them in their order."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import torch

from sonar_slt.data.layout import Layout
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError


class Augmentation(ABC):
    """One thing that may happen to clips; `tracks` are those that it applies to."""

    tracks: ClassVar[tuple[str, ...]]
    alike: ClassVar[bool] = True
    """Whether it draws the same numbers for all tracks of a batch, so that what happens to one happens to all."""

    def fit(self, *, layout: Layout | None, samples: Mapping[str, Track]) -> None:
        """Look at the skeleton and at some training clips, once and before the first step; most need neither.

        `samples` are all tracks that a batch will have, `layout` is None where none of them is of points.
        """
        return None

    @abstractmethod
    def __call__(self, track: Track, name: str, random: torch.Generator) -> Track:
        """Another track of the same shape, type and mask, the padding still 0; `track` itself stays as it is.

        `name` says which of `tracks` it is. Numbers are drawn on the CPU, so that they are the same whatever device
        the clips are on.
        """


class Augmentations:
    """Several augmentations, applied in their order; none of them leaves clips as they are."""

    def __init__(self, parts: Mapping[str, Augmentation] | None = None) -> None:
        self.parts = dict(parts or {})

    def fit(self, *, layout: Layout | None, samples: Mapping[str, Track]) -> None:
        """Let each part look at the skeleton and at some training clips; one that could do nothing is refused."""
        for name, part in self.parts.items():
            if not any(track in samples for track in part.tracks):
                raise UserError(
                    f"augment.{name} changes {', '.join(part.tracks)}, and the adapter reads {', '.join(samples)}: "
                    f"leave {name} out of augment=[…]."
                )
            part.fit(layout=layout, samples=samples)

    @torch.no_grad()
    def __call__(self, tracks: Mapping[str, Track], *, seed: int, step: int) -> dict[str, Track]:
        """What a step makes of its tracks.

        What one part draws does not hang on which others there are. It draws the same for each of its tracks, so that
        frames that are lost are lost in all tracks of one length; only noise is of each track its own.
        """
        changed = dict(tracks)
        for name, part in self.parts.items():
            for track in part.tracks:
                if track in changed:
                    drawn_for = name if part.alike else f"{name} {track}"
                    changed[track] = part(changed[track], track, _generator(drawn_for, seed, step))
        return changed


def _generator(name: str, seed: int, step: int) -> torch.Generator:
    drawn = hashlib.sha256(f"{name} {seed} {step}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(drawn[:7], "big"))


def share(value: float, key: str) -> float:
    """A number from 0 to 1, or a UserError that names its key."""
    if not 0 <= value <= 1:
        raise UserError(f"augment.{key}={value}: expected a number from 0 to 1.")
    return value


def unfitted(name: str) -> UserError:
    """An augmentation that is used before it has seen what it needs."""
    return UserError(f"augment.{name} has not seen any clips yet: call Augmentations.fit before the first step.")
