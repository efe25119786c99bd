"""Signals between two steps, not inside one: a step's end is saved, from which a run goes on exactly.

Ctrl-C, SIGTERM, and what SLURM sends before it takes a machine away. Several processes stop at the same step.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

import pytorch_lightning as pl
import torch

from sonar_slt.runs.record import ENDING, Terminated

HEARD = (signal.SIGINT, *ENDING)


class Interruption(pl.Callback):
    """The first signal lets the step end; a second Ctrl-C does not wait. Signals reach the main thread only."""

    def __init__(self) -> None:
        self.asked = 0
        self.agreed = False  # whether all processes stop, between two steps
        self.former: dict[int, Any] = {}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Listen, in the place of Lightning, which has just begun to and would stop between the batches of one step."""
        if threading.current_thread() is threading.main_thread():
            self.former = {number: signal.signal(number, self._note) for number in HEARD}

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, number: int) -> None:
        """Stop here, where nothing of the next step has begun."""
        if number % trainer.accumulate_grad_batches == 0:
            self._stop(trainer)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop here too: what was asked for in the last step still counts."""
        self._leave()
        self._stop(trainer)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Leave the signals to whoever had them."""
        self._leave()

    def _leave(self) -> None:
        for number, handler in self.former.items():
            signal.signal(number, handler)
        self.former = {}

    def _note(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and self.asked:
            raise KeyboardInterrupt
        self.asked = self.asked or number  # SLURM says SIGTERM twice, and after any other: what came first counts

    def _stop(self, trainer: pl.Trainer) -> None:
        asked = self.asked
        if trainer.world_size > 1:  # one that stops alone would leave the others waiting for its gradients
            told = torch.tensor(asked, device=trainer.strategy.root_device)
            asked = int(trainer.strategy.reduce(told, reduce_op="max"))
        self.agreed = asked > 0
        if asked == signal.SIGINT:
            raise KeyboardInterrupt
        if asked:
            raise Terminated(128 + asked)
