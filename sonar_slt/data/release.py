"""The terms in which readers of released corpora speak: what the labels say of each clip, and where the clip lies.

A reader believes nothing and drops nothing: an entry is what was written, and a fault stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import floor
from pathlib import Path
from typing import Literal

from sonar_slt.data.faults import Fault

MediaKind = Literal["frames", "video", "pose"]
"""A folder of pictures, a video file, or a pose file (a folder of OpenPose's json files counts as one)."""


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a longer recording, in seconds from its start."""

    start: float
    end: float

    def frames(self, fps: float) -> tuple[int, int]:
        """The first frame of the span and the one behind its last, from 0; each border goes to the nearest."""
        return floor(self.start * fps + 0.5), floor(self.end * fps + 0.5)


@dataclass(frozen=True, slots=True)
class Media:
    """Where a clip lies: a file or folder, or a part of it."""

    kind: MediaKind
    path: Path
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One clip as the labels have it.

    `texts` are written by people, `pseudo` by machines; both by language code, every valid reference in order. `frames`
    and `fps` are what the labels claim, None where they are silent. `where` is the entry's place for messages, such
    as "line 12 of 'PHOENIX-2014-T.dev.corpus.csv'".
    """

    id: str
    split: str
    texts: Mapping[str, tuple[str, ...]]
    where: str
    signer: str = ""
    pseudo: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    gloss: str | None = None
    pictures: Media | None = None
    pose: Media | None = None
    frames: int | None = None
    fps: float | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Everything that a release says: its entries in order, the faults of its label files, and what was recognised.

    `notes` are sentences such as "how2sign_realigned_val.csv: separated by commas, a re-saved variant".
    """

    entries: Sequence[Entry]
    faults: Sequence[Fault] = ()
    notes: Sequence[str] = ()
