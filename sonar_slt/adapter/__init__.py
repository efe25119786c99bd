"""Modality to vector: every adapter turns a padded batch of clips into one vector per clip.

An adapter knows neither losses nor files. Padding never changes its result, and the order of the frames does.
"""

from sonar_slt.adapter.keypoint import KeypointAdapter

__all__ = ["KeypointAdapter"]
