"""Mirror: a left-handed signer for a right-handed one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch

from sonar_slt.augment.augmentation import Augmentation, share, unfitted
from sonar_slt.augment.usual import FEATURES
from sonar_slt.data.layout import Layout
from sonar_slt.data.sources import PICTURES, POINTS
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError


class Mirror(Augmentation):
    """Some clips are seen in a mirror: left and right change places in points and pictures alike."""

    tracks: ClassVar = (POINTS, PICTURES)

    def __init__(self, *, probability: float = 0.5) -> None:
        self.probability = share(probability, "mirror.probability")
        self.opposite: tuple[int, ...] | None = None

    def fit(self, *, layout: Layout | None, samples: Mapping[str, Track]) -> None:
        """Know which point is opposite which; features are refused, for nobody knows what they would be."""
        if made := [name for name in FEATURES if name in samples]:
            raise UserError(
                f"augment.mirror cannot mirror {' and '.join(made)} features: leave mirror out of augment=[…]."
            )
        self.opposite = None if layout is None else layout.mirror

    def __call__(self, track: Track, name: str, random: torch.Generator) -> Track:
        """`values` (batch, time, points, 3) around the signer's middle, or pictures (batch, time, 3, height, width)."""
        drawn = torch.rand(len(track.values), generator=random) < self.probability
        turned = drawn.nonzero().squeeze(1).to(track.values.device)
        clips = track.values[turned]
        if name == PICTURES:
            clips = clips.flip(-1)
        elif self.opposite is None:
            raise unfitted("mirror")
        else:
            clips = clips[:, :, list(self.opposite)]
            clips[..., 0] *= -1
        return Track(track.values.index_copy(0, turned, clips), track.mask)
