"""The toy world as pictures: from 137 points to somebody in a room, as a camera in front of them would see it.

Faces and hands are drawn a little larger than life, so that they can be read in pictures of 64 pixels.
"""

from sonar_slt.data.corpora.toy.rendering.look import Look, look
from sonar_slt.data.corpora.toy.rendering.picture import drawn
from sonar_slt.source_hash import source_hash

RENDERING = source_hash("data/corpora/toy/rendering")
"""A hash of the code that decides how a clip looks, beside the fingerprint of its points."""

__all__ = ["RENDERING", "Look", "drawn", "look"]
