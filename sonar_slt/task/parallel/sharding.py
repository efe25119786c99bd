"""Weights that do not fit on one device: the adapter, and the backbones in it, cut over all of them (FSDP2).

The frozen base and what adapts it stay whole everywhere, so that a process can translate by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.strategies import ModelParallelStrategy
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import StateDictOptions, set_model_state_dict
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor

from sonar_slt.task.parallel.ranks import Ranks


class Sharded(ModelParallelStrategy):
    """Lightning's strategy over all processes, without tensor parallelism; one file holds a whole checkpoint."""

    def __init__(self, *, devices: int, num_nodes: int = 1) -> None:
        super().__init__(
            data_parallel_size=devices * num_nodes, tensor_parallel_size=1, save_distributed_checkpoint=False
        )


def shard(module: nn.Module, mesh: Any) -> None:
    """Cut a module's weights over Lightning's mesh: each entry of its lists as one piece, then the rest."""
    mesh = mesh["data_parallel"]
    for part in [part for one in module.modules() if isinstance(one, nn.ModuleList) for part in one]:
        if any(True for _ in part.parameters()) and not isinstance(part, nn.ModuleList):
            fully_shard(part, mesh=mesh)
    fully_shard(module, mesh=mesh)


def is_cut(weights: Iterable[Tensor]) -> bool:
    """Whether a process has only its part of any of these."""
    return any(isinstance(weight, DTensor) for weight in weights)


def put(task: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Give whole weights to a module some of which are cut."""
    options = StateDictOptions(full_state_dict=True, strict=False)
    set_model_state_dict(task, dict(state), options=options)


@torch.no_grad()
def average_whole(weights: Iterable[Tensor], ranks: Ranks) -> None:
    """Average the gradients of weights that every process has whole, as FSDP does with those that it cut."""
    for weight in weights:
        if weight.grad is not None and not isinstance(weight.grad, DTensor):
            ranks.total(weight.grad).div_(ranks.count)


@torch.no_grad()
def length(gradients: Iterable[Tensor]) -> Tensor:
    """The norm () of gradients, cut or not."""
    parts = [torch.linalg.vector_norm(one) for one in gradients]
    wholes = [part.full_tensor() if isinstance(part, DTensor) else part for part in parts]
    return torch.stack(wholes).norm() if wholes else torch.zeros(())


@torch.no_grad()
def clip(weights: Iterable[Tensor], most: float) -> None:
    """Shorten a gradient that is longer than `most`."""
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    factor = (most / (length(gradients) + 1e-6)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(factor.to(gradient.device))


def apart(configured: dict[str, Any]) -> dict[str, Any]:
    """An optimiser's configuration with cut and whole weights in groups of their own: it steps a group at once."""
    former, scheduler = configured["optimizer"], configured["lr_scheduler"]
    groups = [
        {
            **{name: value for name, value in group.items() if name != "params"},
            "lr": group["initial_lr"],
            "params": some,
        }
        for group in former.param_groups
        for some in ([w for w in group["params"] if isinstance(w, DTensor) is cut] for cut in (True, False))
        if some
    ]
    optimiser = torch.optim.AdamW(groups, fused=True)  # whose groups say all the rest
    factor = scheduler["scheduler"].lr_lambdas[0]
    following = torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
    return {"optimizer": optimiser, "lr_scheduler": {**scheduler, "scheduler": following}}


def is_sharded(trainer: pl.Trainer) -> bool:
    """Whether this trainer's weights are cut."""
    return isinstance(trainer.strategy, Sharded)
