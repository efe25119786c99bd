"""Frozen visual backbones, and the job that takes a corpus through one of them: pictures to vectors, frame by frame.

A backbone says how it wants its pictures and which frames make an item; it knows neither files nor corpora.
"""

from sonar_slt.features.backbone import Backbone
from sonar_slt.features.clip_s2 import ClipS2
from sonar_slt.features.picture import Picture
from sonar_slt.features.pictures import Pictures
from sonar_slt.features.spamo_files import SpamoFiles
from sonar_slt.features.videomae import Videomae
from sonar_slt.features.vit import Vit
from sonar_slt.features.windows import windows

__all__ = ["Backbone", "ClipS2", "Picture", "Pictures", "SpamoFiles", "Videomae", "Vit", "windows"]
