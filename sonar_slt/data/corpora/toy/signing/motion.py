"""From glosses to motion: when each sign is made, and how hands, head and face move from frame to frame.

Signs are key poses with an oscillation between them; the way from one to the next is interpolated, so that a sign looks
different after every neighbour. Hands are described on their own side (x grows outwards), so both are described alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.corpora.toy.signing.grammar import Gloss
from sonar_slt.data.corpora.toy.signing.lexicon import HANDSHAPES, MOVEMENTS, ORIENTATIONS, PLACES, SIGNS, Base, Sign
from sonar_slt.data.corpora.toy.signing.signer import Signer

Array = NDArray[np.float64]

POSE = 11
"""Numbers of a hand's pose: x, y, three angles, five bends, spread."""

HEAD = ("yaw", "pitch", "roll")
EXPRESSION = ("brow_inner", "brow_outer", "eyes", "mouth_width", "mouth_open", "mouth_corners")

MARKERS: dict[str, dict[str, float]] = {
    # head in radians, expression in units of its own range; a head shake is added to "negated"
    "negated": {"brow_inner": -1.0, "brow_outer": -0.3, "eyes": -0.4, "mouth_corners": -0.8},
    "probable": {"pitch": 0.05, "brow_inner": 0.9, "brow_outer": 0.9, "eyes": 0.4, "mouth_width": 0.9},
    "possible": {"pitch": 0.05, "roll": 0.08, "brow_outer": -0.9, "mouth_width": -0.9, "mouth_open": 0.7},
}
_SHAKE_ANGLE, _SHAKE_HERTZ = 0.32, 2.4
_REST_SECONDS, _PREPARATION_SECONDS, _RETRACTION_SECONDS = 0.1, 0.3, 0.32


@dataclass(frozen=True, slots=True, eq=False)
class _Motif:
    """A sign as numbers: key poses (2 hands, POSE), and per hand what is added in between."""

    start: Array
    end: Array
    swing: Array  # (2 hands, 3): sine to the side, sine down, repeated strokes down
    cycles: float
    wiggle: Array  # (2 hands,)
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """A performance before it has a body: per frame the hands' poses, the head and the expression."""

    seconds: Array  # (frames,)
    hands: Array  # (frames, 2 hands: first and second, POSE)
    head: Array  # (frames, HEAD)
    expression: Array  # (frames, EXPRESSION)
    times: Array = field(repr=False)
    """Beginning and end of each sign, in seconds: (signs, 2)."""


def move(
    glosses: Sequence[Gloss],
    signer: Signer,
    fps: float,
    random: np.random.Generator,
    *,
    signs: Mapping[str, Sign] = SIGNS,
) -> Motion:
    """Perform glosses in the manner of a signer. Markers change neither hands nor timing nor the random stream."""
    motifs = [_motif(signs[gloss.sign]) for gloss in glosses]
    count, jitter = len(motifs), signer.jitter
    offsets = random.normal(0.0, 0.025 * jitter, (count, 2, 2))
    sizes = signer.amplitude * np.exp(random.normal(0.0, 0.08 * jitter, count))
    paces = np.exp(random.normal(0.0, 0.09 * jitter, count)) / (signer.speed * np.exp(random.normal(0.0, 0.05)))

    keys = np.empty((2 * count + 4, 2, POSE))
    keys[[0, 1, -2, -1]] = _rest()
    starts, ends = np.stack([m.start for m in motifs]), np.stack([m.end for m in motifs])
    ends[..., :2] = starts[..., :2] + (ends[..., :2] - starts[..., :2]) * sizes[:, None, None]
    starts[..., :2] += offsets
    ends[..., :2] += offsets
    keys[2:-2:2], keys[3:-2:2] = starts, ends

    times = _times(keys, [m.seconds for m in motifs], paces)
    frames = int(np.clip(np.rint(times[-1] * fps), 30, 250))
    seconds = np.linspace(0.0, times[-1], frames)
    segment = np.clip(np.searchsorted(times, seconds, side="right") - 1, 0, len(times) - 2)
    progress = (seconds - times[segment]) / np.diff(times)[segment]

    hands = _interpolate(keys, segment, progress)
    _oscillate(hands, motifs, sizes, segment, progress)
    _settle(hands, signer.smoothness)
    spans = np.stack([times[1:-3:2], times[4::2]], axis=1)  # a marker begins with the way to its sign
    head, expression = _face(glosses, seconds, spans, random)
    return Motion(seconds=seconds, hands=hands, head=head, expression=expression, times=times[2:-2].reshape(count, 2))


def _times(keys: Array, durations: Sequence[float], paces: Array) -> Array:
    """The moment of each key pose: rest, then each sign's beginning and end, then rest."""
    travel = np.abs(np.diff(keys[..., :2], axis=0)).sum(axis=-1).max(axis=-1)  # (keys - 1,)
    spans = 0.13 + 0.11 * travel
    spans[[0, -1]] = _REST_SECONDS
    spans[1], spans[-2] = _PREPARATION_SECONDS, _RETRACTION_SECONDS
    spans[2:-1:2] = durations
    spans[2:-1:2] *= paces
    spans[1:-2:2] *= paces
    return np.concatenate([[0.0], np.cumsum(spans)])


def _interpolate(keys: Array, segment: NDArray[np.intp], progress: Array) -> Array:
    eased = progress * progress * (3.0 - 2.0 * progress)
    return np.asarray(keys[segment] + np.diff(keys, axis=0)[segment] * eased[:, None, None])


def _oscillate(
    hands: Array, motifs: Sequence[_Motif], sizes: Array, segment: NDArray[np.intp], progress: Array
) -> None:
    """Add strokes, circles and the play of the fingers, in place. Only the segments between a sign's keys have them."""
    count = len(motifs)
    swing, cycles, wiggle = np.zeros((2 * count + 3, 2, 3)), np.zeros(2 * count + 3), np.zeros((2 * count + 3, 2))
    swing[2:-1:2] = np.stack([m.swing for m in motifs]) * sizes[:, None, None]
    cycles[2:-1:2] = [m.cycles for m in motifs]
    wiggle[2:-1:2] = [m.wiggle for m in motifs]
    phase = 2.0 * np.pi * cycles[segment] * progress
    sine, stroke = np.sin(phase)[:, None], 0.5 * (1.0 - np.cos(phase))[:, None]
    amount = swing[segment]  # (frames, 2, 3)
    hands[..., 0] += amount[..., 0] * sine
    hands[..., 1] += amount[..., 1] * sine + amount[..., 2] * stroke
    fingers = np.sin(14.0 * np.pi * progress[:, None] + np.arange(5) * 1.3) * np.sin(np.pi * progress)[:, None]
    hands[..., 5:10] += wiggle[segment][..., None] * fingers[:, None, :]


def _settle(hands: Array, passes: int) -> None:
    """Round off the corners of the path, in place."""
    for _ in range(passes):
        hands[1:-1] = 0.25 * (hands[:-2] + hands[2:]) + 0.5 * hands[1:-1]


def _face(glosses: Sequence[Gloss], seconds: Array, spans: Array, random: np.random.Generator) -> tuple[Array, Array]:
    """Head and expression: idle movement, mouthing and blinks of no meaning, and the markers on top of them."""
    waves = np.sin(seconds[:, None] * random.uniform(0.8, 3.0, 6) + random.uniform(0.0, 2.0 * np.pi, 6))
    head, expression = 0.025 * waves[:, :3], np.zeros((len(seconds), len(EXPRESSION)))
    expression[:, :2] = 0.15 * waves[:, 3:5]
    mouthing = random.uniform(0.1, 0.55, len(glosses))
    blink = random.uniform(0.0, 4.0)
    windows = _window(seconds, spans)  # (frames, signs)
    expression[:, 4] = windows @ mouthing * (0.6 + 0.4 * np.sin(9.0 * seconds + waves[0, 5]))
    expression[:, 2] -= 1.4 * np.maximum(0.0, 1.0 - np.abs(seconds - blink) / 0.09)
    channels = np.concatenate([head, expression], axis=1)
    for index, gloss in enumerate(glosses):
        for marker in gloss.markers:
            channels += windows[:, index, None] * _marker(marker)
            if marker == "negated":
                shake = np.sin(2.0 * np.pi * _SHAKE_HERTZ * (seconds - spans[index, 0]))
                channels[:, 0] += _SHAKE_ANGLE * shake * windows[:, index]
    return channels[:, :3], channels[:, 3:]


def _window(seconds: Array, spans: Array, ramp: float = 0.12) -> Array:
    """How much each sign's face is on, from 0 to 1: (frames, signs)."""
    inside = np.minimum(seconds[:, None] - spans[:, 0], spans[:, 1] - seconds[:, None])
    rise = np.clip(inside / ramp, 0.0, 1.0)
    return np.asarray(rise * rise * (3.0 - 2.0 * rise))


@cache
def _marker(name: str) -> Array:
    return np.array([MARKERS[name].get(channel, 0.0) for channel in (*HEAD, *EXPRESSION)])


@cache
def _motif(sign: Sign) -> _Motif:
    movement = MOVEMENTS[sign.movement]
    first = _pose(sign.shape, sign.place, sign.orientation)
    last = _pose(sign.closing or sign.shape, sign.place, sign.turning or sign.orientation)
    last[:2] += np.array(movement.shift) * sign.size
    swing = np.array([*movement.swing, movement.dip]) * sign.size
    start, end, swings, active = _second_hand(sign, first, last, swing)
    return _Motif(start, end, swings, movement.cycles, movement.wiggle * active, movement.seconds)


def _second_hand(sign: Sign, first: Array, last: Array, swing: Array) -> tuple[Array, Array, Array, Array]:
    """Start, end, swing and share in the finger play of both hands."""
    match sign.other:
        case "mirror":
            return np.stack([first, first]), np.stack([last, last]), np.stack([swing, swing]), np.ones(2)
        case "alternate":  # both hands go the same way in the picture
            back, to = first.copy(), last.copy()
            back[0], to[0] = last[0], first[0]
            return np.stack([first, back]), np.stack([last, to]), np.stack([swing, -swing]), np.ones(2)
        case Base(shape, place, orientation):
            other = _pose(shape, place, orientation)
        case _:
            other = _rest()
    return np.stack([first, other]), np.stack([last, other]), np.stack([swing, 0.0 * swing]), np.array([1.0, 0.0])


@cache
def _rest() -> Array:
    return _pose("loose", "rest", "hanging")


def _pose(shape: str, place: str, orientation: str) -> Array:
    return np.array([*PLACES[place], *np.radians(ORIENTATIONS[orientation]), *HANDSHAPES[shape]])
