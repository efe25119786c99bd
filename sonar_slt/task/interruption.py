"""Ctrl-C between two steps, not inside one: what is saved is a step's end, from which a run goes on exactly."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

import pytorch_lightning as pl


class Interruption(pl.Callback):
    """The first Ctrl-C lets the step end; the second one does not wait."""

    def __init__(self) -> None:
        self.asked = False
        self.former: Any = None

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Listen; signals reach the main thread only."""
        if threading.current_thread() is threading.main_thread():
            self.former = signal.signal(signal.SIGINT, self._note)

    def on_train_batch_start(self, *_: Any) -> None:
        """Stop here, where nothing of the next step has begun."""
        if self.asked:
            raise KeyboardInterrupt

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Leave the signal to whoever had it."""
        if self.former is not None:
            signal.signal(signal.SIGINT, self.former)
            self.former = None

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
