"""The angle between the student's vector and the teacher's."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from sonar_slt.objective.objective import Landing, Term


class CosineTerm(Term):
    """One minus the cosine, averaged over the batch."""

    def forward(self, landing: Landing) -> Tensor:
        """0 when every vector points where the teacher's does, 2 when all point away."""
        return 1 - functional.cosine_similarity(landing.z, landing.s).mean()
