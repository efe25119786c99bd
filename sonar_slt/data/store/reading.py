"""Reading a clip store: views of memory-mapped shards, by number or by id, that cost no memory of their own."""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import weakref
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.store.shards import (
    CRC,
    DESCRIBED,
    FORMAT,
    FRAMES,
    HASHES,
    ID_END,
    IDS,
    INDEX,
    JOURNAL,
    Frame,
    hash_of,
    index_digest,
    shard_path,
)
from sonar_slt.errors import UserError

WINDOW = 2**20
"""After so many bytes the pages that were read are let go: they stay in the system's cache, not in the process."""

AROUND = 2**16
"""A page that is not mapped yet comes with its neighbours: so many bytes on Linux."""


class ClipStore:
    """Clips in the order in which they were written: `store[number]` or `store[id]` is a read-only view (frames, ...).

    `shape` is that of one frame, such as (points, 3); `lengths` (clips,) counts frames; `described` is what the writer
    told. Other processes get the folder's name and open it anew.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = folder = Path(folder)
        told = self._told()
        try:
            self._frame = Frame.of(told["shape"], told["dtype"])
            self.described: dict[str, Any] = dict(told["described"])
            if index_digest(folder) != told["index"]:
                raise ValueError("its index is not the one that was written")
            index = np.load(folder / INDEX, mmap_mode="r", allow_pickle=False)
            self._index = index.view(np.ndarray)
            self._check_places(told["shards"])
            hashes = np.load(folder / HASHES, mmap_mode="r", allow_pickle=False)
            self._hashes = hashes.view(np.ndarray)
            self._ids = _mapped(folder / IDS)
            self._files: list[int] = []
            weakref.finalize(self, _close, self._files)
            self._maps = [self._opened(shard, frames) for shard, frames in enumerate(told["shards"])]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._broken(error) from error
        self._shards = [
            np.ndarray((frames, *self.shape), self.dtype, buffer=shard, offset=self._frame.header_size)
            for shard, frames in zip(self._maps, told["shards"], strict=True)
        ]
        pages = (*self._maps, self._ids, *(getattr(array, "_mmap", None) for array in (index, hashes)))
        self._paged = [mapped for mapped in pages if isinstance(mapped, mmap.mmap)]
        self._handed = 0

    @property
    def layout(self) -> str:
        """How the points of a frame are ordered: the name of a layout."""
        return str(self.described.get("layout", ""))

    @property
    def normalised(self) -> str:
        """How the points were normalised."""
        return str(self.described.get("normalised", ""))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one frame."""
        return self._frame.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of its numbers."""
        return self._frame.dtype

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How many frames each clip has, (clips,)."""
        lengths: NDArray[np.int64] = self._index[:, FRAMES]
        return lengths

    @property
    def ids(self) -> Iterator[str]:
        """The ids in order."""
        return map(self.id_of, range(len(self)))

    @property
    def ids_digest(self) -> str:
        """A hash of the ids in order, one a line, as a manifest has it of its own."""
        return hashlib.sha256((self.folder / IDS).read_bytes()).hexdigest()

    def __reduce__(self) -> tuple[type[ClipStore], tuple[Path]]:
        return ClipStore, (self.folder,)

    def __len__(self) -> int:
        return len(self._index)

    def __contains__(self, clip: str) -> bool:
        return self._number(clip) is not None

    def __getitem__(self, clip: int | str) -> NDArray[Any]:
        """A view of a clip's frames; it stays valid as long as it is held."""
        shard, start, frames = self._place(clip)
        view: NDArray[Any] = self._shards[shard][start : start + frames]
        self._touched(view.nbytes)
        return view

    def read(self, clip: int | str) -> NDArray[Any]:
        """A copy of a clip's frames: where all of them are wanted this is faster than a view, for nothing is mapped."""
        shard, start, frames = self._place(clip)
        self._touched(0)  # pages of the index
        copy: NDArray[Any] = np.empty((frames, *self.shape), self.dtype)
        first = self._frame.header_size + start * self._frame.size
        into = copy.reshape(-1).view(np.uint8).data
        while len(into):
            got = os.preadv(self._files[shard], [into], first)
            if not got:
                raise self._broken(ValueError(f"'{shard_path(self.folder, shard).name}' became shorter"))
            into, first = into[got:], first + got
        return copy

    def number(self, clip: str) -> int:
        """The place of an id in the order of the store."""
        found = self._number(clip)
        if found is None:
            raise KeyError(f"the clip store '{self.folder}' has no clip '{clip}'")
        return found

    def id_of(self, number: int) -> str:
        """The id at a place."""
        end = int(self._index[number, ID_END])
        start = int(self._index[number - 1, ID_END]) + 1 if number else 0
        return bytes(self._ids[start:end]).decode()

    def damaged(self) -> list[str]:
        """The ids of clips whose bytes are no longer those that were written; every byte is read."""
        found = []
        for number in range(len(self)):
            if zlib.crc32(self[number].reshape(-1).view(np.uint8).data) != self._index[number, CRC]:
                found.append(self.id_of(number))
        return found

    def _number(self, clip: str) -> int | None:
        wanted = np.uint64(hash_of(clip))
        at = int(np.searchsorted(self._hashes[0], wanted))
        while at < len(self) and self._hashes[0, at] == wanted:
            if self.id_of(number := int(self._hashes[1, at])) == clip:
                return number
            at += 1
        return None

    def _place(self, clip: int | str) -> tuple[int, int, int]:
        """The shard of a clip, its first frame there, and how many it has."""
        shard, start, frames, _, _ = self._index[self.number(clip) if isinstance(clip, str) else clip].tolist()
        return shard, start, frames

    def _touched(self, size: int) -> None:
        """Pages of a file that one process alone has mapped would count as its own memory, clip after clip."""
        self._handed += size + AROUND
        if self._handed <= WINDOW:
            return
        self._handed = 0
        if hasattr(mmap, "MADV_DONTNEED"):
            for pages in self._paged:
                pages.madvise(mmap.MADV_DONTNEED)

    def _check_places(self, shards: Sequence[int]) -> None:
        """Every clip lies inside a shard."""
        held = np.array([*shards, 0], np.int64)
        shard, ends = self._index[:, 0], self._index[:, 1] + self._index[:, FRAMES]
        if len(shard) and (shard.min() < 0 or shard.max() >= len(shards) or (ends > held[shard]).any()):
            raise ValueError("its index names places that no shard has")

    def _told(self) -> dict[str, Any]:
        if (self.folder / JOURNAL).is_file():
            raise UserError(
                f"The clip store '{self.folder}' is unfinished: prepare its corpus again, and it is gone on with."
            )
        if not (self.folder / DESCRIBED).is_file():
            raise UserError(f"No clip store at '{self.folder}'.")
        try:
            told = json.loads((self.folder / DESCRIBED).read_text(encoding="utf-8"))
            if told["format"] != FORMAT:
                raise ValueError(f"it has format {told['format']}, and {FORMAT} is read here")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._broken(error) from error
        return dict(told)

    def _opened(self, number: int, frames: int) -> mmap.mmap:
        path, frame = shard_path(self.folder, number), self._frame
        expected = frame.header_size + frames * frame.size
        with path.open("rb") as stream:
            if (size := path.stat().st_size) != expected:
                raise ValueError(f"'{path.name}' has {size} bytes, {expected} were written")
            if stream.read(frame.header_size) != frame.header(frames):
                raise ValueError(f"'{path.name}' does not begin as it was written")
            self._files.append(os.dup(stream.fileno()))
            return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)

    def _broken(self, error: Exception) -> UserError:
        told = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        return UserError(
            f"The clip store '{self.folder}' is broken: {told}; remove its corpus's folder and prepare it anew."
        )


def _close(files: Sequence[int]) -> None:
    for file in files:
        os.close(file)


def _mapped(path: Path) -> mmap.mmap | bytes:
    with path.open("rb") as stream:
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) if path.stat().st_size else b""
