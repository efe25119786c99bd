"""Squared distance between the student's vector and the teacher's."""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from torch.nn import functional

from sonar_slt.errors import UserError
from sonar_slt.objective.objective import Landing, Term


class MseTerm(Term):
    """Squared error; `reduction` says what becomes of the dimensions: their `mean`, or their `sum`.

    The paper's weight of 7000 belongs to `mean`: sentence vectors are small, and their mean square is about 1e-5.
    """

    def __init__(
        self, *, weight: float, start: float = 0.0, ramp: float = 0.0, reduction: Literal["mean", "sum"] = "mean"
    ) -> None:
        super().__init__(weight=weight, start=start, ramp=ramp)
        if reduction not in ("mean", "sum"):
            raise UserError(f"Unknown reduction '{reduction}' of objective.mse: choose mean or sum.")
        self.reduction = reduction

    def forward(self, landing: Landing) -> Tensor:
        """The squared error of each vector, a mean over its dimensions unless they are summed."""
        errors = functional.mse_loss(landing.z, landing.s, reduction="none")
        return errors.sum(dim=1) if self.reduction == "sum" else errors.mean(dim=1)
