"""What a corpus is to whoever reads it: rows and clips in one order, prepared, of one folder or of several.

Everything that `data=` can name is one of these; a corpus of one folder needs no more than to know where that lies.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.film import Film
from sonar_slt.data.layout import Layout
from sonar_slt.data.layouts import named
from sonar_slt.data.manifest import Manifest, Row, Rows
from sonar_slt.data.prepared_folder import CLIPS, MANIFEST
from sonar_slt.data.store import ClipStore
from sonar_slt.errors import UserError


class Store(Protocol):
    """The points of clips: a view (frames, points, 3) by a clip's number or id."""

    def __len__(self) -> int: ...

    def __getitem__(self, clip: int | str) -> NDArray[Any]: ...


class Served(ABC):
    """A manifest and a clip store whose clips stand in the manifest's order, of one corpus or of several."""

    name: str

    @abstractmethod
    def prepare(self) -> None:
        """Bring all of it to disk unless it is there."""

    @property
    @abstractmethod
    def parts(self) -> Mapping[str, OneFolder]:
        """The corpora that this one is made of, by the names that stand before their clips' ids; itself by none."""

    @property
    @abstractmethod
    def rows(self) -> Rows:
        """The manifest, a row per clip."""

    @property
    @abstractmethod
    def clips(self) -> Store:
        """The points of each clip, in the order of the manifest."""

    @property
    @abstractmethod
    def layout(self) -> Layout:
        """How the points of a frame are ordered."""

    @property
    def weights(self) -> Sequence[float] | None:
        """How often each part is drawn from; None where every clip counts alike."""
        return None

    @property
    def homes(self) -> Mapping[str, Path]:
        """The prepared folder of each part, by what stands before its clips' ids."""
        return {_before(name): part.prepared for name, part in self.parts.items()}

    @property
    def media(self) -> Mapping[str, str]:
        """A digest of the clips of each part, whatever is said of them."""
        return {_before(name): part.rows.media_digest for name, part in self.parts.items()}

    @property
    def pools(self) -> Sequence[range]:
        """The row numbers of each part."""
        borders = [0, *accumulate(len(part.rows) for part in self.parts.values())]
        return [range(start, end) for start, end in pairwise(borders)]


class OneFolder(Served):
    """A corpus that is one prepared folder."""

    @property
    @abstractmethod
    def prepared(self) -> Path:
        """The folder of manifest, clip store, faults and report."""

    @abstractmethod
    def film(self, row: Row, *, step: int = 1) -> Film:
        """The pictures of a clip, every `step`-th of them."""

    def camera(self) -> Mapping[str, Any]:
        """What decides how clips look beside the files that the manifest names."""
        return {}

    @cached_property
    def rows(self) -> Manifest:
        """The manifest, a row per clip."""
        return Manifest(self.prepared / MANIFEST)

    @cached_property
    def clips(self) -> ClipStore:
        """The points of each clip, in the order of the manifest."""
        clips = ClipStore(self.prepared / CLIPS)
        if self.rows.ids_digest != clips.ids_digest or not np.array_equal(self.rows.frames, clips.lengths):
            raise UserError(
                f"'{self.prepared / MANIFEST}' does not belong to the clip store beside it, {len(self.rows)} rows to "
                f"{len(clips)} clips: choose clips by an own split or batches.limit, not by editing the file."
            )
        return clips

    @cached_property
    def layout(self) -> Layout:
        """How the points of a frame are ordered."""
        return named(self.clips.layout)

    @property
    def parts(self) -> Mapping[str, OneFolder]:
        """Itself."""
        return {"": self}


def parts_of(data: Any) -> list[Any]:
    """The corpora that clips are of; what has no clips is given back as it is."""
    return list(data.parts.values()) if isinstance(data, Served) else [data]


def _before(name: str) -> str:
    """What stands before the ids of a part's clips."""
    return f"{name}/" if name else ""
