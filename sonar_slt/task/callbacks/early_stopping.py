"""The end of a training whose dev split has long not become better."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
from rich.console import Console

from sonar_slt.errors import UserError
from sonar_slt.task.callbacks.checkpoints import Best


class EarlyStopping(pl.Callback):
    """Stop after `patience` looks in which `monitor` was not better than ever by more than `least`."""

    def __init__(self, *, monitor: str = "dev/bleu", patience: int = 10, least: float = 0.0) -> None:
        if patience < 1 or least < 0:
            raise UserError(
                f"callbacks.early_stopping: patience={patience} least={least}; expected 1 or more, 0 or more."
            )
        self.best, self.patience, self.waited = Best(monitor, least=least), patience, 0

    def state_dict(self) -> dict[str, Any]:
        """How good the best look was, and how long ago."""
        return {"best": self.best.value, "waited": self.waited}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on waiting."""
        self.best.value, self.waited = state_dict["best"], int(state_dict["waited"])

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Count the look."""
        self.waited = 0 if self.best.improved(trainer.callback_metrics) else self.waited + 1
        if self.waited >= self.patience:
            trainer.should_stop = True
            if not trainer.is_global_zero:
                return
            Console(stderr=True, highlight=False).print(
                f"{self.best.monitor} has not become better for {self.waited} looks: the training ends at step "
                f"{trainer.global_step}."
            )
