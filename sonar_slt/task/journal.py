"""Lightning's metrics into the run folder: what the trainer logs, the run writes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers.logger import Logger

from sonar_slt.runs.record import Run


def is_due(trainer: pl.Trainer) -> bool:
    """Whether this training step is one that the trainer logs; collecting values for the others only costs time."""
    logged: int = trainer.log_every_n_steps  # type: ignore[attr-defined]
    return (trainer.global_step + 1) % logged == 0


def journal_of(trainer: pl.Trainer) -> Journal | None:
    """The journal among a trainer's loggers; a bare trainer has none."""
    return next((logger for logger in trainer.loggers if isinstance(logger, Journal)), None)


class Journal(Logger):
    """Names that begin with `dev/` go to the dev log, all others to the train log."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run
        self._trainer: pl.Trainer | None = None

    def follow(self, trainer: pl.Trainer) -> None:
        """Count steps as this trainer does: the optimiser's. Lightning's own count is one too many after a resume."""
        self._trainer = trainer

    @property
    def name(self) -> str:
        """The run's name."""
        return self.run.folder.name

    @property
    def version(self) -> str:
        """The run's id."""
        return self.run.id

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """The run has its whole config already."""

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """One line per split in the run's logs."""
        step = self._trainer.global_step if self._trainer else step
        values = {name: value for name, value in metrics.items() if name != "epoch"}
        dev = {name.removeprefix("dev/"): value for name, value in values.items() if name.startswith("dev/")}
        train = {name.removeprefix("train/"): value for name, value in values.items() if not name.startswith("dev/")}
        if dev:
            self.run.log("dev", step or 0, dev)
        if train:
            self.run.log("train", step or 0, {**train, **memory()})


def memory() -> dict[str, float]:
    """GiB that this process holds now, where the system tells, and that tensors took on the GPU at most."""
    found: dict[str, float] = {}
    told = Path("/proc/self/statm")
    if told.is_file():
        found["memory_gib"] = int(told.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**30
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        found["gpu_memory_gib"] = torch.cuda.max_memory_allocated() / 2**30
    return found
