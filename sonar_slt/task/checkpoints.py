"""Two checkpoints per run: the last, to go on from, and the best on the dev split. Each is whole or absent."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch


class Checkpoints(pl.Callback):
    """Write `last.ckpt` at every look at the dev split and at an interruption, `best.ckpt` when `monitor` falls."""

    def __init__(self, *, folder: Path, monitor: str = "dev/loss") -> None:
        self.folder, self.monitor = folder, monitor
        self.lowest = math.inf

    def state_dict(self) -> dict[str, Any]:
        """How good the best one is, and where the random numbers stand, for a run that goes on."""
        return {"lowest": self.lowest, "random": torch.get_rng_state()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over how good the best one was, and go on with the very random numbers that would have come next."""
        self.lowest = float(state_dict["lowest"])
        torch.set_rng_state(state_dict["random"])

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save, and save again under the name of the best if it is."""
        value = trainer.callback_metrics.get(self.monitor)
        if value is not None and float(value) < self.lowest:
            self.lowest = float(value)
            self._save(trainer, "best")
        self._save(trainer, "last")

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """A task without a dev split keeps its last state as often as others look at theirs."""
        if not trainer.enable_validation and trainer.global_step % int(trainer.val_check_interval or 1) == 0:
            self._save(trainer, "last")

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The last step is always kept."""
        self._save(trainer, "last")

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Keep what was learnt when the run is interrupted between two steps."""
        if isinstance(exception, KeyboardInterrupt | SystemExit) and trainer.global_step:
            self._save(trainer, "last")

    def _save(self, trainer: pl.Trainer, name: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f".{name}.tmp"
        try:
            trainer.save_checkpoint(draft)
            draft.replace(self.folder / f"{name}.ckpt")
        finally:
            draft.unlink(missing_ok=True)


def load(task: pl.LightningModule, path: Path) -> None:
    """Bring a task's learnt weights back; every weight that learns must be in the file, and nothing else may be."""
    state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    learning = {name for name, weight in task.named_parameters() if weight.requires_grad}
    lacking, foreign = learning - state.keys(), state.keys() - dict(task.state_dict()).keys()
    if lacking or foreign:
        raise ValueError(f"{path} does not fit: it lacks {sorted(lacking)[:3]} and has {sorted(foreign)[:3]} too many.")
    task.load_state_dict(state, strict=False)
