"""The loss terms, each named, and their one weighted sum.

A term's module, its yaml, its weight key and its logged name are one word; weight 0 means that it is not computed.
"""

from sonar_slt.objective.ae import AeTerm
from sonar_slt.objective.ce import CeTerm
from sonar_slt.objective.cosine import CosineTerm
from sonar_slt.objective.denoising import DenoisingTerm
from sonar_slt.objective.mse import MseTerm
from sonar_slt.objective.objective import Landing, Objective, Term
from sonar_slt.objective.translation import TranslationTerm

__all__ = [
    "AeTerm",
    "CeTerm",
    "CosineTerm",
    "DenoisingTerm",
    "Landing",
    "MseTerm",
    "Objective",
    "Term",
    "TranslationTerm",
]
