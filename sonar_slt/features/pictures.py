"""Pictures made small and kept as bytes: what an adapter with a backbone in the loop reads, without decoding anything.

A corpus is decoded once instead of once an epoch: PHOENIX-2014T at every second frame and 112 pixels takes 18 GB.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np

from sonar_slt.data.manifest import Row
from sonar_slt.data.unreadable import Unreadable
from sonar_slt.errors import UserError
from sonar_slt.features.extraction.feed import Feed, Roll
from sonar_slt.features.extraction.made import Filmed, Made, left_out
from sonar_slt.features.picture import Picture


class Pictures:
    """Every `step`-th frame as a square of `size` pixels: `crop` keeps the middle, `squeeze` and `pad` all of it."""

    track, dtype = "pictures", "uint8"

    def __init__(self, *, size: int = 112, step: int = 2, fit: Literal["crop", "squeeze", "pad"] = "crop") -> None:
        if min(size, step) < 1:
            raise UserError(f"features.pictures: size={size} step={step}; each is at least 1.")
        self.picture, self.step = Picture(size=size, fit=fit), step
        self.shape = (3, size, size)

    def described(self) -> dict[str, Any]:
        """Size, fit and step."""
        return {"kind": "pictures", "size": self.picture.size, "fit": self.picture.fit, "step": self.step}

    def made(self, corpus: Filmed, chunks: Sequence[Sequence[Row]], *, workers: int) -> Iterator[Made]:
        """The pictures of every clip."""
        with Feed(corpus, self.picture, step=self.step, workers=workers) as feed:
            for roll in feed.rolls([row for chunk in chunks for row in chunk]):
                yield self._clip(roll)

    def _clip(self, roll: Roll) -> Made:
        try:
            blocks = list(roll)
        except Unreadable as error:
            return Made(roll.row, None, 0, [left_out(roll.row, "unreadable", str(error).rstrip("."))])
        if not blocks:
            return Made(roll.row, None, 0, [*roll.faults, left_out(roll.row, "empty_clip", "has no picture")])
        values = np.concatenate(blocks)
        few = len(values) == -(-roll.row.frames // self.step)
        return Made(roll.row, values, roll.row.frames if few else len(values) * self.step, roll.faults)
