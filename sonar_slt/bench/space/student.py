"""A training step of the student decoder with both of its losses, against the way of the reference tools.

The plain way keeps two copies of the model, encodes the teacher's vectors at every step, decodes the student's and the
teacher's vectors in two padded passes, and keeps the scores of the whole vocabulary. Ours keeps the decoder alone,
reads the vectors from the cache, and decodes both in one pass without padding.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from sonar_slt.bench.space.likelihood import plain_loss, weights_met
from sonar_slt.bench.space.sentences import random_batch
from sonar_slt.bench.timing import Machine, Ways, Work
from sonar_slt.space import LoraStudent, SentenceSpace
from sonar_slt.space.likelihood import sets_nll

Step = Callable[[], float]


def training(student: LoraStudent, machine: Machine, *, count: int) -> Ways:
    """Both ways over the same student, forward, backward and an AdamW step."""
    teacher = student.space  # its encoder has no adapters, so that one copy times as two would
    batch = random_batch(teacher, count)
    with torch.no_grad():
        cached = teacher.embed(batch)
    # two sets of vectors, forward and backward to the input
    limit = machine.limit(Work(8.0 * int(batch.mask.sum()) * weights_met(teacher)))
    plain, ours = plain_step(teacher, student, count), our_step(student, cached, count)
    return Ways(f"training step, {count} sentences", plain, ours, limit)


def plain_step(teacher: SentenceSpace, student: LoraStudent, count: int) -> Step:
    """One step of the plain way, ready to be called again and again; it gives the loss."""
    tokens, optimiser = random_batch(teacher, count), _optimiser(student)
    landed = _landed(teacher, count)

    def step() -> float:
        with torch.no_grad(), student.as_teacher():
            s = teacher.embed(tokens).to(landed.dtype)
        loss = functional.mse_loss(landed, s)
        for vectors in (landed, s):
            loss = loss + plain_loss(student.space, vectors, tokens)
        return _learnt(loss, optimiser)

    return step


def our_step(student: LoraStudent, cached: Tensor, count: int) -> Step:
    """One step of ours, with the teacher's vectors (count, dim) as the cache gives them."""
    tokens, optimiser = random_batch(student.space, count), _optimiser(student)
    landed = _landed(student.space, count)
    cached = cached.to(landed.dtype)

    def step() -> float:
        nll = sets_nll(student.space.model, torch.stack([landed, cached]), tokens)
        return _learnt(functional.mse_loss(landed, cached) + nll.mean(dim=1).sum(), optimiser)

    return step


def _landed(space: SentenceSpace, count: int) -> Tensor:
    """What an adapter would give: vectors that want a gradient."""
    return torch.randn(count, space.dim, generator=torch.Generator().manual_seed(1)).to(space.device).requires_grad_()


def _optimiser(student: LoraStudent) -> torch.optim.Optimizer:
    return torch.optim.AdamW([w for w in student.parameters() if w.requires_grad], lr=1e-4)


def _learnt(loss: Tensor, optimiser: torch.optim.Optimizer) -> float:
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    return float(loss.detach())
