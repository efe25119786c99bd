"""From motion to a body: where 137 points are, in shoulder widths from the neck, x to the right of the picture, y down.

The body is three-dimensional as far as it must be for fingers, elbows and the head to foreshorten as in a video.
Coordinates come first in these arrays, (2, frames, points): that is twice as fast as having them last.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.corpora.toy.signing.motion import EXPRESSION, Motion
from sonar_slt.data.corpora.toy.signing.signer import Signer
from sonar_slt.data.layouts.openpose import FACE, LEFT_HAND, OPENPOSE_137, RIGHT_HAND

Array = NDArray[np.float64]

# Hands: u runs from the wrist to the fingers, v to the thumb, w out of the palm.
_KNUCKLES = np.array([[0.23, 0.24, 0.225, 0.2], [0.075, 0.02, -0.03, -0.075]])  # u, v of index to little finger
_BONES = np.array([[0.105, 0.115, 0.105, 0.08], [0.065, 0.075, 0.07, 0.05], [0.05, 0.055, 0.05, 0.045]])[:, None, None]
_BEND = np.array([1.35, 3.1, 4.3])[:, None, None, None]  # radians of a closed finger's three bones against the palm
_FAN = np.array([0.18, 0.03, -0.13, -0.3])  # radians of the fingers when spread
_THUMB_ROOT, _THUMB_OUT = 0.06, 0.95
_THUMB_BONES, _THUMB_BEND = np.array([[0.09, 0.07, 0.055], [0.9, 1.9, 2.4]])[..., None, None]
_PALM = 0.13  # from the wrist to the palm's centre, which is where a sign is placed

# Arms: the elbow hangs down, a little outwards and backwards; hands move before the body.
_POLE_X, _POLE_Y, _POLE_Z = 0.45, 1.0, -0.45
_REACH = 0.45
_SHOULDER = 0.5

_HEAD_PIVOT, _HEAD_CENTRE = -0.2, -0.36  # heights of the pivot over the neck, of the centre over the pivot


def pose(motion: Motion, signer: Signer) -> Array:
    """Place every point of a right-handed signer: (2, frames, 137)."""
    points = np.zeros((2, len(motion.seconds), OPENPOSE_137.points))
    points[:, :, :25] = _trunk(signer)[:, None, :]
    hands = _hands(motion.hands, signer.hand)  # (2, frames, 2 hands, 21), each on its own side
    elbows = _elbows(hands[..., 0], signer.upper_arm, signer.forearm)
    hands[0, :, 0] *= -1.0  # the right side of a signer who faces us is on our left
    elbows[0, :, 0] *= -1.0
    points[:, :, [3, 6]] = elbows
    points[:, :, OPENPOSE_137.wrists] = hands[..., 0]
    points[:, :, RIGHT_HAND], points[:, :, LEFT_HAND] = hands[:, :, 0], hands[:, :, 1]
    head = _head(motion, signer.head)
    points[:, :, FACE], points[:, :, OPENPOSE_137.head] = head[..., :70], head[..., 70:]
    return points


def _hands(poses: Array, size: float) -> Array:
    """Fingers from bends, then the whole hand turned: (frames, 2, POSE) to (2, frames, 2, 21)."""
    bends, fan = poses[..., 5:10], poses[..., 10:] * _FAN  # (frames, 2, 4)
    digits = np.empty((3, 4, *poses.shape[:2], 5))  # u, v, w; root to tip; thumb to little finger
    angles = bends[..., 1:] * _BEND  # (3 bones, frames, 2, 4)
    along = np.cumsum(_BONES * np.cos(angles), 0)
    digits[:2, 0, ..., 1:] = _KNUCKLES[:, None, None]
    digits[2, 0, ..., 1:] = 0.0
    digits[0, 1:, ..., 1:] = _KNUCKLES[0] + along * np.cos(fan)
    digits[1, 1:, ..., 1:] = _KNUCKLES[1] + along * np.sin(fan)
    digits[2, 1:, ..., 1:] = np.cumsum(_BONES * np.sin(angles), 0)
    thumb = _THUMB_OUT - bends[..., 0] * _THUMB_BEND  # (3 bones, frames, 2)
    digits[:2, 0, ..., 0] = _THUMB_ROOT
    digits[0, 1:, ..., 0] = _THUMB_ROOT + np.cumsum(_THUMB_BONES * np.cos(thumb), 0)
    digits[1, 1:, ..., 0] = _THUMB_ROOT + np.cumsum(_THUMB_BONES * np.sin(thumb), 0)
    digits[2, ..., 0] = 0.05 * bends[..., 0]  # a bent thumb lies on the palm
    local = np.zeros((3, *poses.shape[:2], 21))
    local[..., 1:] = digits.transpose(0, 2, 3, 4, 1).reshape(3, *poses.shape[:2], 20)
    local[0] -= _PALM
    return _turned(local, poses, size)


def _turned(local: Array, poses: Array, size: float) -> Array:
    """Turn hands by their three angles and put them in place: (3, frames, 2, 21) to (2, frames, 2, 21)."""
    cosine, sine = np.cos(poses[..., 2:5]), np.sin(poses[..., 2:5])
    (cos_point, cos_palm, cos_tilt) = np.moveaxis(cosine, -1, 0)[..., None]
    (sin_point, sin_palm, sin_tilt) = np.moveaxis(sine, -1, 0)[..., None]
    u, v, w = local
    side, depth = v * cos_palm + w * sin_palm, w * cos_palm - v * sin_palm
    length = u * cos_tilt - depth * sin_tilt
    hands = np.empty((2, *u.shape))
    hands[0] = poses[..., 0, None] - size * (length * sin_point + side * cos_point)
    hands[1] = poses[..., 1, None] + size * (side * sin_point - length * cos_point)
    return hands


def _elbows(wrists: Array, upper: float, fore: float) -> Array:
    """Two bones in space between shoulder and wrist, bent to the side of the pole: (2, frames, 2 hands)."""
    x, y = wrists[0] - _SHOULDER, wrists[1]
    distance = np.sqrt(x * x + y * y + _REACH**2)
    x, y, z = x / distance, y / distance, _REACH / distance
    distance = np.clip(distance, abs(upper - fore) + 0.02, 0.99 * (upper + fore))
    along = (upper**2 - fore**2 + distance**2) / (2.0 * distance)
    dot = x * _POLE_X + y * _POLE_Y + z * _POLE_Z
    pole_x, pole_y, pole_z = _POLE_X - dot * x, _POLE_Y - dot * y, _POLE_Z - dot * z
    away = np.sqrt(np.maximum(upper**2 - along**2, 0.0) / (pole_x**2 + pole_y**2 + pole_z**2))
    return np.stack([_SHOULDER + along * x + away * pole_x, along * y + away * pole_y])


def _trunk(signer: Signer) -> Array:
    """Neck, shoulders, hips and legs standing still; arms and head are filled in by others: (2, 25)."""
    hip, knee, ankle = signer.torso, signer.torso + 1.15, signer.torso + 2.25
    trunk = np.zeros((25, 2))
    trunk[[2, 5]] = [[-_SHOULDER, 0.0], [_SHOULDER, 0.0]]
    trunk[8:15] = [[0, hip], [-0.3, hip], [-0.32, knee], [-0.34, ankle], [0.3, hip], [0.32, knee], [0.34, ankle]]
    trunk[19:22] = [[0.42, ankle + 0.15], [0.5, ankle + 0.12], [0.32, ankle + 0.06]]
    trunk[22:25] = trunk[19:22] * [-1.0, 1.0]
    return trunk.T


def _head(motion: Motion, size: float) -> Array:
    """The face's 70 points, then nose, eyes and ears of the body: (2, frames, 75)."""
    x, y = _SKULL[:2, None] + (motion.expression @ _MUSCLES).reshape(-1, 2, 75).swapaxes(0, 1)
    z = _SKULL[2]
    cosine, sine = np.cos(motion.head), np.sin(motion.head)  # yaw, pitch, roll
    turned, depth = x * cosine[:, :1] + z * sine[:, :1], z * cosine[:, :1] - x * sine[:, :1]
    nodded = y * cosine[:, 1:2] + depth * sine[:, 1:2] + _HEAD_CENTRE
    head = np.empty((2, *x.shape))
    head[0] = size * (turned * cosine[:, 2:] - nodded * sine[:, 2:])
    head[1] = size * (turned * sine[:, 2:] + nodded * cosine[:, 2:]) + _HEAD_PIVOT
    return head


def _skull() -> Array:
    """A neutral face, x and y from the head's centre, z towards the viewer: (3, 75), as `_head` orders them."""
    turn, brow = np.linspace(-np.pi / 2.0, np.pi / 2.0, 17), np.linspace(0.0, 1.0, 5)
    outer, inner = (np.linspace(0.0, 2.0 * np.pi, n, endpoint=False) for n in (12, 8))
    eye = np.array([[-0.14, -0.115, -0.085, -0.06, -0.085, -0.115], [-0.065, -0.087, -0.087, -0.065, -0.047, -0.047]])
    skull = np.zeros((3, 75))
    skull[:, :17] = 0.215 * np.sin(turn), 0.39 * np.cos(turn) - 0.06, 0.14 * np.cos(turn)
    skull[:, 17:22] = 0.12 * brow - 0.165, -0.135 - 0.025 * np.sin(0.2 + 2.44 * brow), 0.13 + 0.06 * brow
    skull[:, 27:31] = np.zeros(4), np.linspace(-0.07, 0.07, 4), np.linspace(0.2, 0.28, 4)
    skull[:, 31:36] = 0.09 * brow - 0.045, 0.1 + 0.012 * np.sin(np.pi * brow), np.full(5, 0.22)
    skull[:, 36:42] = *eye, np.full(6, 0.17)
    skull[:, 48:60] = -0.085 * np.cos(outer), 0.19 - 0.035 * np.sin(outer), 0.2 + 0.02 * np.abs(np.sin(outer))
    skull[:, 60:68] = -0.065 * np.cos(inner), 0.19 - 0.01 * np.sin(inner), np.full(8, 0.2)
    skull[:, 68] = -0.1, -0.065, 0.18
    skull[:, 70:] = [0.0, -0.1, 0.1, -0.225, 0.225], [0.07, -0.065, -0.065, -0.04, -0.04], [0.28, 0.18, 0.18, 0.0, 0.0]
    for point in (*range(22, 27), *range(42, 48), 69):  # the left half is the right one's image
        skull[:, point] = skull[:, OPENPOSE_137.mirror[point + FACE.start] - FACE.start] * [-1.0, 1.0, 1.0]
    return skull


def _muscles() -> Array:
    """What each channel of the expression moves, in shoulder widths at full strength: (EXPRESSION, x and y of 75)."""
    muscles = {name: np.zeros((2, 75)) for name in EXPRESSION}
    ramp = np.linspace(0.0, 1.0, 5)
    for brow, nearness, inwards in ((slice(17, 22), ramp, 1.0), (slice(22, 27), ramp[::-1], -1.0)):
        muscles["brow_inner"][:, brow] = -0.02 * inwards * nearness, -0.058 * nearness  # lowered brows draw together
        muscles["brow_outer"][1, brow] = -0.058 * (1.0 - nearness)
    muscles["eyes"][1, [37, 38, 43, 44]] = -0.02
    muscles["eyes"][1, [40, 41, 46, 47]] = 0.01
    lips = slice(48, 68)
    side, height = _SKULL[0, lips], np.round(_SKULL[1, lips] - 0.19, 6)
    muscles["mouth_width"][0, lips] = 0.45 * side
    muscles["mouth_open"][1, lips] = np.select([height > 0.0, height < 0.0], [0.05, -0.02])
    muscles["mouth_open"][1, 5:12] = 0.03  # the jaw
    muscles["mouth_corners"][1, lips] = 0.01 - 0.05 * (side / 0.085) ** 2
    return np.stack([muscles[name].ravel() for name in EXPRESSION])


_SKULL = _skull()
_MUSCLES = _muscles()
