"""One training from its first step to its last, or from where it was stopped."""

from __future__ import annotations

import logging
import signal
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.exceptions import SIGTERMException

from sonar_slt.errors import UserError
from sonar_slt.runs.folder import checkpoints_of
from sonar_slt.runs.record import Run, Terminated
from sonar_slt.task.callbacks.checkpoints import Checkpoints
from sonar_slt.task.callbacks.interruption import Interruption
from sonar_slt.task.callbacks.step_progress import StepProgress
from sonar_slt.task.journal import Journal


def steps_not_epochs(settings: Mapping[str, Any], *, eval_every: int) -> dict[str, Any]:
    """Trainer settings for trainings that are counted in steps: batches never end, dev comes every so many steps."""
    steps = int(settings["max_steps"])
    on_gpu = torch.cuda.is_available() and settings.get("accelerator") != "cpu"
    if steps < 1:
        raise UserError(f"trainer.max_steps={steps}: a training has at least one step.")
    if eval_every < 1:
        raise UserError(f"eval_every={eval_every}: expected a number of optimiser steps, at least 1.")
    together = int(settings.get("accumulate_grad_batches") or 1)  # Lightning looks every so many batches, not steps
    return {
        **settings,
        "max_epochs": -1,
        "val_check_interval": min(eval_every, steps) * together,
        "check_val_every_n_epoch": None,
        "num_sanity_val_steps": 0,
        "precision": settings.get("precision") or ("bf16-mixed" if on_gpu else "32-true"),
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "use_distributed_sampler": False,  # batches know their shares
    }


def use_threads(threads: int | None) -> None:
    """So many of the processor's; results hang on it in their last bits, and after many steps in more than these."""
    if threads is not None and threads < 1:
        raise UserError(f"threads={threads}: expected at least 1, or null for all cores.")
    if threads is not None:
        torch.set_num_threads(threads)


def best_device() -> torch.device:
    """The first GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def run_parts(
    run: Run, title: str, *, monitor: str, eval_every: int, chosen: Iterable[pl.Callback] = ()
) -> dict[str, Any]:
    """What a run adds to its trainer: where to write, what to log, what to keep, what to show.

    The callbacks that were chosen come first: they have brought everything into place when a checkpoint is written.
    """
    callbacks: list[pl.Callback] = [
        *chosen,
        Checkpoints(folder=checkpoints_of(run.folder), monitor=monitor, every=eval_every),
        StepProgress(title=title),
        Interruption(),
    ]
    return {"callbacks": callbacks, "default_root_dir": run.folder, "journal": Journal(run)}


def following_parts(
    folder: Path, *, monitor: str, eval_every: int, chosen: Iterable[pl.Callback] = ()
) -> dict[str, Any]:
    """The same for another process of a training in `folder`: it has part in all that is decided, and shows nothing."""
    kept = Checkpoints(folder=checkpoints_of(folder), monitor=monitor, every=eval_every)
    return {"callbacks": [*chosen, kept, Interruption()], "default_root_dir": folder}


def fit(trainer: pl.Trainer, task: pl.LightningModule, data: pl.LightningDataModule, resume: Path | None) -> None:
    """Train; Ctrl-C and SIGTERM come out as what they were, not as Lightning's exits, one of which means success."""
    try:
        trainer.fit(task, datamodule=data, ckpt_path=resume, weights_only=True)
    except SIGTERMException:
        raise Terminated(128 + signal.SIGTERM) from None
    except SystemExit as ended:
        if type(ended) is SystemExit and trainer.interrupted:
            raise KeyboardInterrupt from None
        raise


@contextmanager
def quiet() -> Iterator[None]:
    """Without Lightning's remarks on hardware that is not there and workers that are not wanted."""
    names = (
        "pytorch_lightning",
        "lightning_fabric",
        "pytorch_lightning.utilities.rank_zero",
        "lightning_fabric.utilities",
    )
    levels = {name: logging.getLogger(name).level for name in names}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*isinstance.treespec, LeafSpec.*")
        warnings.filterwarnings("ignore", message=".*in eval mode at the start of training.*")
        warnings.filterwarnings("ignore", message=".*training_step. returned .None.*")  # told by ourselves
        warnings.filterwarnings("ignore", message=".*sync_dist=True.*")  # dev figures are the same in every process
        warnings.filterwarnings("ignore", message=".*srun. command is available.*")  # a login node is one to try on
        for name in names:
            logging.getLogger(name).setLevel(logging.ERROR)
        try:
            yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
