"""AdamW over the weights that learn, with one learning rate per named part and a schedule over steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
import torch

from sonar_slt.errors import UserError
from sonar_slt.task.schedule import Schedule

BETAS = (0.9, 0.98)
"""Of SONAR's own training."""


def adamw(
    module: pl.LightningModule,
    *,
    schedule: Schedule,
    rates: Mapping[str, float],
    weight_decay: float,
) -> dict[str, Any]:
    """Lightning's optimiser configuration: `rates` maps a name prefix to its learning rate, the longest match wins.

    Vectors (biases, norms) are not decayed.
    """
    if wrong := [rate for rate in (*rates.values(), weight_decay) if not 0 <= rate < float("inf")]:
        raise UserError(f"A learning rate or weight decay of {wrong[0]}: expected a number from 0 on.")
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for name, weight in module.named_parameters():
        if weight.requires_grad:
            prefix = max((prefix for prefix in rates if name.startswith(prefix)), key=len)
            decay = weight_decay if weight.ndim > 1 else 0.0
            groups.setdefault((rates[prefix], decay), []).append(weight)
    if not groups:
        raise UserError("Nothing is left that learns: task.frozen and student=frozen leave no weight to train.")
    optimiser = torch.optim.AdamW(
        [{"params": weights, "lr": rate, "weight_decay": decay} for (rate, decay), weights in groups.items()],
        betas=BETAS,
        fused=True,
    )
    total = int(module.trainer.estimated_stepping_batches)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: schedule.factor(step, total))
    return {"optimizer": optimiser, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}
