"""The pictures of a folder, decoded one by one."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Generator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from sonar_slt.data.media.footage import LARGEST
from sonar_slt.data.media.frames import look
from sonar_slt.data.media.reel import Picture, Shot
from sonar_slt.data.unreadable import Unreadable

_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, Image.DecompressionBombError)
"""What Pillow raises of a picture that is not whole."""


def shots(files: Sequence[Path], size: tuple[int, int] | None) -> Generator[Shot, None, None]:
    """The pictures that are whole, by their place among the files; those of another size are brought to `size`."""
    for number, file in enumerate(files):
        try:
            picture = developed(file, size)
        except Unreadable:
            continue
        yield number, partial(np.asarray, picture)


def developed(file: Path, size: tuple[int, int] | None = None) -> Picture:
    """One picture as (height, width, 3): grey becomes grey RGB, of 16 bits the upper 8 count, alpha is left out."""
    look(file)  # says no before a decompression bomb is touched
    try:
        with Image.open(file) as stored:
            if stored.width * stored.height > LARGEST:
                raise Unreadable(f"'{file.name}' has more than {LARGEST:,} pixels.")
            picture = _rgb(stored)
            if size and picture.size != size:
                picture = picture.resize(size, Image.Resampling.BICUBIC)
            return np.array(picture)
    except _BROKEN as error:
        raise Unreadable(f"'{file.parent.name}/{file.name}' cannot be decoded: {error}.") from error


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):
        picture = Image.fromarray((np.asarray(picture).clip(0, 0xFFFF) >> 8).astype(np.uint8))
    if picture.mode == "P" and "transparency" in picture.info:
        picture = picture.convert("RGBA")  # Pillow warns on the direct way
    return picture.convert("RGB")
