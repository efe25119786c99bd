"""The layouts by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sonar_slt.data.layout import Layout
from sonar_slt.data.layouts.openpose import OPENPOSE_137
from sonar_slt.errors import UserError

LAYOUTS: Mapping[str, Layout] = MappingProxyType({layout.name: layout for layout in (OPENPOSE_137,)})
"""Every layout by its name."""


def named(name: str) -> Layout:
    """The layout of that name."""
    if name not in LAYOUTS:
        raise UserError(f"There is no layout {name!r}; there are {', '.join(LAYOUTS)}.")
    return LAYOUTS[name]


__all__ = ["LAYOUTS", "OPENPOSE_137", "named"]
