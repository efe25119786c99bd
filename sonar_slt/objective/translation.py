"""Cross-entropy of a translation, decoded from the vector of the source sentence."""

from __future__ import annotations

from torch import Tensor

from sonar_slt.objective.objective import Landing, Term


class TranslationTerm(Term):
    """How badly the decoder says the target sentence from the source sentence's vector."""

    def forward(self, landing: Landing) -> Tensor:
        """Mean negative log-likelihood per token of each sentence."""
        return landing.nll["translation"]
