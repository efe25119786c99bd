"""Modality to vector: every adapter turns the padded tracks of some clips into one vector per clip.

An adapter knows neither losses nor files. Padding never changes its result, and the order of the frames does.

    keypoint  spamo  visual  multimodal  reference     the adapters, one module and one yaml each
    adapter                                            what all of them are, and how they begin and end
    points  steps  eye  learning  moments              points and pictures to rows, and when each row is of
    fusion  shrinking  attention  context/  pooling/   rows to states that know of each other, and to one vector
"""

from sonar_slt.adapter.adapter import Adapter, Measure
from sonar_slt.adapter.eye import Eye
from sonar_slt.adapter.keypoint import KeypointAdapter
from sonar_slt.adapter.multimodal import MultimodalAdapter
from sonar_slt.adapter.reference import ReferenceAdapter
from sonar_slt.adapter.spamo import SpamoAdapter
from sonar_slt.adapter.steps import PointSteps
from sonar_slt.adapter.visual import VisualAdapter

__all__ = [
    "Adapter",
    "Eye",
    "KeypointAdapter",
    "Measure",
    "MultimodalAdapter",
    "PointSteps",
    "ReferenceAdapter",
    "SpamoAdapter",
    "VisualAdapter",
]
