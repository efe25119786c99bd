"""A corpus: a release as it was downloaded or generated, and the folder that its prepared form lies in.

A reader says where its labels are, what they say, and how a clip is recorded; preparing, naming and serving are the
same for all.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from sonar_slt.data.film import Film, filmed
from sonar_slt.data.known import Variant
from sonar_slt.data.layout import Layout
from sonar_slt.data.layouts import named
from sonar_slt.data.manifest import Manifest, Row
from sonar_slt.data.pose import PoseReader
from sonar_slt.data.preparation import Preparation
from sonar_slt.data.preparation.checks import bad_id
from sonar_slt.data.recording import Recording
from sonar_slt.data.release import Entry, Reading
from sonar_slt.data.store import ClipStore
from sonar_slt.errors import UserError


def clips_of(prepared: Path, rows: Manifest) -> ClipStore:
    """The clip store of a prepared folder, whose clips are those of the manifest, one by one."""
    clips = ClipStore(prepared / "clips")
    if rows.ids_digest != clips.ids_digest or not np.array_equal(rows.frames, clips.lengths):
        raise UserError(
            f"'{prepared / 'manifest.jsonl'}' does not belong to the clip store beside it, {len(rows)} rows to "
            f"{len(clips)} clips: choose clips by an own split or batches.limit, not by editing the file."
        )
    return clips


class Corpus(ABC):
    """What every reader is. Its own constructor takes what the corpus needs by keyword, and hands on the rest."""

    name: str  # of the yaml and of the prepared folder
    version: ClassVar[int] = 1  # raised when the same release would be read to another result
    sign_language: str  # ISO 639-3, such as gsg; "" where the corpus has several
    known: ClassVar[Sequence[Variant]] = ()  # the variants that circulate, with their counts
    frame_rate: float | None = None  # that the corpus has throughout, None where clips differ
    pattern: str = "*"  # of the names of a clip's pictures; others in its folder are stray files

    def __init__(self, *, folder: str | Path, preparation: Preparation, pose: PoseReader | None = None) -> None:
        self.corpora, self.preparation, self.pose = Path(folder), preparation, pose or PoseReader()

    @abstractmethod
    def label_files(self) -> Sequence[Path]:
        """The files whose content decides what the corpus is; each is there, or a UserError says what was expected."""

    @abstractmethod
    def settings(self) -> Mapping[str, Any]:
        """Everything that was asked for in plain values, but neither the place of the release nor the preparation."""

    @abstractmethod
    def read(self) -> Reading:
        """What the labels and folders say, in the order of the labels; no clip is opened."""

    def record(self, entry: Entry, *, size: tuple[int, int] | None = None) -> Recording | None:
        """The points of one clip, None where the release has pictures only; `size` is that of its pictures."""
        return None if entry.pose is None else self.pose.read(entry.pose, fps=entry.fps or self.frame_rate, size=size)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the label files, of what was asked for, and of how clips are prepared."""
        asked = [self.name, self.version, self.settings(), self.pose.described(), self.preparation.described()]
        found = hashlib.sha256(json.dumps(asked, sort_keys=True).encode())
        for path in self.label_files():
            with path.open("rb") as stream:
                found.update(hashlib.file_digest(stream, "sha256").digest())
        return found.hexdigest()[:12]

    @property
    def prepared(self) -> Path:
        """The folder of manifest, clip store, faults and report."""
        if why := bad_id(self.name):
            raise UserError(f"data.name={self.name!r} {why}: it names the folder of the prepared corpus.")
        return self.corpora / f"{self.name}-{self.fingerprint}"

    def prepare(self) -> None:
        """Bring the prepared form to disk unless it is there."""
        from sonar_slt.data.preparation.job import prepare

        prepare(self)

    def film(self, row: Row, *, step: int = 1) -> Film:
        """The pictures of a clip, every `step`-th of them."""
        return filmed(row, getattr(self, "root", None), pattern=self.pattern, step=step)

    def camera(self) -> Mapping[str, Any]:
        """What decides how clips look beside the files that the manifest names."""
        return {}

    @cached_property
    def rows(self) -> Manifest:
        """The manifest, a row per clip."""
        return Manifest(self.prepared / "manifest.jsonl")

    @cached_property
    def clips(self) -> ClipStore:
        """The points of each clip, in the order of the manifest."""
        if not (self.prepared / "clips").is_dir():
            raise UserError(
                f"The corpus {self.name} was prepared from pictures alone and has no points: give pose files by "
                "data.poses=FOLDER."
            )
        return clips_of(self.prepared, self.rows)

    @property
    def homes(self) -> Mapping[str, Path]:
        """The prepared folder of each corpus that this one is made of, by what stands before its clips' ids."""
        return {"": self.prepared}

    @property
    def media(self) -> Mapping[str, str]:
        """A digest of the clips of each, whatever is said of them."""
        return {"": self.rows.media_digest}

    @property
    def pools(self) -> Sequence[range]:
        """The rows of each corpus that this one is made of: all of them, of one."""
        return [range(len(self.rows))]

    @property
    def weights(self) -> Sequence[float] | None:
        """How often each of these is drawn from."""
        return None

    @cached_property
    def layout(self) -> Layout:
        """How the points of a frame are ordered."""
        return named(self.clips.layout)
