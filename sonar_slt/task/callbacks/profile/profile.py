"""Where the time of a training goes: parts of a step, looks, checkpoints, operators, memory.

Some batches are timed without a profiler, for it makes everything slower; some more are traced by torch's.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.profilers import Profiler
from rich.console import Console
from torch.profiler import ProfilerActivity

from sonar_slt.errors import UserError
from sonar_slt.task.callbacks.profile.stopwatch import ITSELF, LOOK, SAVING, Stopwatch, watch_parts
from sonar_slt.task.callbacks.profile.time_table import Summary, held, operators

TRACE = "trace.json"


class Profile(pl.Callback):
    """After `warm_up` batches time `timed` of them, trace `traced`, and say where the time went.

    On a GPU each part is waited for while it is timed, so that what is queued counts where it was asked for.
    """

    def __init__(self, *, warm_up: int = 5, timed: int = 20, traced: int = 3, shown: int = 12) -> None:
        if warm_up < 1 or timed < 1 or traced < 1 or shown < 1:
            raise UserError(
                f"callbacks.profile: warm_up={warm_up} timed={timed} traced={traced} shown={shown}; each is at least 1."
            )
        self.warm_up, self.timed, self.traced, self.shown = warm_up, timed, traced, shown
        self.batches, self.steps, self.clips = 0, list[float](), 0
        self._watch = Stopwatch(time.perf_counter)
        self._trace: torch.profiler.profile | None = None
        self._former: Profiler | None = None
        self._undo: Callable[[], None] = lambda: None

    @property
    def needed(self) -> int:
        """Batches until all is known; torch's profiler has one for itself."""
        return self.warm_up + self.timed + 1 + self.traced

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Refuse a training that is too short, or begin to listen."""
        coming = trainer.max_steps * trainer.accumulate_grad_batches
        if coming < self.needed:
            raise UserError(
                f"callbacks.profile looks at {self.needed} batches and trainer.max_steps={trainer.max_steps} has "
                f"{coming}: lengthen the training, or shorten callbacks.profile.timed."
            )
        device = trainer.strategy.root_device
        self._watch = Stopwatch(_clock(device))
        self._former, trainer.profiler = trainer.profiler, self._watch  # type: ignore[attr-defined]
        self._undo = watch_parts(self._watch, trainer, pl_module)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, number: int
    ) -> None:
        """Move on to what comes next."""
        self.batches += 1
        if self._watch.counting:
            self.steps.append(self._spent() - sum(self.steps))
            self.clips += len(batch)
        if self._trace:
            self._trace.step()
        if self.batches == self.warm_up:
            self._watch.count()
        elif self.batches == self.warm_up + self.timed:
            self._watch.trace()
            self._trace = self._tracer()
            self._trace.start()
        elif self.batches == self.needed and self._trace:
            self._finish(trainer, pl_module)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """What comes now is a look."""
        self._watch.looking = True

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """It is over."""
        self._watch.looking = False

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Leave a training that was broken off as it was."""
        if self._trace:
            self._trace.stop()
        self._listen_no_more(trainer)

    def _spent(self) -> float:
        """Seconds of training steps until now."""
        return sum(spent for name, spent in self._watch.seconds.items() if name not in (LOOK, SAVING, ITSELF))

    def _tracer(self) -> torch.profiler.profile:
        kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if torch.cuda.is_available() else [])]
        os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # it would tell of its own start and end
        plan = torch.profiler.schedule(wait=0, warmup=1, active=self.traced, repeat=1)
        return torch.profiler.profile(activities=kinds, schedule=plan)

    def _finish(self, trainer: pl.Trainer, task: pl.LightningModule) -> None:
        assert self._trace is not None
        trace, self._trace, folder = self._trace, None, Path(trainer.default_root_dir)
        trace.stop()
        self._listen_no_more(trainer)
        if not trainer.is_global_zero:
            return
        trace.export_chrome_trace(str(folder / TRACE))
        summary = Summary(
            device=str(trainer.strategy.root_device),
            workers=getattr(trainer.datamodule, "workers", 0),  # type: ignore[attr-defined]
            warm_up=self.warm_up,
            steps=self.steps,
            clips=self.clips,
            seconds=dict(self._watch.seconds),
            looks=self._watch.calls["[Callback]Profile.on_validation_start"],
            saved=self._watch.calls["save_checkpoint"],
            traced=self.traced,
            operators=operators(trace, self.traced)[: self.shown],
            memory=held(trainer, task),
        )
        summary.write(folder, TRACE)
        Console(stderr=True, highlight=False).print(*summary.tables(), f"Profile: {folder}", sep="\n", soft_wrap=True)

    def _listen_no_more(self, trainer: pl.Trainer) -> None:
        self._watch.halt()
        self._undo()
        self._undo = lambda: None
        if self._former is not None:
            trainer.profiler, self._former = self._former, None  # type: ignore[attr-defined]


def _clock(device: torch.device) -> Callable[[], float]:
    """The time when all that was asked of a device is done."""
    if device.type != "cuda":
        return time.perf_counter

    def settled() -> float:
        torch.cuda.synchronize(device)
        return time.perf_counter()

    return settled
