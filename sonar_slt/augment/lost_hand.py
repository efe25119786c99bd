"""LostHand: a hand that was not found for a while, as happens where it moves fast or lies before the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from sonar_slt.augment.augmentation import Augmentation, share, unfitted
from sonar_slt.data.layout import Layout
from sonar_slt.data.sources import POINTS
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError

HANDS = ("left_hand", "right_hand")


class LostHand(Augmentation):
    """In some clips the points of one hand are missing for a stretch of up to `longest` of the clip."""

    tracks: ClassVar = (POINTS,)

    def __init__(self, *, probability: float = 0.1, longest: float = 0.33) -> None:
        self.probability = share(probability, "lost_hand.probability")
        self.longest = share(longest, "lost_hand.longest")
        self.hands: Tensor | None = None  # (2, points) True at the points of a hand

    def fit(self, *, layout: Layout | None, samples: Mapping[str, Track]) -> None:
        """Know which points are of a hand."""
        if layout is None:
            return
        hands = torch.zeros(len(HANDS), layout.points, dtype=torch.bool)
        for hand, part in zip(hands, HANDS, strict=True):
            hand[layout.parts[part]] = True
        if not hands.any():
            raise UserError(f"augment.lost_hand hides hands, and the layout {layout.name} has none.")
        self.hands = hands

    def __call__(self, track: Track, name: str, random: torch.Generator) -> Track:
        """`values` (batch, time, points, 3)."""
        if self.hands is None:
            raise unfitted("lost_hand")
        whether, which, long, begins = torch.rand(4, len(track.mask), 1, generator=random).to(track.mask.device)
        lengths = track.mask.sum(dim=1, keepdim=True)
        frames = (long * (self.longest * lengths).floor()).ceil()
        first = (begins * (lengths - frames + 1)).floor()
        times = torch.arange(track.mask.shape[1], device=track.mask.device)
        gone = (times >= first) & (times < first + frames) & (whether < self.probability)  # (batch, time)
        left, right = self.hands.to(gone.device)
        hand = torch.where(which < 0.5, left, right)  # (batch, points)
        hidden = gone.unsqueeze(-1) & hand.unsqueeze(1)
        return Track(track.values.masked_fill(hidden.unsqueeze(-1), 0), track.mask)
