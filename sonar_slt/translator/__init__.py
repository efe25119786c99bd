"""From text to text: sequence-to-sequence models that translate sentences, and a memory of what they said.

Hours of translation are done once: the memory is asked first, and a model is only loaded for what it lacks.
"""

from sonar_slt.translator.memory import TranslationMemory
from sonar_slt.translator.nllb import NllbTranslator

__all__ = ["NllbTranslator", "TranslationMemory"]
