"""The sentence space: text to vectors, vectors to text, and the student decoder that adapts to a new modality.

Everything else in the house is a student of this room; nothing here knows where a vector came from.
"""

from sonar_slt.space.bridged import BridgedStudent
from sonar_slt.space.generation import Shortlist
from sonar_slt.space.pooling import AttentionPooling, EosPooling, MaxPooling, MeanPooling
from sonar_slt.space.sentence_space import SentenceSpace
from sonar_slt.space.student import LoraStudent, Student

__all__ = [
    "AttentionPooling",
    "BridgedStudent",
    "EosPooling",
    "LoraStudent",
    "MaxPooling",
    "MeanPooling",
    "SentenceSpace",
    "Shortlist",
    "Student",
]
