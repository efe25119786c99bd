"""The binary .pose files of the pose-format library, versions 0.1 and 0.2, read without it.

Every size in the header is checked against the length of the file before anything is allocated by it, and of a span
only its own frames are read. Depth is dropped; points in metres (POSE_WORLD_LANDMARKS) are no places in the picture.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.pose.components import Component, placed
from sonar_slt.data.pose.sighting import Sightings, Wanted
from sonar_slt.data.unreadable import Unreadable

LONGEST_HEADER = 1 << 16  # bytes; the largest that is written takes about 15 thousand
FORMATS = {"XYC": 2, "XYZC": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    """What stands before the numbers, and where they begin."""

    version: float
    size: tuple[int, int] | None
    components: tuple[Component, ...]
    fps: float
    frames: int
    people: int
    dimensions: int
    start: int

    @property
    def points(self) -> int:
        return sum(len(component.points) for component in self.components)


class _Bytes:
    """The head of a file, taken piece by piece."""

    def __init__(self, content: bytes, name: str) -> None:
        self.content, self.name, self.at = content, name, 0

    def numbers(self, form: str) -> tuple[Any, ...]:
        """The next numbers, little-endian."""
        return struct.unpack("<" + form, self.skip(struct.calcsize("<" + form)))

    def string(self) -> str:
        """The next string, its length before it."""
        return self.skip(self.numbers("H")[0]).decode("utf-8", errors="replace")

    def skip(self, count: int) -> bytes:
        """The next `count` bytes."""
        if self.at + count > len(self.content):
            raise Unreadable(f"'{self.name}' is cut short inside its header, or is no .pose file.")
        self.at += count
        return self.content[self.at - count : self.at]


def read(path: Path, wanted: Wanted) -> Sightings:
    """Everybody in a .pose file."""
    with open(path, "rb") as file:
        header = _header(file, path.name)
        sources, targets, layout = placed(header.components, path.name)
        fps = wanted.rate(header.fps)
        frames, faults = wanted.frames(header.frames, fps, path.name)
        coordinates = _floats(file, header, frames, header.start, header.dimensions, path.name)
        behind = header.start + 4 * header.frames * header.people * header.points * header.dimensions
        confidence = _floats(file, header, frames, behind, 1, path.name)
    return Sightings(
        people=np.concatenate([coordinates[:, sources, :2], confidence[:, sources]], axis=-1),
        places=targets,
        frame=np.repeat(np.arange(len(frames)), header.people),
        length=len(frames),
        layout=layout,
        first=frames.start,
        fps=fps,
        size=header.size,
        in_pixels=True,
        faults=faults,
    )


def _header(file: BinaryIO, name: str) -> _Header:
    length = os.fstat(file.fileno()).st_size
    head = _Bytes(file.read(LONGEST_HEADER), name)
    version = round(head.numbers("f")[0], 3)
    if version not in (0.1, 0.2):
        raise Unreadable(f"'{name}' is no .pose file of version 0.1 or 0.2: its first number is {version:g}.")
    width, height, _, count = head.numbers("4H")
    components = tuple(_component(head) for _ in range(count))
    fps, frames, people = head.numbers("fIH" if version == 0.2 else "3H")
    header = _Header(
        version=version,
        size=(width, height) if width and height else None,
        components=components,
        fps=fps,
        frames=frames,
        people=people,
        dimensions=max((FORMATS[component.form] for component in components), default=0),
        start=head.at,
    )
    return _whole(header, length - head.at, name)


def _component(head: _Bytes) -> Component:
    name, form = head.string(), head.string()
    points, limbs, colours = head.numbers("3H")
    found = Component(name, form, tuple(head.string() for _ in range(points)))
    head.skip(4 * limbs + 6 * colours)
    if form not in FORMATS:
        raise Unreadable(
            f"'{head.name}' holds points of the format {form!r} in {name!r}; known are {' and '.join(FORMATS)}."
        )
    return found


def _whole(header: _Header, length: int, name: str) -> _Header:
    """The same header, if the `length` bytes behind it are just what it says."""
    frame = 4 * header.people * header.points * (header.dimensions + 1)
    if not frame:
        raise Unreadable(f"'{name}' says of itself that it holds {header.people} people of {header.points} points.")
    frames = header.frames
    if header.version == 0.1 and length // frame > 0xFFFE and frames in (0, length // frame & 0xFFFF):
        frames = length // frame  # the older version has 16 bits for a number that may be larger
    if length != frames * frame:
        raise Unreadable(
            f"'{name}' is {'cut short' if length < frames * frame else 'longer than it says'}: {frames} frames of "
            f"{header.people} people with {header.points} points take {frames * frame} bytes, but {length} are there."
        )
    return replace(header, frames=frames)


def _floats(
    file: BinaryIO, header: _Header, frames: range, start: int, dimensions: int, name: str
) -> NDArray[np.float32]:
    """Numbers of some frames (frames · people, points, dimensions) from the block that begins at `start`."""
    frame = header.people * header.points * dimensions
    file.seek(start + 4 * frame * frames.start)
    found = np.fromfile(file, "<f4", frame * len(frames))
    if len(found) != frame * len(frames):
        raise Unreadable(f"'{name}' was cut short while it was read.")
    return found.reshape(-1, header.points, dimensions)
