"""What happens to a clip, per step of a training: each augmentation changes some tracks, by chance but not by accident.

What is drawn is a function of the seed and the step, so a run that goes on sees what it would have seen. An evaluation
sees clips as they are.
"""

from sonar_slt.augment.augmentation import Augmentation, Augmentations
from sonar_slt.augment.blur import Blur
from sonar_slt.augment.colour import Colour
from sonar_slt.augment.crop import Crop
from sonar_slt.augment.frame_dropout import FrameDropout
from sonar_slt.augment.frame_mask import FrameMask
from sonar_slt.augment.frame_shuffle import FrameShuffle

__all__ = [
    "Augmentation",
    "Augmentations",
    "Blur",
    "Colour",
    "Crop",
    "FrameDropout",
    "FrameMask",
    "FrameShuffle",
]
