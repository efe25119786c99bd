"""Features that were extracted by SpaMo's scripts, a npy file per clip, as they circulate.

Spatial files end in `_s2wrapping`, motion files in `_overlap-8` or `_overlap-8-pretrained`, released ones in neither;
they lie in a folder or in folders of the splits. They are checked against the manifest and kept like our own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.faults import Fault
from sonar_slt.data.labels.places import SPLIT_NAMES
from sonar_slt.data.manifest import Row
from sonar_slt.data.pose.npy import read_npy
from sonar_slt.data.unreadable import Unreadable
from sonar_slt.errors import UserError
from sonar_slt.features.extraction.made import Filmed, Made, left_out

SUFFIX = re.compile(r"_s2wrapping|_overlap-\d+(-pretrained)?")
WINDOW, STRIDE = 16, 8


class SpamoFiles:
    """The files of `folder`, of `width` numbers a row. `track` says what a row is: a frame, or a window of 16 by 8."""

    dtype = "float16"

    def __init__(self, *, folder: str | Path, track: Literal["spatial", "motion"], width: int) -> None:
        self.folder, self.track, self.shape = Path(folder), track, (width,)
        if not self.folder.is_dir():
            raise UserError(f"folder={folder}: a folder of npy files, as SpaMo's scripts write them, was expected.")

    def described(self) -> dict[str, Any]:
        """Where the files lie, how many there are and how large they are in all."""
        sizes = sorted((path.name, path.stat().st_size) for paths in self._files.values() for path in paths)
        return {"kind": "spamo_files", "track": self.track, "width": self.shape[0], "files": sizes_hash(sizes)}

    def made(self, corpus: Filmed, chunks: Sequence[Sequence[Row]], *, workers: int) -> Iterator[Made]:
        """The file of every clip; no picture is looked at."""
        rows = [row for chunk in chunks for row in chunk]
        if rows and not any(row.id in self._files for row in rows):
            some = ", ".join(list(self._files)[:3]) or "none"
            raise UserError(
                f"'{self.folder}' has no file for any clip of {corpus.name}, such as {rows[0].id}; it has {some}."
            )
        for row in rows:
            yield self._clip(row)

    @cached_property
    def _files(self) -> dict[str, list[Path]]:
        """Every file by the id of its clip."""
        found: dict[str, list[Path]] = {}
        for path in sorted(self.folder.rglob("*.npy")):
            match = SUFFIX.search(path.stem)
            id = path.stem[: match.start()] if match and match.end() == len(path.stem) else path.stem
            found.setdefault(id, []).append(path)
        return found

    def _clip(self, row: Row) -> Made:
        paths = _of_split(self._files.get(row.id, []), row.split)
        if not paths:
            return Made(row, None, 0, [left_out(row, "missing_clip", f"has no npy file in '{self.folder.name}'")])
        try:
            values = self._read(paths[0])
        except Unreadable as error:
            return Made(row, None, 0, [left_out(row, "unreadable", str(error).rstrip("."))])
        return Made(row, values, row.frames, self._length(row, len(values)))

    def _read(self, path: Path) -> NDArray[np.float16]:
        array = read_npy(path)
        if array.ndim == 3 and 1 in array.shape[:2]:  # some writers keep an axis for the batch
            array = array.reshape(-1, array.shape[-1])
        if array.ndim != 2 or array.shape[1] != self.shape[0] or array.dtype.kind != "f" or not len(array):
            raise Unreadable(
                f"'{path.name}' holds {array.dtype} of shape {array.shape}; expected was (rows, {self.shape[0]})"
            )
        with np.errstate(over="ignore"):
            values = np.asarray(array, np.float16)
        if not np.isfinite(values).all():
            raise Unreadable(f"'{path.name}' holds numbers that are none, or beyond half precision")
        return values

    def _length(self, row: Row, rows: int) -> list[Fault]:
        """Files may keep the tail of a clip or drop it; what is neither does not fit the manifest."""
        fitting = {row.frames}
        if self.track == "motion":
            behind = max(0, row.frames - WINDOW)
            fitting = {behind // STRIDE + 1, -(-behind // STRIDE) + 1}
        if min(abs(rows - fit) for fit in fitting) <= (1 if self.track == "spatial" else 0):
            return []
        expected = " or ".join(map(str, sorted(fitting)))
        told = f"its npy file has {rows} rows, the manifest {row.frames} frames, for which {expected} were expected"
        return [Fault(id=row.id, kind="length_differs", told=told, split=row.split, done="kept")]


def _of_split(paths: Sequence[Path], split: str) -> Sequence[Path]:
    """Those in the folder of the split, else those in folders of none."""
    named = [path for path in paths if split in {SPLIT_NAMES.get(part, "") for part in path.parts}]
    return named or [path for path in paths if not any(part in SPLIT_NAMES for part in path.parts)]


def sizes_hash(sizes: Sequence[tuple[str, int]]) -> str:
    """A short hash of names and sizes."""
    return hashlib.sha256(repr(sizes).encode()).hexdigest()[:16]
