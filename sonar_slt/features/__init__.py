"""Frozen visual backbones, and the job that takes a corpus through one of them: pictures to vectors, frame by frame.

A backbone says how it wants its pictures and which frames make an item; it knows neither files nor corpora.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sonar_slt.features.picture import Picture
from sonar_slt.features.windows import windows

if TYPE_CHECKING:
    from sonar_slt.features.backbone import Backbone
    from sonar_slt.features.clip_s2 import ClipS2
    from sonar_slt.features.patch_vit import PatchVit
    from sonar_slt.features.pictures import Pictures
    from sonar_slt.features.spamo_files import SpamoFiles
    from sonar_slt.features.videomae import Videomae
    from sonar_slt.features.vit import Vit

__all__ = ["Backbone", "ClipS2", "PatchVit", "Picture", "Pictures", "SpamoFiles", "Videomae", "Vit", "windows"]

_HOMES = {
    **{"Backbone": "backbone", "ClipS2": "clip_s2", "PatchVit": "patch_vit", "Pictures": "pictures"},
    **{"SpamoFiles": "spamo_files", "Videomae": "videomae", "Vit": "vit"},
}


def __getattr__(name: str) -> Any:
    """Public names are imported when they are first asked for: processes that read pictures need no torch."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
