"""What a store that is being written has so far: one line for each thing done, each with a check of its own.

A process may be killed between any two bytes; what counts is the lines up to the first that does not hold.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


class Journal:
    """Lines that are appended with one write each."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        self._end = 0

    def lines(self) -> Iterator[tuple[dict[str, Any], int]]:
        """Every line that holds, from the first on, and where it ends."""
        end = 0
        with os.fdopen(os.dup(self._file), "rb") as stream:
            stream.seek(0)
            for line in stream:
                if (value := _value(line)) is None:
                    return
                end += len(line)
                yield value, end

    def cut(self, end: int) -> None:
        """Forget what is behind a place, and go on there."""
        os.ftruncate(self._file, end)
        self._end = end

    def append(self, value: Mapping[str, Any]) -> None:
        """One more line."""
        text = json.dumps(value, ensure_ascii=True).encode("ascii")
        line = b"%08x %s\n" % (zlib.crc32(text), text)
        write_at(self._file, line, self._end)
        self._end += len(line)

    def sync(self) -> None:
        """Wait until every line is on the disk."""
        os.fsync(self._file)

    def close(self) -> None:
        """Let the file go; once more does nothing."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1


def write_at(file: int, data: Any, offset: int) -> None:
    """Write all of `data` at a place: what a failed write left is overwritten by the next."""
    view = memoryview(data)
    while len(view):
        written = os.pwrite(file, view, offset)
        view, offset = view[written:], offset + written


def _value(line: bytes) -> dict[str, Any] | None:
    check, _, text = line.rstrip(b"\n").partition(b" ")
    if not line.endswith(b"\n") or check != b"%08x" % zlib.crc32(text):
        return None
    value: dict[str, Any] = json.loads(text)
    return value
