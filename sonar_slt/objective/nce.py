"""Contrast: a clip should lie nearer to its own sentence than to others.

With an empty queue this is the paper's equation 10, symmetric over the batch. The queue is the reference tools': recent
sentences as further ones that a clip is not.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, distributed
from torch.nn import functional

from sonar_slt.errors import UserError
from sonar_slt.objective.objective import Landing, Term

MOST = 4096
"""Sentences that a queue holds at most, as in the reference tools."""

EQUAL = 1 - 1e-6
"""Cosine from which two sentences are one: the same sentence has the same vector, up to a rounding of its length."""


class NceTerm(Term):
    """Cross-entropy of finding the sentence of a clip, and with `symmetric` the clip of a sentence, by cosine.

    `queue` is how many sentences of earlier steps stand beside those of the batch. In training they do; held-out clips
    are compared with the sentences of their whole split and with nothing else, so that the value of two looks, or of
    two runs, means the same. An equal sentence is no wrong answer and is left out.
    """

    collective: ClassVar = True

    def __init__(
        self,
        *,
        weight: float,
        start: float = 0.0,
        ramp: float = 0.0,
        temperature: float = 0.07,
        queue: int = 0,
        symmetric: bool = True,
    ) -> None:
        super().__init__(weight=weight, start=start, ramp=ramp)
        if not temperature > 0:
            raise UserError(f"objective.nce.temperature={temperature}: expected a number above 0.")
        if not 0 <= queue <= MOST:
            raise UserError(f"objective.nce.queue={queue}: expected from 0 (none) to {MOST} sentences.")
        self.temperature, self.room, self.symmetric = temperature, queue, symmetric
        self.queue: Tensor  # (room, dim) vectors of length 1, the oldest overwritten first
        self.filled: Tensor  # () how many were ever kept

    def fit(self, *, dim: int) -> None:
        """Make room for the queue; it is saved with what learns, so that a run goes on with it."""
        if self.room:
            self.register_buffer("queue", torch.zeros(self.room, dim))
            self.register_buffer("filled", torch.zeros((), dtype=torch.long))

    def forward(self, landing: Landing) -> Tensor:
        """Each clip's loss (batch,)."""
        z, s = (functional.normalize(vectors.float(), dim=1) for vectors in (landing.z, landing.s))
        with torch.no_grad():
            own = torch.eye(len(s), dtype=torch.bool, device=s.device)
            twins = (s @ s.T > EQUAL) & ~own
        found = z @ s.T / self.temperature
        answers = torch.arange(len(s), device=s.device)
        logits = found.masked_fill(twins, float("-inf"))
        if self.training and self.room and (held := self._held()) is not None:
            others = (z @ held.T / self.temperature).masked_fill(s @ held.T > EQUAL, float("-inf"))
            logits = torch.cat([logits, others], dim=1)
        loss = functional.cross_entropy(logits, answers, reduction="none")
        if not self.symmetric:
            return loss
        back = functional.cross_entropy(found.T.masked_fill(twins, float("-inf")), answers, reduction="none")
        return (loss + back) / 2

    @torch.no_grad()
    def remember(self, landing: Landing) -> None:
        """Put the sentences of a step into the queue, those of all processes in the order of their ranks."""
        if not self.room:
            return
        fresh = gathered(functional.normalize(landing.s.detach().float(), dim=1))[-self.room :]
        places = (int(self.filled) + torch.arange(len(fresh), device=fresh.device)) % self.room
        self.queue[places] = fresh.to(self.queue)
        self.filled += len(fresh)

    def _held(self) -> Tensor | None:
        count = min(int(self.filled), self.room)
        return self.queue[:count].clone() if count else None  # `remember` writes there before the gradient is made


def gathered(rows: Tensor) -> Tensor:
    """The rows (some, dim) of every process, one process after the other; each may have another number of them."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return rows
    ranks = distributed.get_world_size()
    counts = [torch.zeros((), dtype=torch.long, device=rows.device) for _ in range(ranks)]
    distributed.all_gather(counts, torch.tensor(len(rows), device=rows.device))
    sizes = [int(count) for count in counts]
    padded = functional.pad(rows, (0, 0, 0, max(sizes) - len(rows)))
    everyone = [torch.empty_like(padded) for _ in range(ranks)]
    distributed.all_gather(everyone, padded)
    return torch.cat([theirs[:size] for theirs, size in zip(everyone, sizes, strict=True)])
