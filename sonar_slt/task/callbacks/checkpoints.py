"""Two checkpoints per run: the last, to go on from, and the best on the dev split. Each is whole or absent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from sonar_slt.errors import UserError
from sonar_slt.task.parallel.ranks import ALONE, Ranks

APART = 1_000_003
"""How far the seeds of processes lie apart."""
RISING = ("bleu", "chrf", "retrieval")
"""Figures of the dev log that are better when they are larger; all others are losses."""


class Best:
    """The best value so far of a figure in the dev log; with `ties` an equal one is better, for it is later."""

    def __init__(self, monitor: str, *, least: float = 0.0, ties: bool = False) -> None:
        self.monitor, self.least, self.ties = monitor, least, ties
        self.value: float | None = None

    def improved(self, metrics: Mapping[str, Any]) -> bool | None:
        """Whether the figure is better than ever; None where it was not measured or is no number."""
        if self.monitor not in metrics or metrics[self.monitor] != metrics[self.monitor]:
            return None
        value = float(metrics[self.monitor])
        rises = self.monitor.removeprefix("dev/").startswith(RISING)
        if self.value is not None:
            gained = value - self.value if rises else self.value - value
            if gained < self.least or (gained == self.least and not self.ties):
                return False
        self.value = value
        return True


class Checkpoints(pl.Callback):
    """Write `last.ckpt` at every look at the dev split and at an interruption, `best.ckpt` when `monitor` is best."""

    def __init__(self, *, folder: Path, monitor: str = "dev/bleu", every: int = 250) -> None:
        self.folder, self.every, self.ranks = folder, every, ALONE
        self.best = Best(monitor, ties=True)  # BLEU is 0 for a while, and a later 0 has learnt more

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Of several processes each draws random numbers of its own."""
        self.ranks = getattr(pl_module, "ranks", ALONE)
        if self.ranks.rank:
            torch.manual_seed(torch.initial_seed() + APART * self.ranks.rank)

    def state_dict(self) -> dict[str, Any]:
        """How good the best one is, and where the random numbers of each process stand, for a run that goes on."""
        random, devices = torch.get_rng_state(), _devices(self.ranks)
        others = [] if not self.ranks.many else self.ranks.everyone((random, devices))[1:]
        return {"best": self.best.value, "random": random, "devices": devices, **({"others": others} if others else {})}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over how good the best one was, and go on with the very random numbers that would have come next.

        Where more processes go on than were stopped, the new ones draw others.
        """
        self.best.value = state_dict["best"]
        known = [(state_dict["random"], state_dict["devices"]), *state_dict.get("others", ())]
        if self.ranks.rank >= len(known):
            return
        random, devices = known[self.ranks.rank]
        torch.set_rng_state(random)
        if self.ranks.many and len(devices) == 1 and torch.cuda.is_available():
            torch.cuda.set_rng_state(devices[0])
        elif len(devices) == torch.cuda.device_count() > 0:
            torch.cuda.set_rng_state_all(devices)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """A batch that was begun when a run was interrupted is begun anew: Lightning would count it twice."""
        batches = trainer.fit_loop.epoch_loop.batch_progress.total
        batches.ready = batches.started = batches.processed  # type: ignore[attr-defined]

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Of steps, too, it counts one too many when a training goes on, and would log at others than before."""
        trainer.fit_loop.epoch_loop._batches_that_stepped = trainer.global_step

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save, and save again under the name of the best if it is."""
        improved = self.best.improved(trainer.callback_metrics)  # None of a figure that is no number: it is not better
        if self.best.monitor not in trainer.callback_metrics and not trainer.fast_dev_run:  # type: ignore[attr-defined]
            known = ", ".join(sorted(name for name in trainer.callback_metrics if name.startswith("dev/")))
            raise UserError(f"monitor={self.best.monitor} is not in the dev log, which has {known}.")
        if improved:
            self._save(trainer, "best")
        self._save(trainer, "last")

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """A task without a dev split keeps its last state as often as others look at theirs."""
        if not trainer.enable_validation and trainer.global_step % self.every == 0:
            self._save(trainer, "last")

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The last step is always kept."""
        self._save(trainer, "last")

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Keep what was learnt when the run is interrupted between two steps."""
        alone = self.ranks.many and not any(getattr(one, "agreed", False) for one in trainer.callbacks)  # type: ignore[attr-defined]
        if isinstance(exception, KeyboardInterrupt | SystemExit) and trainer.global_step and not alone:
            self._save(trainer, "last")

    def _save(self, trainer: pl.Trainer, name: str) -> None:
        """Every process has part in it, one writes."""
        first = trainer.is_global_zero
        if first:
            self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f".{name}.tmp"
        try:
            trainer.save_checkpoint(draft)
            if first:
                draft.replace(self.folder / f"{name}.ckpt")
        finally:
            if first:
                draft.unlink(missing_ok=True)
        trainer.strategy.barrier()  # whoever goes on finds it


def _devices(ranks: Ranks) -> list[Tensor]:
    if not torch.cuda.is_available():
        return []
    return [torch.cuda.get_rng_state()] if ranks.many else torch.cuda.get_rng_state_all()
