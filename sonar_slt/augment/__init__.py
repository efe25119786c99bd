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
from sonar_slt.augment.lost_hand import LostHand
from sonar_slt.augment.mirror import Mirror
from sonar_slt.augment.noise import Noise
from sonar_slt.augment.rotation import Rotation
from sonar_slt.augment.scale import Scale
from sonar_slt.augment.time_warp import TimeWarp

__all__ = [
    "Augmentation",
    "Augmentations",
    "Blur",
    "Colour",
    "Crop",
    "FrameDropout",
    "FrameMask",
    "FrameShuffle",
    "LostHand",
    "Mirror",
    "Noise",
    "Rotation",
    "Scale",
    "TimeWarp",
]
