"""The angle between the student's vector and the teacher's."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from sonar_slt.objective.objective import Landing, Term


class CosineTerm(Term):
    """One minus the cosine."""

    def forward(self, landing: Landing) -> Tensor:
        """0 where a vector points where the teacher's does, 2 where it points away."""
        return 1 - functional.cosine_similarity(landing.z, landing.s)
