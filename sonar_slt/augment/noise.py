"""Noise: points are found a little beside where they are, and features are a little off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from sonar_slt.augment.augmentation import Augmentation, unfitted
from sonar_slt.augment.usual import FEATURES, Usual, usual
from sonar_slt.data.layout import Layout
from sonar_slt.data.normalise import NARROWEST
from sonar_slt.data.sources import POINTS
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError


class Noise(Augmentation):
    """Gaussian noise of `std` widths of the clip's shoulders on points, of `std` standard deviations on features.

    Missing points stay missing and a confidence stays what it is. Pictures have colour and blur instead.
    """

    tracks: ClassVar = (POINTS, *FEATURES)
    alike: ClassVar = False

    def __init__(self, *, std: float = 0.04) -> None:
        if std < 0:
            raise UserError(f"augment.noise.std={std}: expected a number that is not below 0.")
        self.std = std
        self.shoulders: tuple[int, int] | None = None
        self.usual: Mapping[str, Usual] = {}

    def fit(self, *, layout: Layout | None, samples: Mapping[str, Track]) -> None:
        """Know which points are shoulders, and how far each feature lies from its mean."""
        self.shoulders = None if layout is None else layout.shoulders
        self.usual = usual(samples)

    def __call__(self, track: Track, name: str, random: torch.Generator) -> Track:
        """`values` (batch, time, points, 3) of points, (batch, time, features) of features."""
        return Track(
            self._points(track.values, random) if name == POINTS else self._rows(track, name, random), track.mask
        )

    def _points(self, points: Tensor, random: torch.Generator) -> Tensor:
        if self.shoulders is None:
            raise unfitted("noise")
        shape = (*points.shape[:-1], 2)
        noise = torch.randn(shape, generator=random).to(points)
        noise *= self.std * shoulder_widths(points, self.shoulders).view(-1, 1, 1, 1)
        noise *= points[..., 2:] > 0
        changed = points.clone()
        changed[..., :2] += noise
        return changed

    def _rows(self, track: Track, name: str, random: torch.Generator) -> Tensor:
        if name not in self.usual:
            raise unfitted("noise")
        noise = torch.randn(track.values.shape, generator=random).to(track.values)
        noise *= self.std * self.usual[name].std.to(noise)
        noise *= track.mask.unsqueeze(-1)
        return noise.add_(track.values)


def shoulder_widths(points: Tensor, shoulders: tuple[int, int]) -> Tensor:
    """Of each clip of `points` (batch, time, points, 3) the median distance of its shoulders (batch,).

    A clip in which the two are never both seen, or lie on one another, has the spread of all its points instead: the
    same that `normalise=signer` takes.
    """
    right, left = (points[:, :, shoulder] for shoulder in shoulders)
    both = (right[..., 2] > 0) & (left[..., 2] > 0)
    apart = (right - left)[..., :2].square().sum(dim=-1).sqrt().masked_fill(~both, torch.inf)
    middle = (both.sum(dim=1, keepdim=True) - 1).clamp_min(0) // 2
    width = apart.sort(dim=1).values.gather(1, middle).squeeze(1)
    spread = _spreads(points)
    return torch.where(width.isfinite() & (width > NARROWEST * spread), width, spread)


def _spreads(points: Tensor) -> Tensor:
    """Twice the standard deviation of a clip's seen points around their mean (batch,); missing ones lie at 0, 0."""
    count = (points[..., 2] > 0).sum(dim=(1, 2)).clamp_min(1).unsqueeze(-1)
    places = points[..., :2].float().flatten(1, 2)  # (batch, all points, 2)
    variance = places.square().sum(dim=1) / count - (places.sum(dim=1) / count).square()
    return 2 * variance.clamp_min(0).mean(dim=-1).sqrt().to(points.dtype)
