"""Auto-encoding: cross-entropy of a sentence, decoded from the teacher's vector of that same sentence."""

from __future__ import annotations

from torch import Tensor

from sonar_slt.objective.objective import Landing, Term


class AeTerm(Term):
    """How badly the adapted decoder still says what the teacher's vector means: an anchor against drift."""

    def forward(self, landing: Landing) -> Tensor:
        """Mean negative log-likelihood per token of each sentence."""
        return landing.nll["ae"]
