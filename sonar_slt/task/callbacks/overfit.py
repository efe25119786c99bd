"""The oldest test of a network: can it learn a handful of clips by heart? One that cannot will learn nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pytorch_lightning as pl
from rich.console import Console
from torch import Tensor, nn

from sonar_slt.augment import Augmentations
from sonar_slt.data.batches.stream import loader
from sonar_slt.errors import UserError
from sonar_slt.task.journal import journal_of

SAID = frozenset({"ce", "translation", "denoising"})
"""Terms that hang on the decoder, too."""

Terms = Mapping[str, tuple[float, float]]


class Overfit(pl.Callback):
    """The first batch again and again, to learn from and to look at, and in the end a verdict.

    Every term of the loss that is there from the first step must lose the part `fall` of its value, but for those
    `beside`, which say nothing of what is tested.
    """

    def __init__(self, *, fall: float = 0.8, beside: Sequence[str] = ("ae",)) -> None:
        if not 0 < fall < 1:
            raise UserError(f"callbacks.overfit.fall={fall}: expected a part above 0 and below 1.")
        self.fall, self.beside = fall, frozenset(beside)
        self.first: dict[str, Tensor] = {}
        self.last: dict[str, Tensor] = {}
        self.size, self.suspects = 0, ""

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Put the first batch in the place of all others, and everything away that would make it look different."""
        if trainer.log_every_n_steps != 1:  # type: ignore[attr-defined]
            raise UserError("callbacks.overfit compares the first step with the last: trainer.log_every_n_steps=1.")
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        data.make_ready()
        batch = data.batch(0)
        self.size, data.batch = len(batch), lambda number: batch
        if trainer.enable_validation:
            data.val_dataloader = partial(loader, data.batch, partial(iter, (0,)))
        for module in pl_module.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        if isinstance(getattr(pl_module, "augment", None), Augmentations):
            pl_module.augment = Augmentations({})  # type: ignore[assignment]
        if hasattr(pl_module, "label_smoothing"):
            pl_module.label_smoothing = 0.0  # type: ignore[assignment]  # a smoothed loss never comes near 0

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
        """Keep the terms of this step; they stay on their device until the verdict."""
        self.last = _terms(trainer.callback_metrics, pl_module)
        self.first = self.first or self.last
        if trainer.global_step >= trainer.max_steps:  # a look comes next, and lets the gradients go
            self.suspects = _suspects(pl_module)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Say whether it was learnt, and what was not."""
        terms = {name: (float(self.first[name]), float(self.last[name])) for name in self.first if name in self.last}
        judged = {name: values for name, values in terms.items() if name not in self.beside}
        short = {name: (first, last) for name, (first, last) in judged.items() if not last <= (1 - self.fall) * first}
        learnt = bool(judged) and not short
        told = f"{self.size} in {trainer.global_step} steps: {_fallen(judged if learnt else short)}."
        wanted = f"{self.fall:.0%} should be gone. {_blame(short)} {self.suspects}".rstrip()
        said = f"Learnt by heart, {told}" if learnt else f"Not learnt by heart, {told} {wanted}"
        Console(stderr=True, highlight=False).print(said, soft_wrap=True, markup=False)
        if journal := journal_of(trainer):
            numbers = {name: {"first": first, "last": last} for name, (first, last) in terms.items()}
            journal.run.update(metrics={"overfit": {"learnt": learnt, "said": said, "terms": numbers}})


def _terms(metrics: Mapping[str, Any], task: pl.LightningModule) -> dict[str, Tensor]:
    """The terms of a training step among what was logged."""
    named: Any = task.objective.terms  # type: ignore[union-attr]
    found = {name.removeprefix("train/"): value for name, value in metrics.items() if not name.startswith("dev/")}
    return {name: value.detach().clone() for name, value in found.items() if name in named}


def _fallen(terms: Terms) -> str:
    told = (
        f"{name} fell by {1 - last / first:.0%} ({first:.3g} → {last:.3g})" for name, (first, last) in terms.items()
    )
    return ", ".join(told) or "no term of the loss was measured"


def _blame(short: Terms) -> str:
    if short and short.keys() <= SAID:
        return "The vectors land, but the decoder does not say what it was taught."
    return "An encoder that cannot learn a handful by heart is broken."


def _suspects(task: pl.LightningModule) -> str:
    """Parts of the task that do not learn, and parts that no gradient reached in this step."""
    frozen = [name for name, part in task.named_children() if _idle(part)]
    unreached = [
        name.rpartition(".")[0]
        for name, weight in task.named_parameters()
        if weight.requires_grad and (weight.grad is None or not weight.grad.any())
    ]
    found = {"Nothing learns in": frozen, "No gradient reaches": list(dict.fromkeys(unreached))}
    return " ".join(f"{title} {_some(names)}." for title, names in found.items() if names)


def _idle(part: nn.Module) -> bool:
    """Whether it has weights, and none that learns."""
    learning = [weight.requires_grad for weight in part.parameters()]
    return bool(learning) and not any(learning)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
