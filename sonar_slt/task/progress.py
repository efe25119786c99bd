"""How far a training is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from typing import Any

import pytorch_lightning as pl
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class StepProgress(pl.Callback):
    """Steps done, loss, time gone and time left. Without a terminal ten lines tell the same."""

    def __init__(self, *, title: str) -> None:
        self.title, self.console = title, Console(stderr=True)
        self.bar: Progress | None = None
        self.began = time.monotonic()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Show the bar."""
        self.began = time.monotonic()
        if self.console.is_terminal:
            self.bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("loss {task.fields[loss]}"),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=self.console,
            )
            self.bar.start()
            self.bar.add_task(self.title, total=trainer.max_steps, completed=trainer.global_step, loss="…")

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, *rest: Any) -> None:
        """Move on."""
        step, total = trainer.global_step, max(1, trainer.max_steps)
        tenth = step * 10 // total > (step - 1) * 10 // total
        if not (self.bar and step % 10 == 0) and not tenth:
            return
        loss = f"{float(outputs['loss']):.3f}"
        if self.bar:
            self.bar.update(self.bar.task_ids[0], completed=step, loss=loss)
        else:
            seconds = time.monotonic() - self.began
            self.console.print(f"{self.title}: step {step} of {total}, loss {loss}, {seconds:.0f} s", highlight=False)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Leave the terminal as it was."""
        self._leave()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Leave the terminal as it was, also after an interruption."""
        self._leave()

    def _leave(self) -> None:
        if self.bar:
            self.bar.stop()
            self.bar = None
