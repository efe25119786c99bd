"""A clip on its way from the toy world into a release: what it is, and what the release is made to say of it.

A trap changes what is said or what is written; where nothing is changed, both are true.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.recording import Recording
from sonar_slt.data.release import Entry, Reading

Points = NDArray[np.float32]
People = list[list[Points]]
"""For each frame the people in it, (137, 3) each."""


class World(Protocol):
    """What is written out: a corpus whose clips are generated, in OpenPose's 137 points of a 1280x720 picture."""

    def read(self) -> Reading:
        """The clips in order."""

    def record(self, entry: Entry) -> Recording:
        """The points of one clip, always the same."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A fault that was put into a release on purpose: the id it stands by, its kind, and the trap that planted it.

    The kind is "" where the trap is one to read past: a variant of a file that must change no clip.
    """

    id: str
    kind: str
    trap: str


@dataclass(slots=True, eq=False)
class Clip:
    """One clip of a release that is being written, and what a trap made of it."""

    entry: Entry
    id: str
    split: str
    signer: int
    text: str
    frames: int  # of the recording
    fps: float
    rows: int = 1  # of the labels that name it
    filmed: bool = True  # whether its pictures and points are there at all
    alone: bool = False  # whether its video holds no other clip and ends with it
    steady: bool = True  # whether the frames of its video come at one rate
    damaged: bool = False  # whether the numbers of its row went through a spreadsheet
    nowhere: bool = False  # whether its row names no video and no times
    listed: str | None = None  # its name in a list of splits beside the labels, "" for none, None for its own
    length: float | None = None  # seconds that the labels claim, None for the true ones
    told: int | None = None  # frames that the labels claim, None for the true ones
    people: Callable[[People], People] | None = None  # changes who is in the points of each frame
    begin: int = 0  # its first frame in its video; set by the writer, as what follows
    pictures: Path = Path()
    points: Path = Path()

    @property
    def span(self) -> tuple[float, float]:
        """The seconds that the labels claim; hundredths are fine enough to fall on the right frames."""
        end = (self.begin + self.frames) / self.fps
        start = self.begin / self.fps
        return round(start, 2), round(end if self.length is None else start + self.length, 2)


@dataclass(frozen=True, slots=True)
class Style:
    """How one label file is written: what separates its fields and its lines, and whether a BOM stands before them."""

    delimiter: str
    newline: str
    bom: bool = False

    def bare(self, rows: Iterable[Sequence[str]]) -> bytes:
        """A file of rows that know no quoting."""
        return self._encoded("".join(self.delimiter.join(row) + self.newline for row in rows))

    def quoted(self, rows: Iterable[Sequence[Any]]) -> bytes:
        """A file of rows that are quoted as csv is."""
        table = StringIO()
        csv.writer(table, delimiter=self.delimiter, lineterminator=self.newline).writerows(rows)
        return self._encoded(table.getvalue())

    def _encoded(self, text: str) -> bytes:
        return text.encode("utf-8-sig" if self.bom else "utf-8")


@dataclass(slots=True, eq=False)
class Draft:
    """A release that is being written under `root`.

    `styles` are those of label files that are not written as usual, by split; `rows` are further rows of them; `later`
    is done when everything is written.
    """

    root: Path
    world: World
    clips: list[Clip]
    styles: dict[str, Style] = field(default_factory=dict)
    rows: dict[str, list[list[str]]] = field(default_factory=dict)
    later: list[Callable[[], None]] = field(default_factory=list)
    advance: Callable[[int], None] = lambda _: None

    def labelled(self, split: str) -> Iterator[Clip]:
        """The clips of a split in order, each as often as the labels name it; repeats come last."""
        ours = [clip for clip in self.clips if clip.split == split]
        for again in range(max((clip.rows for clip in ours), default=0)):
            yield from (clip for clip in ours if clip.rows > again)

    def points(self, clip: Clip) -> Points:
        """The points of a clip (frames, 137, 3)."""
        return self.world.record(clip.entry).points


def clips_of(world: World, language: str) -> list[Clip]:
    """Every clip of the world as it is, with the first of its sentences in a language."""
    return [_clip(entry, world.record(entry), language) for entry in world.read().entries]


def _clip(entry: Entry, recording: Recording, language: str) -> Clip:
    digits = "".join(filter(str.isdigit, entry.signer))
    return Clip(
        entry=entry,
        id=entry.id,
        split=entry.split,
        signer=int(digits or 0),
        text=entry.texts[language][0],
        frames=len(recording),
        fps=recording.fps or 25.0,
    )


def people_of(clip: Clip, points: Points) -> Sequence[Sequence[Points]]:
    """Who is in each frame: the signer, unless a trap wants otherwise."""
    alone = [[frame] for frame in points]
    return alone if clip.people is None else clip.people(alone)
