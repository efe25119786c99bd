"""How far a training is and how fast it goes: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping
from textwrap import shorten
from typing import Any

import pytorch_lightning as pl
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

SHOWN = 160
"""Letters of a sentence that are shown at most."""
SILENT = 60
"""Seconds after which something is said."""


class Pace:
    """Seconds of training since the last figures, how many of them went by without a batch, and clips in them."""

    def __init__(self) -> None:
        self.clips, self.waited, self.spent = 0, 0.0, 0.0
        self._left: float | None = None  # when the last batch was done; None where what follows is no waiting
        self._began = 0.0

    def starts(self) -> None:
        """A batch is there."""
        self._began = time.perf_counter()
        if self._left is not None:
            self.waited += self._began - self._left
            self.spent += self._began - self._left

    def ends(self, clips: int) -> None:
        """It is done."""
        self._left = time.perf_counter()
        self.spent += self._left - self._began
        self.clips += clips

    def pauses(self) -> None:
        """What comes now is neither training nor waiting."""
        self._left = None

    def figures(self) -> dict[str, float]:
        """Clips per second and the fraction of time spent waiting, since the last call."""
        spent = max(self.spent, 1e-9)
        told = {"clips_per_second": self.clips / spent, "waiting": self.waited / spent}
        self.clips, self.waited, self.spent = 0, 0.0, 0.0
        return told


class StepProgress(pl.Callback):
    """Steps done, loss, pace, waiting, time gone and left; each look at the dev split in a line.

    Without a terminal ten lines tell the same, and one a minute where steps are slow.
    """

    def __init__(self, *, title: str) -> None:
        self.title, self.console = title, Console(stderr=True)
        self.bar: Progress | None = None
        self.pace, self.figures = Pace(), {"clips_per_second": 0.0, "waiting": 0.0}
        self.began = self.told = time.monotonic()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Show the bar."""
        self.began = self.told = time.monotonic()
        if self.console.is_terminal:
            self.bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("loss {task.fields[loss]}  {task.fields[pace]}"),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=self.console,
            )
            self.bar.start()
            self.bar.add_task(self.title, total=trainer.max_steps, completed=trainer.global_step, loss="…", pace="")

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, number: int) -> None:
        """Waiting is over."""
        self.pace.starts()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, number: int
    ) -> None:
        """Move on."""
        self.pace.ends(len(batch) * trainer.world_size)
        step, total = trainer.global_step, max(1, trainer.max_steps)
        if step % trainer.log_every_n_steps == 0:  # type: ignore[attr-defined]
            self.figures = self.pace.figures()
            pl_module.log_dict({f"train/{name}": value for name, value in self.figures.items()})
        tenth = step * 10 // total > (step - 1) * 10 // total
        if not (self.bar and step % 10 == 0) and not tenth and time.monotonic() - self.told < SILENT:
            return
        self.told = time.monotonic()
        seen = outputs if isinstance(outputs, Mapping) else {}
        lost = seen.get("total", seen.get("loss"))  # of all processes, or of the only one
        loss = "none" if lost is None else f"{float(lost):.3f}"
        pace = f"{self.figures['clips_per_second']:,.0f} a second, {self.figures['waiting']:.0%} waiting"
        if self.bar:
            self.bar.update(self.bar.task_ids[0], completed=step, loss=loss, pace=pace)
        else:
            seconds = time.monotonic() - self.began
            told = f"{self.title}: step {step} of {total}, loss {loss}, {pace}, {seconds:.0f} s"
            self.console.print(told, highlight=False)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """A look at the dev split is no waiting."""
        self.pace.pauses()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """What the look gave, in a line."""
        metrics = trainer.callback_metrics
        found = {name.removeprefix("dev/"): float(metrics[name]) for name in metrics if name.startswith("dev/")}
        named = {"loss": "loss", "bleu": "BLEU", "bleu_unseen": "unseen", "chrf": "chrF2", "retrieval_at_1": "R@1"}
        told = ", ".join(f"{title} {found[name]:.4g}" for name, title in named.items() if name in found)
        self.console.print(f"{self.title}: dev at step {trainer.global_step}: {told}", highlight=False)
        for sample in getattr(pl_module, "samples", ())[:1]:
            said, reference = (shorten(text, SHOWN) for text in (sample["hypothesis"], sample["references"][0]))
            told = f"  {sample['language']}: {said}\n  reference: {reference}"
            self.console.print(told, highlight=False, markup=False)

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
