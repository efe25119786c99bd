"""Vectors on disk in segments: an array of vectors and an array of the keys that they are found by, whole or not there.

A segment exists when its keys do: the vectors are written before, and both are renamed into place. What a killed
process leaves behind is a draft that nobody reads.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

KEY = np.dtype("V16")
"""A key: 16 bytes of hash, compared as bytes."""

KEYS, VECTORS, DRAFT = ".keys.npy", ".vectors.npy", ".draft"
BLOCK = 4096
"""How many rows are copied at once from one file to another."""

MAPS = 128
"""How many segments a view keeps open: each takes a file descriptor, and a process may have 1,024 of them or fewer."""

WINDOW, AROUND = 2**24, 2**16
"""After so many bytes a view lets go of the pages that it read; each row comes with its neighbours, about so many."""

ABANDONED = 3600
"""Seconds after which a draft is a killed process's: locks may not reach a writer on another machine."""


@dataclass(frozen=True, slots=True)
class Segment:
    """The name of a segment, and its keys in the order of its vectors."""

    name: str
    keys: NDArray[np.void]  # (n,)


def segment_names(folder: Path) -> set[str]:
    """The segments of a folder that are there now."""
    try:
        found = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return set()
    return {name.removesuffix(KEYS) for name in found if name.endswith(KEYS)}


def open_segment(folder: Path, name: str, dim: int) -> Segment:
    """The keys of a segment, once its vectors are known to be as many; ValueError says what is wrong with it."""
    try:
        keys = np.load(folder / f"{name}{KEYS}", allow_pickle=False)
    except Exception as error:  # numpy meets a broken header in many ways
        raise ValueError("its keys cannot be read") from error
    if keys.dtype != np.uint8 or keys.ndim != 2 or keys.shape[1] != KEY.itemsize:
        raise ValueError(f"its keys are {keys.dtype} of shape {keys.shape}")
    try:
        vectors = mapped(folder, name)
    except Exception as error:
        raise ValueError("its vectors are not there, or not all of them") from error
    if vectors.dtype != np.float32 or vectors.shape != (len(keys), dim):
        raise ValueError(f"its vectors are {vectors.dtype} of shape {vectors.shape}, not ({len(keys)}, {dim})")
    return Segment(name, np.ascontiguousarray(keys).view(KEY).reshape(-1))


def mapped(folder: Path, name: str) -> NDArray[np.float32]:
    """The vectors (n, dim) of a segment, read from disk only where they are looked at."""
    vectors: NDArray[np.float32] = np.load(folder / f"{name}{VECTORS}", mmap_mode="r", allow_pickle=False)
    return vectors


def write_segment(folder: Path, keys: NDArray[np.void], vectors: NDArray[np.float32]) -> str:
    """Add a segment and say its name, a hash of its keys: written again, a damaged one is mended."""
    name = hashlib.blake2b(keys.tobytes(), digest_size=12).hexdigest()
    _place(folder / f"{name}{VECTORS}", lambda draft: _save(draft, vectors))
    _place(folder / f"{name}{KEYS}", lambda draft: _save(draft, keys.view(np.uint8).reshape(-1, KEY.itemsize)))
    return name


def clear_drafts(folder: Path) -> None:
    """Delete what processes that were killed left behind."""
    for draft in folder.glob(f"*{DRAFT}"):
        with suppress(OSError):  # another process deletes it, or its owner does not let us: it harms nobody
            if time.time() - draft.stat().st_mtime > ABANDONED:
                draft.unlink()


class CachedVectors:
    """Rows of vectors that lie in the segments of a folder, read when they are asked for and not before.

    It is small whatever the vectors take, and goes to another process as paths and row numbers.
    """

    def __init__(self, *, folder: Path, names: Sequence[str], places: NDArray[np.int32], dim: int) -> None:
        self.folder, self.names, self.dim = folder, tuple(names), dim
        self._places = places  # (N, 2): which segment, and which row there
        self._maps: dict[int, NDArray[np.float32]] = {}  # the one used last stands last
        self._looked_at = 0

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, rows: Sequence[int] | Tensor | slice) -> Tensor:
        """Copies (n, dim) of the asked rows, float32 on the CPU."""
        chosen: Any = rows.cpu().numpy() if isinstance(rows, Tensor) else rows
        if not isinstance(rows, Tensor | slice):
            chosen = np.asarray(rows, dtype=np.int64)
        places = self._places[chosen]
        vectors = np.empty((len(places), self.dim), dtype=np.float32)
        order = np.lexsort((places[:, 1], places[:, 0]))  # by file, then by place in it
        borders = np.flatnonzero(np.diff(places[order, 0])) + 1
        for part in np.split(order, borders) if len(order) else ():
            vectors[part] = self._map(int(places[part[0], 0]))[places[part, 1]]
        self._looked_at += len(places) * (AROUND + 4 * self.dim)
        if self._looked_at > WINDOW:
            self._let_go()
        return torch.from_numpy(vectors)

    def first(self, size: int) -> CachedVectors:
        """The first rows alone, still on disk."""
        return CachedVectors(folder=self.folder, names=self.names, places=self._places[:size], dim=self.dim)

    def save(self, path: Path) -> None:
        """Write all rows into one .npy file, which appears whole or not at all."""

        def fill(draft: Path) -> None:
            header = {"descr": "<f4", "fortran_order": False, "shape": (len(self), self.dim)}
            with draft.open("wb") as stream:
                np.lib.format.write_array_header_1_0(stream, header)
                for start in range(0, len(self), BLOCK):
                    stream.write(self[start : start + BLOCK].numpy().tobytes())
                _sync(stream)

        path.parent.mkdir(parents=True, exist_ok=True)
        _place(path, fill)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_maps": {}}

    def _let_go(self) -> None:
        """Pages of a file that one process alone has mapped count as its own memory: they stay in the system's."""
        self._looked_at = 0
        for opened in self._maps.values():
            pages: mmap.mmap | None = getattr(opened, "_mmap", None)
            if pages is not None and hasattr(mmap, "MADV_DONTNEED"):
                pages.madvise(mmap.MADV_DONTNEED)

    def _map(self, number: int) -> NDArray[np.float32]:
        opened = self._maps.pop(number, None)
        if opened is None:
            if len(self._maps) >= MAPS:
                del self._maps[next(iter(self._maps))]  # a map without an owner closes its file
            opened = mapped(self.folder, self.names[number])
        self._maps[number] = opened
        return opened


def _place(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a draft, then put it at `path` in one step."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}{DRAFT}")  # two machines may have the same process id
    try:
        write(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _save(path: Path, array: NDArray[Any]) -> None:
    with path.open("wb") as stream:
        np.save(stream, array, allow_pickle=False)
        _sync(stream)


def _sync(stream: Any) -> None:
    stream.flush()
    os.fsync(stream.fileno())
