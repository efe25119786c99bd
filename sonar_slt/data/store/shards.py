"""The files of a clip store: shards of frames, and the index that says which clip lies where.

A shard is a plain npy file. Its frames are written first and counted in its header at the end; the header has room for
any number of them, so that its length never changes.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

INDEX, IDS, HASHES, DESCRIBED, JOURNAL = "index.npy", "ids.txt", "hashes.npy", "store.json", "journal"
SHARD, START, FRAMES, ID_END, CRC = range(5)  # the columns of the index
SHARDS = "points-*.npy"
FORMAT = 1
MAGIC = b"\x93NUMPY\x01\x00"
MOST = 10**18  # frames that a header has room for


@dataclass(frozen=True, slots=True)
class Frame:
    """What every frame of a store is: its shape, such as (points, 3), and its type."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, shape: Sequence[int], dtype: Any) -> Frame:
        """Little-endian numbers, whatever this machine prefers."""
        kind = np.dtype(dtype).newbyteorder("<")
        if kind.kind not in "fiub":
            raise ValueError(f"a clip store holds numbers, not {kind}")
        return cls(tuple(map(int, shape)), kind)

    @property
    def size(self) -> int:
        """Bytes of a frame."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def header_size(self) -> int:
        """Where the frames begin in each shard."""
        return -(-(len(MAGIC) + 2 + len(self._told(MOST)) + 1) // 64) * 64

    def header(self, frames: int) -> bytes:
        """The head of an npy file with so many of them."""
        rest = self.header_size - len(MAGIC) - 2
        return MAGIC + rest.to_bytes(2, "little") + self._told(frames).ljust(rest - 1) + b"\n"

    def _told(self, frames: int) -> bytes:
        return repr({"descr": self.dtype.str, "fortran_order": False, "shape": (frames, *self.shape)}).encode("ascii")


def shard_path(folder: Path, number: int) -> Path:
    """The file of a shard."""
    return folder / f"points-{number:03d}.npy"


def hash_of(name: str) -> int:
    """The hash by which an id is looked up."""
    return int.from_bytes(hashlib.blake2b(name.encode(errors="surrogatepass"), digest_size=8).digest(), "little")


def hash_table(names: Iterable[str]) -> NDArray[np.uint64]:
    """The ids' hashes, ascending, and below each the number of its clip: (2, clips)."""
    hashes = np.fromiter((hash_of(name) for name in names), np.uint64)
    order = np.argsort(hashes, kind="stable")
    return np.stack([hashes[order], order.astype(np.uint64)])


def index_digest(folder: Path) -> str:
    """A hash of the three files that say which clip lies where."""
    digest = hashlib.sha256()
    for name in (INDEX, IDS, HASHES):
        with (folder / name).open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:16]


def sync(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
