"""Keypoints in plain arrays, .npz and .npy, for which no standard exists: what is what is told by options.

An array is (frames, points, channels), or (frames, points · channels) with the channels of a point side by side.
Depth is dropped, and so are points in metres. Without confidences a point that is there has 1.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.layout import Layout
from sonar_slt.data.layouts import LAYOUTS, by_points
from sonar_slt.data.pose.npy import read_npy, read_npz
from sonar_slt.data.pose.sighting import Sightings, Wanted
from sonar_slt.data.unreadable import Unreadable
from sonar_slt.errors import UserError

CHANNELS = ("xy", "xyc", "xyz", "xyzc")
MISSING = ("nan", "zero", "minus_one")
KEYS = ("keypoints", "frames", "points", "pose", "data")
"""Under which of these an .npz has its points, the first that is there; or it has one array of two axes or three."""
BESIDE = ("confidence", "fps", "size", "layout")
"""What else an .npz may say."""

_ALIASES = {"mediapipe_holistic_v1": "mediapipe_543"}  # as the reference tools write it


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the options say of arrays; None where the array itself shall tell."""

    layout: Layout | None = None
    channels: str | None = None
    missing: Collection[str] = ("nan",)


def read(path: Path, wanted: Wanted, told: Told) -> Sightings:
    """The person in an .npz or .npy file."""
    found = _file(path, wanted)
    array = _checked(next(iter(found.values())), path.name)
    layout, channels = _meaning(array, told, _layout(found), path.name)
    fps = wanted.rate(_number(found.get("fps")))
    frames, faults = wanted.frames(len(array), fps, path.name)
    cut = slice(frames.start, frames.stop)
    points = array[cut].reshape(len(frames), layout.points, len(channels))
    confidence = _confidence(found, array, layout, path.name)
    if channels.endswith("c"):
        confidence = array[..., -1] if array.ndim == 3 else array[:, len(channels) - 1 :: len(channels)]
    people = _points(points, _sure(points, confidence, cut, layout), told.missing)
    if "world" in layout.parts:  # behind all others
        layout = _by_points(layout.parts["world"].start, path.name)
        people = people[:, : layout.points]
    return Sightings(
        people=people,
        frame=np.arange(len(frames)),
        length=len(frames),
        layout=layout,
        first=frames.start,
        fps=fps,
        size=_size(found.get("size")),
        faults=faults,
    )


def _file(path: Path, wanted: Wanted) -> Mapping[str, NDArray[Any]]:
    """The arrays of a file, that of the points first."""
    if path.suffix.lower() == ".npy":
        return {KEYS[0]: read_npy(path)}
    if wanted.span is None:
        return read_npz(path, KEYS, BESIDE)
    found = os.stat(path)
    return _unpacked(path, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=1)
def _unpacked(path: Path, length: int, changed: int) -> Mapping[str, NDArray[Any]]:
    """A whole .npz file, remembered from one span to the next."""
    return read_npz(path, KEYS, BESIDE)


def _checked(array: NDArray[Any], name: str) -> NDArray[Any]:
    """The array, if it may hold points."""
    if array.ndim not in (2, 3) or array.dtype.kind not in "fiu":
        raise Unreadable(
            f"'{name}' holds {array.dtype} of shape {array.shape}; expected are numbers of (frames, points, channels) "
            "or (frames, points · channels)."
        )
    return array


def _meaning(array: NDArray[Any], told: Told, own: Layout | None, name: str) -> tuple[Layout, str]:
    """The layout and the channels of an array."""
    layout = told.layout or own
    if array.ndim == 3:
        layout, count = layout or _by_points(array.shape[1], name), array.shape[2]
    else:
        layout, count = _flat(array.shape[1], layout, told.channels, name)
    channels = told.channels or {2: "xy", 3: layout.channels, 4: "xyzc"}.get(count, "")
    if array.ndim == 3 and array.shape[1] != layout.points:
        raise Unreadable(f"'{name}' has {array.shape[1]} points a frame, but {layout.name} has {layout.points}.")
    if len(channels) != count:
        expected = f"data.pose.channels={told.channels}" if told.channels else "two to four of x, y, z and confidence"
        raise Unreadable(f"'{name}' has {count} numbers a point; expected was {expected}.")
    return layout, channels


def _by_points(points: int, name: str) -> Layout:
    layout = by_points(points)
    if layout is None:
        raise Unreadable(
            f"'{name}' has {points} points a frame, a number that tells no layout: "
            f"give one by data.pose.layout=NAME, of {', '.join(LAYOUTS)}."
        )
    return layout


def _flat(width: int, layout: Layout | None, channels: str | None, name: str) -> tuple[Layout, int]:
    """The layout and the number of channels of `width` numbers a frame, if there is but one way."""
    counted = {one.points for one in LAYOUTS.values()}
    known = [layout] if layout else [found for points in counted if (found := by_points(points))]
    counts = (len(channels),) if channels else (2, 3, 4)
    ways = sorted((one.name, count) for one in known for count in counts if one.points * count == width)
    if len(ways) == 1:
        return LAYOUTS[ways[0][0]], ways[0][1]
    if layout and not ways:
        raise Unreadable(
            f"'{name}' has {width} numbers a frame, but {layout.name} has {layout.points} points of "
            f"{' or '.join(map(str, counts))} numbers."
        )
    could = "; it could be " + ", ".join(f"{layout} of {count} numbers" for layout, count in ways) if ways else ""
    told = (
        f"'{name}' has {width} numbers a frame, which do not tell the layout{could}: give it by data.pose.layout=NAME "
        f"(of {', '.join(LAYOUTS)}) and data.pose.channels={'|'.join(CHANNELS)}."
    )
    raise UserError(told) if ways else Unreadable(told)


def _points(points: NDArray[Any], sure: NDArray[np.float32], missing: Collection[str]) -> NDArray[np.float32]:
    """x, y, confidence (frames, points, 3) of an array (frames, points, channels) and its confidences."""
    with np.errstate(all="ignore"):
        places = points[..., :2].astype(np.float32)
    absent = np.zeros(points.shape[:2], np.bool_)
    if "nan" in missing:
        absent |= np.isnan(places).any(axis=-1)
    if "zero" in missing:
        absent |= (places == 0).all(axis=-1)
    if "minus_one" in missing:
        absent |= (places == -1).all(axis=-1)
    return np.concatenate([places, np.where(absent, np.float32(0), sure)[..., None]], axis=-1)


def _sure(points: NDArray[Any], confidence: NDArray[Any] | None, cut: slice, layout: Layout) -> NDArray[np.float32]:
    """How sure the points of a part of a file are, of the whole of which are the confidences.

    A part of the body that lies somewhere, but with confidence 0 from the first frame of the file to the last, is one
    that the file tells no confidence of.
    """
    if confidence is None:
        return np.ones(points.shape[:2], np.float32)
    with np.errstate(all="ignore"):
        sure = confidence[cut].astype(np.float32)
    for part in layout.parts.values():
        if not sure[:, part].any() and points[:, part, :2].any() and not confidence[:, part].any():
            places = points[:, part, :2]
            sure[:, part] = places.any(axis=-1) & np.isfinite(places).all(axis=-1)
    return sure


def _confidence(
    found: Mapping[str, NDArray[Any]], array: NDArray[Any], layout: Layout, name: str
) -> NDArray[Any] | None:
    confidence = found.get("confidence")
    if confidence is None:
        return None
    if confidence.shape[:2] != (len(array), layout.points) or confidence.size != len(array) * layout.points:
        raise Unreadable(f"'{name}' has confidences of shape {confidence.shape} for points of shape {array.shape}.")
    if confidence.dtype.kind not in "fiub":
        raise Unreadable(f"'{name}' has confidences that are no numbers but {confidence.dtype}.")
    return confidence.reshape(len(array), layout.points)


def _layout(found: Mapping[str, NDArray[Any]]) -> Layout | None:
    """The layout that the file names, None where it names none that is known."""
    told = found.get("layout")
    name = str(told.flat[0]) if told is not None and told.size == 1 else ""
    return LAYOUTS.get(_ALIASES.get(name, name))


def _number(told: NDArray[Any] | None) -> float | None:
    return float(told.flat[0]) if told is not None and told.size == 1 and told.dtype.kind in "fiu" else None


def _size(told: NDArray[Any] | None) -> tuple[int, int] | None:
    """Width and height, where they are two numbers above 0."""
    if told is None or told.size != 2 or told.dtype.kind not in "fiu" or not (np.isfinite(told) & (told >= 1)).all():
        return None
    return int(told.flat[0]), int(told.flat[1])
