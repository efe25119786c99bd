"""The sentence space: text to vectors, vectors to text, and the student decoder that adapts to a new modality.

Everything else in the house is a student of this room; nothing here knows where a vector came from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonar_slt.lazy import lazily

if TYPE_CHECKING:
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

if not TYPE_CHECKING:  # transformers and peft take seconds to import, and hardly any file of this room needs them
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "BridgedStudent": "sonar_slt.space.bridged",
            "Shortlist": "sonar_slt.space.generation",
            **dict.fromkeys(["AttentionPooling", "EosPooling", "MaxPooling", "MeanPooling"], "sonar_slt.space.pooling"),
            "SentenceSpace": "sonar_slt.space.sentence_space",
            **dict.fromkeys(["LoraStudent", "Student"], "sonar_slt.space.student"),
        },
    )
