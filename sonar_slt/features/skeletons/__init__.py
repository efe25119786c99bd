"""Skeletons out of pictures, by MediaPipe Holistic in an environment and in processes of its own.

What it wants of other packages cannot be had beside ours; pictures and points go through pipes.
"""

from sonar_slt.features.skeletons.holistic import Holistic
from sonar_slt.features.skeletons.mediapipe_holistic import MediapipeHolistic
from sonar_slt.features.skeletons.persons import person_faults

__all__ = ["Holistic", "MediapipeHolistic", "person_faults"]
