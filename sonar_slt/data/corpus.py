"""A corpus: a release as it was downloaded or generated, and the folder that its prepared form lies in.

A reader says where its labels are, what they say, and how a clip is recorded; preparing, naming and serving are the
same for all.
"""

from __future__ import annotations

import hashlib
import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from sonar_slt.data.film import Film, filmed
from sonar_slt.data.labels.known import Variant
from sonar_slt.data.manifest import Row
from sonar_slt.data.pose import PoseReader
from sonar_slt.data.preparation import Preparation
from sonar_slt.data.preparation.checks import bad_id
from sonar_slt.data.prepared_folder import has_points
from sonar_slt.data.recording import Recording
from sonar_slt.data.release import Entry, Reading
from sonar_slt.data.served import OneFolder
from sonar_slt.data.store import ClipStore
from sonar_slt.errors import UserError


class Corpus(OneFolder):
    """What every reader is. Its own constructor takes what the corpus needs by keyword, and hands on the rest."""

    name: str  # of the yaml and of the prepared folder
    version: ClassVar[int] = 1  # raised when the same release would be read to another result
    sign_language: str  # ISO 639-3, such as gsg; "" where the corpus has several
    known: ClassVar[Sequence[Variant]] = ()  # the variants that circulate, with their counts
    frame_rate: float | None = None  # that the corpus has throughout, None where clips differ
    root: Path | None = None  # of the release as it was given, None where there is none
    pattern: str = "*"  # of the names of a clip's pictures; others in its folder are stray files

    def __init__(self, *, folder: str | Path, preparation: Preparation, pose: PoseReader | None = None) -> None:
        self.folder, self.preparation, self.pose = Path(folder), preparation, pose or PoseReader()

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

    @property
    def release(self) -> Path | None:
        """The folder of the release, from which the manifest tells places: `root`, unless a reader looks about."""
        return self.root

    @property
    def reads_poses(self) -> bool:
        """Whether the points come from the pose files that the entries name, and are not made by the corpus itself."""
        return type(self).record is Corpus.record

    def described(self) -> dict[str, Any]:
        """What it is and all that was asked for, in plain values."""
        return {
            "corpus": self.name,
            "fingerprint": self.fingerprint,
            "sign_language": self.sign_language,
            "root": None if self.release is None else str(self.release),
            "settings": dict(self.settings()),
            "pose": self.pose.described(),
            "preparation": self.preparation.described(),
        }

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
        """The folder of manifest, clip store, faults and report: by name, and by a hash of what decides them."""
        if why := bad_id(self.name):
            raise UserError(f"data.name={self.name!r} {why}: it names the folder of the prepared corpus.")
        return self.folder / f"{self.name}-{self.fingerprint}"

    def prepare(self) -> None:
        """Bring the prepared form to disk unless it is there."""
        from sonar_slt.data.preparation.job import prepare  # which opens pictures: no label needs it

        prepare(self)

    def film(self, row: Row, *, step: int = 1) -> Film:
        """The pictures of a clip, every `step`-th of them, from where the release lies."""
        return filmed(row, self.release, pattern=self.pattern, step=step)

    @cached_property
    def clips(self) -> ClipStore:
        """The points of each clip, in the order of the manifest."""
        if not has_points(self.prepared):
            raise UserError(
                f"The corpus {self.name} was prepared from pictures alone and has no points: give pose files by "
                "data.poses=FOLDER."
            )
        return super().clips
