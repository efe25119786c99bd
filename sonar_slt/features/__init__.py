"""Frozen visual backbones, and the job that takes a corpus through one of them: pictures to vectors, frame by frame.

A backbone says how it wants its pictures and which frames make an item; it knows neither files nor corpora.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonar_slt.features.picture import Picture
from sonar_slt.features.windows import windows
from sonar_slt.lazy import lazily

if TYPE_CHECKING:
    from sonar_slt.features.backbones.backbone import Backbone
    from sonar_slt.features.backbones.clip_s2 import ClipS2
    from sonar_slt.features.backbones.patch_vit import PatchVit
    from sonar_slt.features.backbones.videomae import Videomae
    from sonar_slt.features.backbones.vit import Vit
    from sonar_slt.features.pictures import Pictures
    from sonar_slt.features.spamo_files import SpamoFiles

__all__ = ["Backbone", "ClipS2", "PatchVit", "Picture", "Pictures", "SpamoFiles", "Videomae", "Vit", "windows"]

_HOMES = {
    **{"Backbone": "backbones.backbone", "ClipS2": "backbones.clip_s2", "PatchVit": "backbones.patch_vit"},
    **{"Pictures": "pictures", "SpamoFiles": "spamo_files", "Videomae": "backbones.videomae", "Vit": "backbones.vit"},
}

if not TYPE_CHECKING:  # processes that read pictures need no torch
    __getattr__, __dir__ = lazily(__name__, {name: f"{__name__}.{home}" for name, home in _HOMES.items()})
