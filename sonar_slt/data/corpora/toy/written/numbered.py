"""Clips as folders of numbered pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sonar_slt.data.corpora.toy.written.clip import Clip, Draft
from sonar_slt.data.corpora.toy.written.drawing import picture


def write_pictures(
    draft: Draft, clip: Clip, folder: Path, name: str, size: tuple[int, int], *, first: int = 0, **how: Any
) -> None:
    """A picture for each frame, named by its number from `first` on, such as "images{:04d}.png"."""
    folder.mkdir(parents=True)
    clip.pictures = folder
    for number, points in enumerate(draft.points(clip)):
        picture(points, size, clip.signer).save(folder / name.format(first + number), **how)
    draft.advance(1)
