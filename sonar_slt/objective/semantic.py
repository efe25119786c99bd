"""The semantic half of the loss: how much it counts beside what the decoder says."""

from __future__ import annotations

from typing import ClassVar

from sonar_slt.objective.objective import Group


class SemanticGroup(Group):
    """One factor for both distances to the teacher's vector: the paper's λ_sem."""

    terms: ClassVar = ("mse", "cosine")
