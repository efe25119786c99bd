"""Preparing a corpus: from what a reader says of a release to a manifest, a clip store and a list of faults.

How clips are made alike and which faults leave a clip out is decided here, once for all corpora.
"""

from sonar_slt.data.preparation.settings import Preparation

__all__ = ["Preparation"]
