"""The room behind a signer."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from sonar_slt.data.corpora.toy.rendering.look import Look, mixed


@lru_cache(maxsize=8)
def wall(look: Look, size: tuple[int, int]) -> Image.Image:
    """The picture without anybody in it; made once a clip, so copy it before drawing."""
    image = _PAINTERS[look.ground](look, size, np.random.default_rng(look.seed))
    falling = np.linspace(1.06, 0.9, size[1])[:, None, None]  # light comes from above
    return Image.fromarray(np.clip(np.asarray(image) * falling, 0, 255).astype(np.uint8))


def _plain(look: Look, size: tuple[int, int], random: np.random.Generator) -> Image.Image:
    return Image.new("RGB", size, look.wall)


def _gradient(look: Look, size: tuple[int, int], random: np.random.Generator) -> Image.Image:
    corners = np.array([look.wall, look.other], dtype=np.uint8)[random.permutation([0, 1, 0, 1])]
    return Image.fromarray(corners.reshape(2, 2, 3)).resize(size, Image.Resampling.BILINEAR)


def _shelves(look: Look, size: tuple[int, int], random: np.random.Generator) -> Image.Image:
    """Boards with things on them, on one side or both."""
    image = Image.new("RGB", size, look.wall)
    draw, (width, height) = ImageDraw.Draw(image), size
    for row in range(4):
        floor, x = (row + 0.9) * height / 4, -random.uniform(0.0, 0.1) * width
        while x < width:
            thick, tall = random.uniform(0.04, 0.2) * width, random.uniform(0.3, 0.8) * height / 4
            if random.random() < 0.7:
                tone = mixed(look.other, look.wall, random.uniform(-0.4, 0.8))
                draw.rectangle((x, floor - tall, x + thick, floor), fill=tone)
            x += thick
        draw.rectangle((0, floor, width, floor + height / 60), fill=mixed(look.other, (40, 30, 25), 0.4))
    return image


def _noise(look: Look, size: tuple[int, int], random: np.random.Generator) -> Image.Image:
    """Blurred blotches, as of a garden behind glass."""
    share = random.uniform(-0.2, 1.2, (7, 7, 1))
    tones = np.clip(np.array(look.wall) * (1.0 - share) + np.array(look.other) * share, 0, 255)
    return Image.fromarray(tones.astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)


_PAINTERS = {"plain": _plain, "gradient": _gradient, "shelves": _shelves, "noise": _noise}
