"""A short look at the whole: fewer clips to look at and to judge."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytorch_lightning as pl

from sonar_slt.data.batches.selection import Selection
from sonar_slt.data.clips import Clips
from sonar_slt.errors import UserError


class Limit(pl.Callback):
    """Of dev and test only `clips` remain, spread over the split; training draws from all, for its steps are few.

    Sentences without clips have no such splits: of them nothing is left out.
    """

    def __init__(self, *, clips: int = 16) -> None:
        if clips < 1:
            raise UserError(f"callbacks.limit.clips={clips}: expected at least 1.")
        self.clips = clips

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Leave the others out, before any is looked at."""
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        if isinstance(data, Clips):
            shortened = {split: _some(data.rows[split], self.clips) for split in data.rows if split != "train"}
            data.rows = {**data.rows, **shortened}


def _some(chosen: Selection, count: int) -> Selection:
    places = np.unique(np.linspace(0, len(chosen) - 1, min(count, len(chosen))).round().astype(int))
    return Selection(chosen.rows, chosen.numbers[places])
