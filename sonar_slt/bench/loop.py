"""What the framework adds to a training step: a Lightning training with its logs and records, against a bare loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from sonar_slt.bench.timing import Comparison, seconds
from sonar_slt.data.batch import ClipBatch
from sonar_slt.objective import Landing
from sonar_slt.task.sign import SignTranslation


def bench_loop(task: SignTranslation, fit: Callable[[], Any], *, steps: int) -> Comparison:
    """`fit` trains for `steps` steps; then as many batches go through a plain loop, once: the ratio has no spread."""
    framework = seconds(fit) / steps
    bare = seconds(lambda: _bare(task, steps)) / steps
    return Comparison(
        "training step with Lightning, logs and records", bare, framework, bare / framework, note="one pass"
    )


def _bare(task: SignTranslation, steps: int) -> None:
    step = stepping(task)
    for number in range(steps):
        step(task.data.batch(number).to(task.device))


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
