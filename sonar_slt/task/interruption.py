"""Ctrl-C and SIGTERM between two steps, not inside one: a step's end is saved, from which a run goes on exactly."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

import pytorch_lightning as pl

from sonar_slt.runs.record import Terminated

HEARD = (signal.SIGINT, signal.SIGTERM)


class Interruption(pl.Callback):
    """The first signal lets the step end; the second one does not wait. Signals reach the main thread only."""

    def __init__(self) -> None:
        self.asked: int | None = None
        self.former: dict[int, Any] = {}

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Listen."""
        if threading.current_thread() is threading.main_thread():
            self.former = {number: signal.signal(number, self._note) for number in HEARD}

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, number: int) -> None:
        """Stop here, where nothing of the next step has begun."""
        if number % trainer.accumulate_grad_batches == 0:
            self._stop()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop here too: what was asked for in the last step still counts."""
        self._stop()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Leave the signals to whoever had them."""
        self._leave()

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Leave the signals to whoever had them."""
        self._leave()

    def _leave(self) -> None:
        for number, handler in self.former.items():
            signal.signal(number, handler)
        self.former = {}

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked is not None:
            self._stop()
        self.asked = number

    def _stop(self) -> None:
        if self.asked == signal.SIGINT:
            raise KeyboardInterrupt
        if self.asked == signal.SIGTERM:
            raise Terminated(128 + signal.SIGTERM)
