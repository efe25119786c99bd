"""What preparing asks of a corpus: what its labels say, how a clip is recorded, and how clips are to be made alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from sonar_slt.data.labels.known import Variant
from sonar_slt.data.preparation.settings import Preparation
from sonar_slt.data.recording import Recording
from sonar_slt.data.release import Entry, Reading


class Preparable(Protocol):
    """A release, and the folder that its prepared form is to lie in; it goes to other processes."""

    def read(self) -> Reading:
        """What the labels and folders say; no clip is opened."""

    def record(self, entry: Entry, *, size: tuple[int, int] | None = None) -> Recording | None:
        """The points of one clip, None where the release has pictures only; `size` is that of its pictures."""

    def described(self) -> Mapping[str, Any]:
        """What it is and all that was asked for, in plain values."""

    @property
    def name(self) -> str:
        """Of the prepared folder and of the rows."""

    @property
    def sign_language(self) -> str:
        """ISO 639-3, "" where there are several."""

    @property
    def known(self) -> Sequence[Variant]:
        """The variants that circulate."""

    @property
    def release(self) -> Path | None:
        """The folder of the release, from which places are told."""

    @property
    def frame_rate(self) -> float | None:
        """That of all clips, None where they differ."""

    @property
    def pattern(self) -> str:
        """Of the names of a clip's pictures."""

    @property
    def reads_poses(self) -> bool:
        """Whether the points come from the pose files that the entries name."""

    @property
    def preparation(self) -> Preparation:
        """How clips are made alike, and which are left out."""

    @property
    def prepared(self) -> Path:
        """The folder of the prepared form."""
