"""How a clip looks: who is in it and what they wear, the room behind them, the light, and how the camera stands."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from typing import Literal

import numpy as np

Colour = tuple[int, int, int]
Ground = Literal["plain", "gradient", "shelves", "noise"]

BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)
GROUNDS: tuple[Ground, ...] = ("plain", "gradient", "shelves", "noise")
_SKINS = ((236, 196, 168), (198, 146, 108), (224, 176, 140), (126, 82, 58), (242, 208, 186), (168, 114, 80))
_HAIRS = ((58, 38, 28), (24, 20, 22), (164, 118, 62), (22, 18, 18), (140, 62, 34), (112, 108, 106), (84, 56, 38))
_HUES = ((0.6, 0.5, 0.45), (0.98, 0.6, 0.5), (0.4, 0.5, 0.38), (0.0, 0.02, 0.2), (0.75, 0.4, 0.48), (0.5, 0.6, 0.42),
         (0.62, 0.55, 0.25), (0.87, 0.5, 0.4))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """One signer in one clip. All colours are lit already."""

    skin: Colour
    hair: Colour
    cloth: Colour
    sleeve: bool  # whether it covers the forearm
    long_hair: bool
    hairline: float  # how far up the skull the forehead goes, from 0, the ears, to 1
    ground: Ground
    wall: Colour
    other: Colour  # the second colour of the wall, or of what stands before it
    seed: int  # of the wall's pattern
    shift: tuple[float, float]  # of the camera, in pixels of the scene
    zoom: float


def look(*, signer: int, seed: int) -> Look:
    """The look of a clip: the signer's number decides about the person, the clip's seed about everything else."""
    person, clip = np.random.default_rng([signer, 5]), np.random.default_rng([seed, 7])
    brightness = clip.uniform(0.88, 1.1)
    light = brightness * (1.0 + clip.uniform(-0.05, 0.05) * np.array([1.0, 0.0, -1.0]))  # warmer or colder

    def lit(colour: Colour) -> Colour:
        red, green, blue = np.clip(np.array(colour) * light, 0, 255).astype(int).tolist()
        return red, green, blue

    hue, brightness = clip.uniform(), clip.uniform(0.45, 0.78)
    wall = _painted(hue, clip.uniform(0.02, 0.22), brightness)
    other = _painted(hue + clip.uniform(-0.1, 0.1), clip.uniform(0.05, 0.3), brightness * clip.uniform(0.68, 0.88))
    return Look(
        skin=lit(_SKINS[signer % len(_SKINS)]),
        hair=lit(_HAIRS[signer % len(_HAIRS)]),
        cloth=lit(_painted(*_HUES[signer % len(_HUES)])),
        sleeve=signer % 3 != 1,
        long_hair=bool(person.random() < 0.5),
        hairline=float(person.uniform(0.45, 0.62)),
        ground=GROUNDS[clip.integers(len(GROUNDS))],
        wall=lit(wall),
        other=lit(other),
        seed=int(clip.integers(2**31)),
        shift=(float(clip.uniform(-10.0, 10.0)), float(clip.uniform(-8.0, 8.0))),
        zoom=float(clip.uniform(0.98, 1.03)),
    )


def mixed(one: Colour, two: Colour, share: float) -> Colour:
    """A colour between two, `share` of it the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, two, strict=True))
    return red, green, blue


def _painted(hue: float, saturation: float, brightness: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, brightness)
    return round(255 * red), round(255 * green), round(255 * blue)
