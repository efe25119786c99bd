"""Modality to vector: every adapter turns the padded tracks of some clips into one vector per clip.

An adapter knows neither losses nor files. Padding never changes its result, and the order of the frames does.
"""

from sonar_slt.adapter.adapter import Adapter, Measure
from sonar_slt.adapter.keypoint import KeypointAdapter

__all__ = ["Adapter", "KeypointAdapter", "Measure"]
