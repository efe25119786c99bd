"""Writing a clip store: clip after clip, each whole once it is noted in the journal, gone on with after a kill.

Whatever the interruptions, the finished files are the same byte for byte.
"""

from __future__ import annotations

import io
import json
import os
import time
import zlib
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.store.journal import Journal, write_at
from sonar_slt.data.store.shards import (
    DESCRIBED,
    FORMAT,
    HASHES,
    IDS,
    INDEX,
    JOURNAL,
    SHARDS,
    Frame,
    hash_table,
    index_digest,
    shard_path,
    sync,
)
from sonar_slt.errors import UserError
from sonar_slt.files import write_atomically

ON_DISK = {"on_disk": True}
"""A line which says that everything before it has reached the disk."""


class StoreWriter:
    """Appends clips to a store that is not finished; one process, one thread.

    `described` is kept with the store: its `layout`, how it is `normalised`, and what else a reader may ask for. A
    shard ends before it would exceed `shard_bytes`. `recovered` are the notes of everything that was appended before
    the process was killed, or the first `keep` of them: what came later is forgotten. Every `sync_seconds` the writer
    waits for the disk: a power cut loses no more than that.
    """

    def __init__(
        self,
        folder: Path,
        *,
        shape: Sequence[int],
        dtype: Any,
        described: Mapping[str, Any],
        shard_bytes: int = 2**30,
        sync_seconds: float = 10.0,
        keep: int | None = None,
    ) -> None:
        if (folder / DESCRIBED).is_file() and not (folder / JOURNAL).is_file():
            raise ValueError(f"the clip store '{folder}' is finished")
        self.folder, self._frame, self._described = folder, Frame.of(shape, dtype), dict(described)
        self._shard_bytes, self._sync_seconds, self._synced = shard_bytes, sync_seconds, time.monotonic()
        self._places = array("q")  # five numbers a clip, as the index has them
        self._ids: dict[str, None] = {}
        self._id_end = -1
        self._frames: list[int] = []  # of each shard
        self._files: list[int] = []
        folder.mkdir(parents=True, exist_ok=True)
        self._journal = Journal(folder / JOURNAL)
        self.recovered: list[dict[str, Any]] = []
        try:
            self._recover(keep)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> StoreWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def append(self, clip: str, frames: NDArray[Any] | None, note: Mapping[str, Any]) -> None:
        """Add a clip (frames, *shape), and a note that is given back if the process is killed; None leaves no clip."""
        line: dict[str, Any] = {"id": clip, "note": note}
        if frames is not None:
            self._check(clip)
            data = self._bytes(clip, frames)
            line |= {"frames": len(frames), "crc": zlib.crc32(data)}
            shard, start = self._next_place(len(frames))
            write_at(self._file(shard), data, self._frame.header_size + start * self._frame.size)
        self._journal.append(line)
        self._count(line)
        if time.monotonic() - self._synced > self._sync_seconds:
            self._sync()

    def finish(self) -> None:
        """Write the headers and the index; the store is finished when the journal is gone."""
        for shard, frames in enumerate(self._frames):
            os.ftruncate(self._file(shard), self._frame.header_size + frames * self._frame.size)
            write_at(self._file(shard), self._frame.header(frames), 0)
            os.fsync(self._file(shard))
        index = np.array(self._places, np.int64).reshape(-1, 5)
        _write(self.folder / INDEX, _npy(index))
        _write(self.folder / HASHES, _npy(hash_table(self._ids)))
        _write(self.folder / IDS, "".join(f"{clip}\n" for clip in self._ids).encode())
        told = {
            "format": FORMAT,
            "shape": self._frame.shape,
            "dtype": self._frame.dtype.str,
            "shards": self._frames,
            "index": index_digest(self.folder),
            "described": self._described,
        }
        write_atomically(self.folder / DESCRIBED, json.dumps(told, indent=2, ensure_ascii=False) + "\n")
        sync(self.folder)
        self.close()
        (self.folder / JOURNAL).unlink()
        sync(self.folder)

    def close(self) -> None:
        """Let the files go; what is not finished may be gone on with."""
        for file in self._files:
            os.close(file)
        self._files = []
        self._journal.close()

    # --- where a clip goes --------------------------------------------------------------------------------------

    def _next_place(self, frames: int) -> tuple[int, int]:
        """The shard that the next clip belongs to, and its first frame there."""
        if not self._frames:
            return 0, 0
        held = self._frames[-1]
        full = held and (held + frames) * self._frame.size > self._shard_bytes
        return (len(self._frames), 0) if full else (len(self._frames) - 1, held)

    def _count(self, line: Mapping[str, Any]) -> None:
        """Take note of what a line of the journal says."""
        if "frames" not in line:
            return
        shard, start = self._next_place(line["frames"])
        if shard == len(self._frames):
            self._frames.append(0)
        self._frames[shard] += line["frames"]
        self._ids[line["id"]] = None
        self._id_end += len(line["id"].encode()) + 1
        self._places.extend((shard, start, line["frames"], self._id_end, line["crc"]))

    def _file(self, shard: int) -> int:
        while shard >= len(self._files):
            path = shard_path(self.folder, len(self._files))
            self._files.append(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666))
        return self._files[shard]

    def _check(self, clip: str) -> None:
        if not clip or "\n" in clip or any("\ud800" <= letter <= "\udfff" for letter in clip):
            raise ValueError(f"{clip!r} cannot be the id of a clip")
        if clip in self._ids:
            raise ValueError(f"clip '{clip}' is in the store already")

    def _bytes(self, clip: str, frames: NDArray[Any]) -> memoryview:
        if frames.shape[1:] != self._frame.shape:
            raise ValueError(f"clip '{clip}' has frames of {frames.shape[1:]}, the store of {self._frame.shape}")
        if not np.can_cast(frames.dtype, self._frame.dtype, "same_kind"):
            raise ValueError(f"clip '{clip}' has numbers of {frames.dtype}, the store of {self._frame.dtype}")
        try:
            with np.errstate(over="raise"):
                stored = np.ascontiguousarray(frames, self._frame.dtype)
        except FloatingPointError:
            raise ValueError(f"clip '{clip}' has numbers too large for {self._frame.dtype}") from None
        return stored.reshape(-1).view(np.uint8).data

    # --- what an earlier process left ---------------------------------------------------------------------------

    def _recover(self, keep: int | None) -> None:
        begun = {"format": FORMAT, "shape": list(self._frame.shape), "dtype": self._frame.dtype.str}
        begun |= {"described": self._described, "shard_bytes": self._shard_bytes}
        begun = json.loads(json.dumps(begun))
        lines = list(self._journal.lines())
        if lines and lines[0][0] != begun:
            raise UserError(f"'{self.folder}' was begun with other settings: remove the folder and prepare anew.")
        self._journal.cut(self._believed(lines, keep))
        self._journal.sync()  # before anything is written where the forgotten clips lay
        for file in self._files[len(self._frames) :]:
            os.close(file)
        del self._files[len(self._frames) :]
        known = {shard_path(self.folder, shard) for shard in range(len(self._frames))}
        for path in set(self.folder.glob(SHARDS)) - known:
            path.unlink()
        for shard, frames in enumerate(self._frames):
            os.ftruncate(self._file(shard), self._frame.header_size + frames * self._frame.size)
        if not lines:
            self._journal.append(begun)
            self._sync()

    def _believed(self, lines: Sequence[tuple[dict[str, Any], int]], keep: int | None) -> int:
        """Take the lines whose clips are whole, and tell where the last of them ends.

        What was written before a wait for the disk is on it. Of what came later any part may have been lost, so that
        those bytes are read again.
        """
        if not lines:
            return 0
        sure = max((number for number, (line, _) in enumerate(lines) if line == ON_DISK), default=0)
        end = lines[0][1]
        for number, (line, ends) in enumerate(lines[1:], start=1):
            if "note" in line and len(self.recovered) == keep:
                break
            if "frames" in line and not self._is_whole(line, check=number > sure):
                break
            self._count(line)
            if "note" in line:
                self.recovered.append(line["note"])
            end = ends
        return end

    def _is_whole(self, line: Mapping[str, Any], *, check: bool) -> bool:
        shard, start = self._next_place(line["frames"])
        file, first = self._file(shard), self._frame.header_size + start * self._frame.size
        size = line["frames"] * self._frame.size
        if os.fstat(file).st_size < first + size:
            return False
        return not check or zlib.crc32(os.pread(file, size, first)) == line["crc"]

    def _sync(self) -> None:
        for file in self._files:
            os.fsync(file)
        sync(self.folder)
        self._journal.append(ON_DISK)
        self._journal.sync()
        self._synced = time.monotonic()


def _npy(values: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values, allow_pickle=False)
    return stream.getvalue()


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
