"""A moving average of the weights that learn: steadier than the weights of any one step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from sonar_slt.errors import UserError
from sonar_slt.task.checkpoint import AVERAGED
from sonar_slt.task.parallel.sharding import is_sharded


class Ema(pl.Callback):
    """After each optimiser step the average moves to the weights by 1 - `decay`; while it is young, by more.

    The dev split is looked at with the average. A checkpoint holds both: the weights to go on from, and the average,
    which is what is evaluated.
    """

    def __init__(self, *, decay: float = 0.999) -> None:
        if not 0 <= decay < 1:
            raise UserError(f"callbacks.ema.decay={decay}: expected a number from 0 and below 1.")
        self.decay, self.steps = decay, 0
        self.average: dict[str, Tensor] = {}
        self._aside: dict[str, Tensor] = {}  # the weights themselves, while the average stands in for them

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Weights that are cut have no second copy."""
        if is_sharded(trainer):
            raise UserError("callbacks=[ema] keeps all weights twice, trainer=fsdp is for those that do not fit once.")

    def state_dict(self) -> dict[str, Any]:
        """How old the average is."""
        return {"steps": self.steps}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with an average of that age."""
        self.steps = int(state_dict["steps"])

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Put the average beside the weights."""
        if self.average:
            checkpoint[AVERAGED] = {name: weight.clone() for name, weight in self.average.items()}

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Take the average out again; a training without one begins it from the weights."""
        self.average = dict(checkpoint.get(AVERAGED, {}))

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin with the weights as they are, or go on with the average that was saved."""
        learning = _learning(pl_module)
        known = self.average if self.average.keys() == learning.keys() else learning
        self.average = {name: known[name].detach().to(weight.device, copy=True) for name, weight in learning.items()}

    @torch.no_grad()
    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
        """Move the average when a step was taken, not at each batch of which one is made."""
        if trainer.global_step <= self.steps:
            return
        self.steps = trainer.global_step
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        learning = _learning(pl_module)
        torch._foreach_lerp_(list(self.average.values()), [learning[name] for name in self.average], 1 - decay)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The average stands in for the weights."""
        self._aside = {name: weight.detach().clone() for name, weight in _learning(pl_module).items()}
        _put(pl_module, self.average)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The weights come back, before anything is saved."""
        self._back(pl_module)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """They also come back where a look at the dev split is broken off."""
        self._back(pl_module)

    def _back(self, task: pl.LightningModule) -> None:
        _put(task, self._aside)
        self._aside = {}


def _learning(task: pl.LightningModule) -> dict[str, Tensor]:
    return {name: weight for name, weight in task.named_parameters() if weight.requires_grad}


@torch.no_grad()
def _put(task: pl.LightningModule, weights: Mapping[str, Tensor]) -> None:
    for name, weight in weights.items():
        task.get_parameter(name).copy_(weight)
