"""What the framework adds to a training step: Lightning's loop, hooks, logs and records, against a bare loop.

Twins of the same first weights see the same batches, in turn within one training, so that a machine that slows down
slows both; in the end their weights are compared. Looks and checkpoints are left out: they come when asked for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import quantiles
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from sonar_slt.bench.timing import Comparison, compared
from sonar_slt.objective import Landing
from sonar_slt.task.sign import SignTranslation

Clock = Callable[[], float]


class Turns(pl.Callback):
    """After every `steps` steps of the training `bare` takes as many, and both are clocked; the first turn warms up."""

    def __init__(self, bare: Callable[[pl.Trainer, range], None], *, steps: int, clocks: Sequence[Clock]) -> None:
        self.bare, self.steps, self.clocks = bare, steps, clocks
        self.spent: list[tuple[list[float], list[float]]] = []  # of each turn: bare and trained, by each clock
        self._began: list[float] = []

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The first step comes."""
        self._began = self._now()

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """The other's turn."""
        step = trainer.global_step
        if step % self.steps:
            return
        ended = self._now()
        self.bare(trainer, range(step - self.steps, step))
        again = self._now()
        trained = [end - began for end, began in zip(ended, self._began, strict=True)]
        self.spent.append(([end - began for end, began in zip(again, ended, strict=True)], trained))
        self._began = self._now()

    def comparison(self, clock: int, name: str, note: str) -> Comparison:
        """Seconds of a step by one of the clocks."""
        plain, ours = ([turn[side][clock] / self.steps for turn in self.spent[1:]] for side in (0, 1))
        return compared(name, plain, ours, note=", ".join([f"{added(plain, ours)} added", note]))

    def _now(self) -> list[float]:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return [clock() for clock in self.clocks]


def bench_overhead(
    task: SignTranslation, twin: SignTranslation, fit: Callable[[pl.Callback], Any], *, steps: int, rounds: int
) -> list[Comparison]:
    """`fit` trains `task` for (rounds + 1) * steps steps, with a callback more; `twin` takes them in a bare loop."""
    for number in range(steps * (rounds + 1)):  # whoever came first would bring clips into memory for the other
        twin.data.batch(number)
    turns = Turns(Bare(twin), steps=steps, clocks=[time.process_time, time.perf_counter])
    fit(turns)
    note, name = agreement(task, twin), "training step: Lightning, logs and records against a bare loop"
    clocks = ["by the clock"] if torch.cuda.is_available() else ["processor time", "by the clock"]
    first = 2 - len(clocks)
    return [turns.comparison(first + i, f"{name}, {clock}", note) for i, clock in enumerate(clocks)]


class Bare:
    """The same steps in plain torch: the task's own modules, optimiser, schedule and clipping, and nothing else."""

    def __init__(self, task: SignTranslation) -> None:
        self.task = task
        self._optimiser: Any = None
        self._schedule: Any = None

    def __call__(self, trainer: pl.Trainer, numbers: range) -> None:
        """Steps by the numbers of their batches."""
        if self._optimiser is None:
            self._begin(trainer)
        task, clip = self.task, trainer.gradient_clip_val or float("inf")
        weights = [weight for group in self._optimiser.param_groups for weight in group["params"]]
        for number in numbers:
            batch, progress = task.data.batch(number).to(task.device), number / trainer.max_steps
            z = task(batch.tracks)
            loss = task.objective(Landing(z, batch.target.vectors, task.nll(batch, z, progress)), progress).loss
            assert loss is not None, "nothing finite is left"
            self._optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, clip)
            self._optimiser.step()
            self._schedule.step()

    def _begin(self, trainer: pl.Trainer) -> None:
        self.task.trainer = trainer  # it says how many steps there will be
        made = self.task.configure_optimizers()
        self._optimiser, self._schedule = made["optimizer"], made["lr_scheduler"]["scheduler"]
        self.task.to(trainer.strategy.root_device).train()


def added(plain: Sequence[float], ours: Sequence[float]) -> str:
    """What ours costs more, as the middle half of the rounds has it."""
    more = [after / before - 1 for before, after in zip(plain, ours, strict=True)]
    if len(more) < 2:
        return f"{more[0]:+.1%}"
    low, middle, high = quantiles(more, n=4, method="inclusive")
    return f"{middle:+.1%} ({low:+.1%} to {high:+.1%} in the middle half of {len(more)} rounds)"


def agreement(task: SignTranslation, twin: SignTranslation) -> str:
    """Whether both learnt the same."""
    pairs: list[tuple[Tensor, Tensor]] = list(zip(task.parameters(), twin.parameters(), strict=True))
    apart = max(float((one.detach().cpu() - other.detach().cpu()).abs().max()) for one, other in pairs)
    return "the same weights after it" if apart == 0 else f"weights apart by {apart:.1e} at most"
