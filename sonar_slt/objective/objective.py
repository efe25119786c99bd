"""What a term sees, what a term is, and how terms become one loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from sonar_slt.errors import UserError


@dataclass(frozen=True, slots=True)
class Landing:
    """Where a batch of students landed, and what the decoder makes of it."""

    z: Tensor  # (batch, dim) the students' vectors
    s: Tensor  # (batch, dim) the teacher's vectors: where they should have landed
    nll: Mapping[str, Tensor] = field(default_factory=dict)  # term name -> (batch,) mean token NLL per sentence


class Term(nn.Module, ABC):
    """One named part of the loss.

    Its weight grows from 0 at `start` to full over `ramp`; both are fractions of the training, and 0 is at once.
    """

    def __init__(self, *, weight: float, start: float = 0.0, ramp: float = 0.0) -> None:
        super().__init__()
        if weight < 0:
            raise UserError(f"A loss weight of {weight}: weights are 0 (not computed) or positive.")
        self.weight, self.start, self.ramp = weight, start, ramp

    def weight_at(self, progress: float) -> float:
        """The weight when the fraction `progress` of the training is done."""
        if progress < self.start:
            return 0.0
        if self.ramp == 0:
            return self.weight
        return self.weight * min(1.0, (progress - self.start) / self.ramp)

    @abstractmethod
    def forward(self, landing: Landing) -> Tensor:
        """The unweighted value of the term, a scalar."""


class Objective(nn.Module):
    """The weighted sum of named terms."""

    def __init__(self, terms: Mapping[str, Term]) -> None:
        super().__init__()
        if not any(term.weight for term in terms.values()):
            raise UserError("Every loss weight is 0: nothing would be trained. Give one `objective.<term>.weight`.")
        self.terms = nn.ModuleDict(dict(terms))

    def active(self, progress: float = 1.0) -> dict[str, float]:
        """The terms that count now, with their weights."""
        weights = {name: self._term(name).weight_at(progress) for name in self.terms}
        return {name: weight for name, weight in weights.items() if weight > 0}

    def forward(self, landing: Landing, progress: float = 1.0) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss, and every active term's unweighted value by name."""
        weights = self.active(progress)
        values: dict[str, Tensor] = {name: self._term(name)(landing) for name in weights}
        loss = torch.stack([weights[name] * value for name, value in values.items()]).sum()
        return loss, {name: value.detach() for name, value in values.items()}

    def _term(self, name: str) -> Term:
        term = self.terms[name]
        assert isinstance(term, Term)
        return term
