"""From the states of a clip's steps to a few that stand for the whole clip.

An adapter's head brings each of the few to the space, and their mean is the clip's vector.
"""

from sonar_slt.adapter.pooling.attention import AttentionPool
from sonar_slt.adapter.pooling.mean import MeanPool
from sonar_slt.adapter.pooling.pooling import Pooling
from sonar_slt.adapter.pooling.shallow_decoder import ShallowDecoderPool

__all__ = ["AttentionPool", "MeanPool", "Pooling", "ShallowDecoderPool"]
