"""Cross-entropy of the target sentence, decoded from the student's vector."""

from __future__ import annotations

from torch import Tensor

from sonar_slt.objective.objective import Landing, Term


class CeTerm(Term):
    """How badly the decoder says the target sentence from where the student landed."""

    def forward(self, landing: Landing) -> Tensor:
        """Mean negative log-likelihood per token of each sentence."""
        return landing.nll["ce"]
