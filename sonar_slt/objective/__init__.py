"""The loss terms, each named, and their one weighted sum.

A term's module, its yaml, its weight key and its logged name are one word; weight 0 means that it is not computed.
"""

from sonar_slt.objective.ae import AeTerm
from sonar_slt.objective.ce import CeTerm
from sonar_slt.objective.cosine import CosineTerm
from sonar_slt.objective.denoising import DenoisingTerm
from sonar_slt.objective.mse import MseTerm
from sonar_slt.objective.nce import NceTerm
from sonar_slt.objective.objective import Group, Landing, Objective, Outcome, Term, Weight
from sonar_slt.objective.semantic import SemanticGroup
from sonar_slt.objective.translation import TranslationTerm

__all__ = [
    "AeTerm",
    "CeTerm",
    "CosineTerm",
    "DenoisingTerm",
    "Group",
    "Landing",
    "MseTerm",
    "NceTerm",
    "Objective",
    "Outcome",
    "SemanticGroup",
    "Term",
    "TranslationTerm",
    "Weight",
]
