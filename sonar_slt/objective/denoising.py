"""Cross-entropy of a sentence, decoded from the vector of a damaged copy of it."""

from __future__ import annotations

from torch import Tensor

from sonar_slt.objective.objective import Landing, Term


class DenoisingTerm(Term):
    """How badly the decoder restores a sentence from the vector of its noisy copy."""

    def forward(self, landing: Landing) -> Tensor:
        """Mean negative log-likelihood per token of each sentence."""
        return landing.nll["denoising"]
