"""What a training begins with beside random weights: parts of another one, some of which may stay as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytorch_lightning as pl
import torch
from torch import Tensor

from sonar_slt.errors import UserError
from sonar_slt.task.checkpoint import kept, learnt


def freeze_parts(task: pl.LightningModule, parts: Sequence[str]) -> frozenset[str]:
    """Let nothing learn in the parts that are named; the names of the weights that would have learnt."""
    found: set[str] = set()
    for part in parts:
        names = [name for name, weight in task.named_parameters() if weight.requires_grad and within(name, part)]
        if not names and not any(within(name, part) for name in found):
            raise UserError(f"task.frozen names {part}, in which nothing would learn: {_parts(task)}.")
        for name in names:
            task.get_parameter(name).requires_grad_(False)
        found.update(names)
    return frozenset(found)


def start_from(task: pl.LightningModule, source: Path, parts: Sequence[str], *, said: str) -> list[str]:
    """Take over the weights of the parts that are named from a checkpoint; the names of those that were taken.

    `said` names the checkpoint in an error.
    """
    return take(task, learnt(torch.load(source, map_location="cpu", weights_only=True)), parts, said=said)


def take(task: pl.LightningModule, state: Mapping[str, Tensor], parts: Sequence[str], *, said: str) -> list[str]:
    """Put weights into the parts that are named; each part must be there whole, in the shapes that it has here."""
    own, wanted = task.state_dict(), kept(task)
    taken: list[str] = []
    for part in parts:
        names = [name for name in own if name in wanted and within(name, part)]
        if not names:
            raise UserError(f"init_parts names {part}, which this training does not have: {_parts(task)}.")
        if lacking := [name for name in names if name not in state]:
            raise UserError(
                f"{said} has no {lacking[0]}, so that init_parts={part} cannot be taken from it: was it trained with "
                f"another adapter or student? {_told(state)}"
            )
        for name in names:
            if state[name].shape != own[name].shape:
                raise UserError(
                    f"{said} has {name} as {tuple(state[name].shape)}, here it is {tuple(own[name].shape)}: the sizes "
                    "of the adapter, the student or the corpus' layout differ."
                )
        taken += names
    task.load_state_dict({name: state[name] for name in taken}, strict=False)
    return taken


def within(name: str, part: str) -> bool:
    """Whether a weight's name lies in a part."""
    return name == part or name.startswith(f"{part}.")


def _parts(task: pl.LightningModule) -> str:
    names = dict.fromkeys(".".join(name.split(".")[:2]) for name in kept(task))
    return f"there are {', '.join(dict.fromkeys(name.split('.')[0] for name in names))}, and in them {', '.join(names)}"


def _told(state: Mapping[str, Tensor]) -> str:
    parts = dict.fromkeys(".".join(name.split(".")[:2]) for name in state)
    return f"It has {', '.join(list(parts)[:8])}{', …' if len(parts) > 8 else ''}."
