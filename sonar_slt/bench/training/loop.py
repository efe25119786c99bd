"""A training step of plain torch, for what is measured beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from sonar_slt.data.batches.batch import ClipBatch
from sonar_slt.objective import Landing
from sonar_slt.task.sign import SignTranslation


def stepping(task: SignTranslation) -> Callable[[ClipBatch], None]:
    """A training step of plain torch, ready to be called with batch after batch."""
    learning = [weight for weight in task.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW(learning, lr=1e-3, fused=True)
    task.train()

    def step(batch: ClipBatch) -> None:
        z = task(batch.tracks)
        loss = task.objective(Landing(z, batch.target.vectors, task.nll(batch, z))).loss
        assert loss is not None, "nothing finite is left"
        learnt(loss, learning, optimiser)

    return step


def learnt(loss: Tensor, learning: Sequence[Tensor], optimiser: torch.optim.Optimizer) -> None:
    """Go one step down the loss."""
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(learning, 1.0)
    optimiser.step()
