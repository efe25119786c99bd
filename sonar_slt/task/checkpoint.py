"""What a checkpoint holds: what learns and what was taken over, and nothing of the frozen base."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from sonar_slt.errors import UserError
from sonar_slt.task.parallel.sharding import is_cut, put

AVERAGED = "averaged"
"""Where a checkpoint keeps the moving average of its weights, if there is one: it is what is evaluated."""


def kept(task: pl.LightningModule) -> set[str]:
    """The names of what a checkpoint holds: weights that learn, or would if they were not frozen, and buffers."""
    frozen: Iterable[str] = getattr(task, "frozen", ())
    own = task.state_dict()
    learning = {name for name, weight in task.named_parameters() if weight.requires_grad}
    return (learning | set(frozen) | {name for name, _ in task.named_buffers()}) & own.keys()


def learnt(checkpoint: Mapping[str, Any]) -> dict[str, Tensor]:
    """The weights of a checkpoint as they are to be evaluated: averaged where an average was kept."""
    return {**checkpoint["state_dict"], **checkpoint.get(AVERAGED, {})}


def require_whole(task: pl.LightningModule, state: Mapping[str, Tensor], said: str) -> None:
    """Refuse weights that are not those of this task, by name and by shape; `said` names them in the error."""
    own, wanted = task.state_dict(), kept(task)
    lacking, foreign = sorted(wanted - state.keys()), sorted(state.keys() - own.keys())
    shaped = [name for name in state if name in own and state[name].shape != own[name].shape]
    if lacking or foreign or shaped:
        what = f"it lacks {lacking[:3]} and has {foreign[:3]} too many"
        if shaped:
            what = f"{shaped[0]} is {tuple(state[shaped[0]].shape)} there and {tuple(own[shaped[0]].shape)} here"
        raise UserError(f"{said} does not fit: {what}. Was it made with another adapter, student or objective?")


def load(task: pl.LightningModule, path: Path) -> None:
    """Bring a task's learnt weights back; every weight that learns must be in the file, and nothing else may be."""
    state = learnt(torch.load(path, map_location="cpu", weights_only=True))
    require_whole(task, state, str(path))
    if is_cut(task.parameters()):
        put(task, state)
    else:
        task.load_state_dict(state, strict=False)


def take_over(best: Path, folder: Path) -> None:
    """Keep the best checkpoint of a run that is gone on with: there may be no better one to come."""
    if best.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / ".best.tmp"
        shutil.copyfile(best, draft)
        draft.replace(folder / best.name)
