"""The vocabulary of the toy sign languages: handshapes, places, movements, and the signs made of them.

As in real sign languages a sign is a bundle of a few contrastive parameters, and there are pairs that differ in one of
them only: the second hand (TODAY and TONIGHT, the digits 1 and 6), the handshape (RAIN and HAIL), the movement (RAIN
and SNOW), or the place (FOG and CLOUDS).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

HANDSHAPES: dict[str, tuple[float, float, float, float, float, float]] = {
    # bend of thumb, index, middle, ring, little finger (0 straight, 1 closed), spread of the fingers
    "flat": (0.35, 0.0, 0.0, 0.0, 0.0, 0.0),
    "five": (0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
    "fist": (0.9, 1.0, 1.0, 1.0, 1.0, 0.0),
    "thumb": (0.0, 1.0, 1.0, 1.0, 1.0, 0.0),
    "index": (0.9, 0.0, 1.0, 1.0, 1.0, 0.0),
    "vee": (0.9, 0.0, 0.0, 1.0, 1.0, 1.0),
    "gun": (0.0, 0.0, 1.0, 1.0, 1.0, 0.3),
    "three": (0.0, 0.0, 0.0, 1.0, 1.0, 0.9),
    "four": (1.0, 0.0, 0.0, 0.0, 0.0, 0.9),
    "horns": (0.0, 1.0, 1.0, 1.0, 0.0, 0.6),
    "claw": (0.3, 0.45, 0.45, 0.45, 0.45, 1.0),
    "round": (0.6, 0.62, 0.62, 0.62, 0.62, 0.0),
    "pinch": (0.6, 0.62, 0.0, 0.0, 0.0, 0.8),
    "loose": (0.3, 0.25, 0.3, 0.35, 0.4, 0.3),
}

PLACES: dict[str, tuple[float, float]] = {
    # the palm, in shoulder widths from the neck: outwards on the hand's own side, downwards
    "rest": (0.46, 1.25),
    "neutral": (0.36, 0.62),
    "centre": (0.06, 0.58),
    "chest": (0.16, 0.30),
    "shoulder": (0.62, 0.06),
    "far shoulder": (-0.26, 0.14),
    "chin": (0.12, -0.12),
    "cheek": (0.38, -0.38),
    "forehead": (0.18, -0.82),
    "temple": (0.46, -0.74),
    "high": (0.52, -0.30),
    "above": (0.42, -0.95),
    "side": (0.85, 0.45),
}

ORIENTATIONS: dict[str, tuple[float, float, float]] = {
    # degrees: where the fingers point (0 up, 90 to the other side, 180 down), turn of the palm (0 to the viewer,
    # 180 to the signer), tilt of the fingers towards the viewer
    "up": (0.0, 10.0, 15.0),
    "up, palm in": (10.0, 165.0, 10.0),
    "up, edge": (5.0, 80.0, 10.0),
    "across": (75.0, 150.0, 15.0),
    "across, palm down": (80.0, 75.0, 40.0),
    "forward": (10.0, 20.0, 60.0),
    "out": (-55.0, 20.0, 20.0),
    "down": (165.0, 160.0, 20.0),
    "hanging": (160.0, 100.0, 10.0),
}


@dataclass(frozen=True, slots=True)
class Movement:
    """A path of the palm in shoulder widths, an oscillation on top of it, a play of the fingers; and its duration."""

    shift: tuple[float, float] = (0.0, 0.0)
    swing: tuple[float, float] = (0.0, 0.0)
    """Amplitude of a sine to the side and down."""
    dip: float = 0.0
    """Depth of repeated downward strokes; with a sideways swing of the same size it makes a circle."""
    cycles: float = 0.0
    wiggle: float = 0.0
    seconds: float = 0.42


MOVEMENTS: dict[str, Movement] = {
    "still": Movement(seconds=0.34),
    "up": Movement(shift=(0.0, -0.42)),
    "down": Movement(shift=(0.0, 0.42)),
    "outwards": Movement(shift=(0.46, 0.0)),
    "inwards": Movement(shift=(-0.46, 0.0)),
    "tap": Movement(dip=0.2, cycles=2.0, seconds=0.46),
    "circle": Movement(swing=(0.13, 0.0), dip=0.26, cycles=2.0, seconds=0.6),
    "shake": Movement(swing=(0.14, 0.0), cycles=2.0, seconds=0.5),
    "arc": Movement(shift=(0.34, 0.22), dip=-0.2, cycles=1.0),
    "fall": Movement(dip=0.42, cycles=2.0, seconds=0.6),
    "flutter": Movement(shift=(0.0, 0.42), swing=(0.13, 0.0), cycles=1.5, wiggle=0.22, seconds=0.62),
    "wave": Movement(shift=(0.42, 0.0), swing=(0.0, 0.13), cycles=2.0, seconds=0.58),
    "climb": Movement(shift=(0.2, -0.44), swing=(0.12, 0.0), cycles=1.5, seconds=0.58),
    "bolt": Movement(shift=(0.0, 0.5), swing=(0.2, 0.0), cycles=1.5, seconds=0.5),
    "sweep": Movement(shift=(-0.55, 0.0), seconds=0.5),
    "digit": Movement(dip=0.16, cycles=1.0, seconds=0.3),
    "blow": Movement(swing=(0.2, 0.0), dip=0.1, cycles=2.0, seconds=0.6),
}


@dataclass(frozen=True, slots=True)
class Base:
    """A second hand that stays where it is, in a shape of its own."""

    shape: str
    place: str
    orientation: str


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign: the first hand, what the second hand does, and how large the movement is."""

    shape: str
    place: str
    orientation: str
    movement: str
    other: Literal["rest", "mirror", "alternate"] | Base = "rest"
    closing: str | None = None
    """The handshape at the end, where it differs from the one at the beginning."""
    turning: str | None = None
    """The orientation at the end, where it differs."""
    size: float = 1.0


_FLOOR = Base("flat", "centre", "across, palm down")
_FIVE = Base("five", "neutral", "up")

TIME_SIGNS: dict[str, Sign] = {
    "today": Sign("flat", "neutral", "forward", "tap", "mirror"),
    "tonight": Sign("flat", "neutral", "forward", "tap", Base("fist", "chest", "across")),
    "tomorrow": Sign("thumb", "cheek", "up, edge", "arc"),
    "monday": Sign("three", "chin", "up, palm in", "circle"),
    "tuesday": Sign("index", "chin", "up, palm in", "circle"),
    "wednesday": Sign("index", "forehead", "up, palm in", "circle"),
    "thursday": Sign("three", "forehead", "up, palm in", "circle"),
    "friday": Sign("index", "chin", "up, palm in", "tap"),
    "saturday": Sign("flat", "far shoulder", "across", "outwards"),
    "sunday": Sign("flat", "chest", "up, edge", "outwards", "mirror"),
}

REGION_SIGNS: dict[str, Sign] = {
    "north": Sign("gun", "neutral", "up", "up"),
    "south": Sign("gun", "neutral", "up", "down"),
    "east": Sign("gun", "neutral", "up", "outwards"),
    "west": Sign("gun", "neutral", "up", "inwards"),
    "coast": Sign("flat", "chest", "across, palm down", "wave", _FLOOR),
    "hamburg": Sign("flat", "chest", "across, palm down", "wave", Base("five", "shoulder", "up")),
    "mountains": Sign("round", "chest", "up", "climb", "mirror"),
    "bavaria": Sign("round", "chest", "up", "climb"),
    "berlin": Sign("vee", "temple", "up", "tap"),
    "saxony": Sign("horns", "temple", "up", "tap"),
}

PHENOMENON_SIGNS: dict[str, Sign] = {
    "rain": Sign("five", "high", "down", "fall", "mirror"),
    "showers": Sign("five", "high", "down", "fall"),
    "hail": Sign("fist", "high", "down", "fall", "mirror"),
    "snow": Sign("five", "high", "down", "flutter", "mirror"),
    "sun": Sign("round", "above", "forward", "still", closing="five"),
    "fog": Sign("five", "cheek", "up, palm in", "circle", "mirror"),
    "clouds": Sign("five", "above", "up, palm in", "circle", "mirror"),
    "thunderstorm": Sign("index", "high", "up", "bolt", Base("flat", "high", "across")),
    "frost": Sign("claw", "chest", "up", "shake", "mirror", closing="fist"),
    "storm": Sign("claw", "side", "out", "sweep", "alternate"),
}

_WIND = Sign("five", "high", "up, edge", "blow", "alternate")
WIND_SIGNS: dict[str, Sign] = {
    "light": replace(_WIND, shape="loose", size=0.4),
    "moderate": _WIND,
    "strong": replace(_WIND, shape="claw", size=1.8),
}

DIGIT_SIGNS: dict[str, Sign] = {
    # five on the second hand carries from 6 on, so 1 and 6 share their first hand, as do 2 and 7, 3 and 8, 4 and 9
    "0": Sign("round", "neutral", "up, edge", "digit"),
    "1": Sign("index", "neutral", "up", "digit"),
    "2": Sign("gun", "neutral", "across", "digit"),
    "3": Sign("three", "neutral", "up", "digit"),
    "4": Sign("four", "neutral", "out", "digit"),
    "5": Sign("five", "neutral", "up", "digit"),
    "6": Sign("index", "neutral", "up", "digit", _FIVE),
    "7": Sign("gun", "neutral", "across", "digit", _FIVE),
    "8": Sign("three", "neutral", "up", "digit", _FIVE),
    "9": Sign("four", "neutral", "out", "digit", _FIVE),
}

FUNCTION_SIGNS: dict[str, Sign] = {
    "minus": Sign("index", "chest", "across", "inwards"),
    "highest": Sign("flat", "chest", "across, palm down", "up", _FLOOR),
    "lowest": Sign("flat", "chest", "across, palm down", "down", _FLOOR),
    "but": Sign("index", "high", "across", "outwards", turning="out"),
    "and": Sign("five", "centre", "across", "outwards", closing="round"),
}

SIGNS: dict[str, Sign] = {
    **TIME_SIGNS,
    **REGION_SIGNS,
    **PHENOMENON_SIGNS,
    **{f"wind-{strength}": sign for strength, sign in WIND_SIGNS.items()},
    **DIGIT_SIGNS,
    **FUNCTION_SIGNS,
}
"""Every sign of A by name. A region and a direction of the wind share one sign; only the order tells them apart."""
