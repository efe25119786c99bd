"""What a term sees, what a term is, and how terms become one loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor, nn

from sonar_slt.errors import UserError


@dataclass(frozen=True, slots=True)
class Landing:
    """Where a batch of students landed, and what the decoder makes of it."""

    z: Tensor  # (batch, dim) the students' vectors
    s: Tensor  # (batch, dim) the teacher's vectors: where they should have landed
    nll: Mapping[str, Tensor] = field(default_factory=dict)  # term name -> (batch,) mean token NLL per sentence


@dataclass(frozen=True, slots=True)
class Outcome:
    """The loss of a step; what is not finite is left out of it and told."""

    loss: Tensor | None  # None where nothing finite is left
    values: Mapping[str, Tensor]  # term -> its unweighted mean over the rows that are finite
    broken: Mapping[str, tuple[int, ...]]  # term -> the rows for which it is not


class Weight(nn.Module):
    """A number that parts of the loss are multiplied with.

    It grows from 0 at `start` to full over `ramp`; both are fractions of the training, and 0 is at once.
    """

    def __init__(self, *, weight: float, start: float = 0.0, ramp: float = 0.0) -> None:
        super().__init__()
        if not 0 <= weight < float("inf"):
            raise UserError(f"A loss weight of {weight}: weights are 0 (not computed) or positive.")
        if not (0 <= start <= 1 and 0 <= ramp <= 1):
            raise UserError(f"A loss weight with start={start} ramp={ramp}: both are fractions of the training.")
        self.weight, self.start, self.ramp = weight, start, ramp

    def weight_at(self, progress: float) -> float:
        """The weight when the fraction `progress` of the training is done."""
        if progress < self.start:
            return 0.0
        if self.ramp == 0:
            return self.weight
        return self.weight * min(1.0, (progress - self.start) / self.ramp)


class Group(Weight):
    """A weight that several terms share beside their own."""

    terms: ClassVar[tuple[str, ...]]


class Term(Weight, ABC):
    """One named part of the loss."""

    collective: ClassVar[bool] = False
    """Whether a clip's value hangs on which others stand beside it; of held-out clips these are the whole split."""

    def fit(self, *, dim: int) -> None:
        """Make room for what is kept of vectors of a size; most terms keep nothing."""

    @abstractmethod
    def forward(self, landing: Landing) -> Tensor:
        """The unweighted value of the term for each row (rows,)."""

    def remember(self, landing: Landing) -> None:
        """Keep what later steps need of this one; most terms need nothing."""


class Objective(nn.Module):
    """The weighted sum of named terms."""

    def __init__(self, terms: Mapping[str, Weight]) -> None:
        super().__init__()
        self.terms = nn.ModuleDict({name: term for name, term in terms.items() if isinstance(term, Term)})
        self.groups = nn.ModuleDict({name: group for name, group in terms.items() if isinstance(group, Group)})
        if not any(self.active(step / 100) for step in range(101)):
            raise UserError("Every loss weight is 0: nothing would be trained. Give one `objective.<term>.weight`.")

    def fit(self, *, dim: int) -> None:
        """Make room for what terms keep of vectors of a size."""
        for name in self.terms:
            self._term(name).fit(dim=dim)

    def active(self, progress: float = 1.0) -> dict[str, float]:
        """The terms that count now, with their weights."""
        weights = {name: self._weight(name, progress) for name in self.terms}
        return {name: weight for name, weight in weights.items() if weight > 0}

    def forward(self, landing: Landing, progress: float = 1.0) -> Outcome:
        """The loss of one step."""
        return self.weighed(self.rows(landing, progress), progress)

    def rows(self, landing: Landing, progress: float = 1.0, *, collective: bool | None = None) -> dict[str, Tensor]:
        """The unweighted value (rows,) of every active term, of the collective ones or of the others if asked."""
        named = {name: self._term(name) for name in self.active(progress)}
        return {name: term(landing) for name, term in named.items() if collective in (None, term.collective)}

    def weighed(self, rows: Mapping[str, Tensor], progress: float = 1.0) -> Outcome:
        """One loss of the values of active terms; a row that is not finite counts in no mean, and in no gradient."""
        weights = self.active(progress)
        means = {name: values.mean() for name, values in rows.items()}
        loss = _sum(weights, means)
        if loss is None or bool(loss.isfinite()):
            return Outcome(loss, {name: mean.detach() for name, mean in means.items()}, {})
        finite = {name: values.isfinite() for name, values in rows.items()}
        means = {name: values[finite[name]].mean() for name, values in rows.items() if finite[name].any()}
        broken = {name: tuple((~kept).nonzero().flatten().tolist()) for name, kept in finite.items() if not kept.all()}
        return Outcome(_sum(weights, means), {name: mean.detach() for name, mean in means.items()}, broken)

    def remember(self, landing: Landing, progress: float = 1.0) -> None:
        """Keep what active terms need of a training step that was taken."""
        for name in self.active(progress):
            self._term(name).remember(landing)

    def _weight(self, name: str, progress: float) -> float:
        weight = self._term(name).weight_at(progress)
        for group in self.groups.values():
            assert isinstance(group, Group)
            if name in group.terms:
                weight *= group.weight_at(progress)
        return weight

    def _term(self, name: str) -> Term:
        term = self.terms[name]
        assert isinstance(term, Term)
        return term


def _sum(weights: Mapping[str, float], means: Mapping[str, Tensor]) -> Tensor | None:
    return torch.stack([weights[name] * mean for name, mean in means.items()]).sum() if means else None
