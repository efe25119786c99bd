"""What rows of features usually are: around what mean, and how far from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from sonar_slt.data.sources import MOTION, SPATIAL
from sonar_slt.data.track import Track

FEATURES = (SPATIAL, MOTION)
"""The tracks that a frozen backbone made."""


@dataclass(frozen=True, slots=True)
class Usual:
    """Of each number of a row its mean and its standard deviation over the real rows of some clips."""

    mean: Tensor  # (features,)
    std: Tensor  # (features,)


def usual(samples: Mapping[str, Track]) -> dict[str, Usual]:
    """What is usual in each track of features among `samples`."""
    found = {}
    for name in FEATURES:
        if name in samples:
            rows = samples[name].values[samples[name].mask].float()
            std, mean = torch.std_mean(rows, dim=0, correction=0)
            found[name] = Usual(mean, std)
    return found
