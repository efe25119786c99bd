"""Clips of pictures small enough to travel inside a web page: all frames side by side in one JPEG.

They are fewer a second than the clip has; a page draws one frame after the other from the strip.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 112
"""Pixels of a frame's longer side."""
QUALITY = 55
ACROSS = 16
"""Frames in a row of the strip: what is wider than a browser's largest picture could not be drawn."""
LONGEST = 400
"""Frames of a strip; a longer clip is shown with fewer a second."""


def filmstrip(frames: Sequence[NDArray[np.uint8]], fps: float, *, rate: float) -> dict[str, Any]:
    """Pictures (height, width, 3) of one clip, `rate` of them a second, for a page.

    `data` is base64 of a JPEG with `columns` frames a row.
    """
    seconds = len(frames) / fps
    number = min(LONGEST, max(1, round(seconds * rate)))
    chosen = [frames[i] for i in np.linspace(0, len(frames) - 1, number).round().astype(int)]
    height, width = chosen[0].shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    columns = min(ACROSS, number)
    strip = Image.new("RGB", (size[0] * columns, size[1] * -(-number // columns)))
    for i, frame in enumerate(chosen):
        picture = Image.fromarray(frame).convert("RGB").resize(size, Image.Resampling.BILINEAR)
        strip.paste(picture, (size[0] * (i % columns), size[1] * (i // columns)))
    stream = io.BytesIO()
    strip.save(stream, "JPEG", quality=QUALITY)
    return {
        "kind": "film", "fps": number / seconds, "frames": number, "width": size[0], "height": size[1],
        "columns": columns, "data": base64.b64encode(stream.getvalue()).decode("ascii"),
    }  # fmt: skip
