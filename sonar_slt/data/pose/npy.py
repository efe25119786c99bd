"""Arrays of numbers out of .npy and .npz files of strangers: nothing is unpickled, and nothing allocated on a claim.

numpy would allocate what a header says before it looks at how much is there.
"""

from __future__ import annotations

import ast
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.unreadable import Unreadable

LONGEST_HEADER = 1 << 14  # bytes; three numbers and a type take about a hundred
UNSUSPICIOUS = 64 << 20  # bytes of a file's arrays however well they are packed
TIGHTEST = 200  # times; of larger ones only a bomb is packed so well
MOST_AXES = 4
_LARGEST = 1 << 40  # numbers

_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, RuntimeError, EOFError, KeyError, OverflowError)
_DTYPE = re.compile(r"[<>|=]?[fiub]\d{1,2}|[<>|=]?U\d{1,4}")


@dataclass(frozen=True, slots=True)
class _Header:
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    order: Literal["C", "F"]

    @property
    def size(self) -> int:
        return prod(self.shape) * self.dtype.itemsize


def read_npy(path: Path) -> NDArray[Any]:
    """The array of a .npy file, mapped so that only what is used is read."""
    with open(path, "rb") as file:
        header = _header(file, f"'{path.name}'")
        start, length = file.tell(), os.fstat(file.fileno()).st_size
    _whole(header, length - start, f"'{path.name}'")
    if not header.size:
        return np.zeros(header.shape, header.dtype)
    return np.memmap(path, header.dtype, mode="r", offset=start, shape=header.shape, order=header.order)


def read_npz(path: Path, keys: Sequence[str], beside: Sequence[str]) -> Mapping[str, NDArray[Any]]:
    """Of a .npz file's arrays those named in `beside`, and first one of points; the others are not unpacked.

    The array of points is the first of `keys` that is there, otherwise the only one of numbers with two or three axes.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = [info for info in archive.infolist() if info.filename.endswith(".npy")]
            members = {info.filename.removesuffix(".npy"): info for info in arrays}
            points = next((key for key in keys if key in members), None)
            if points is None:
                points = _only(archive, {key: info for key, info in members.items() if key not in beside}, path, keys)
            taken = [members[key] for key in (points, *beside) if key in members]
            _bearable(taken, path)
            return {info.filename.removesuffix(".npy"): _member(archive, info, path.name) for info in taken}
    except Unreadable:
        raise
    except _BROKEN as error:
        raise Unreadable(f"'{path.name}' is cut short or is no .npz file: {error}.") from error


def _only(archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], path: Path, keys: Sequence[str]) -> str:
    """The member that may hold points, by the headers alone."""
    found = list(members) if len(members) == 1 else []
    for key, info in members.items() if len(members) > 1 else ():
        with suppress(Unreadable), _opened(archive, info, path.name) as file:
            header = _header(file, path.name)
            if len(header.shape) in (2, 3) and header.dtype.kind in "fiu":
                found.append(key)
    if len(found) != 1:
        held = ", ".join(f"'{key}'" for key in members) or "nothing"
        raise Unreadable(f"'{path.name}' has its points under none of {', '.join(keys)}; it holds {held}.")
    return found[0]


def _bearable(taken: Sequence[zipfile.ZipInfo], path: Path) -> None:
    """What is unpacked of a file is not much more than the file, whatever its members say of themselves."""
    packed, unpacked = (sum(getattr(info, size) for info in taken) for size in ("compress_size", "file_size"))
    if packed > (length := path.stat().st_size):
        raise Unreadable(f"'{path.name}' says that it holds {packed} bytes, but has {length}.")
    if unpacked > max(UNSUSPICIOUS, TIGHTEST * packed):
        raise Unreadable(f"'{path.name}' would unpack {packed} bytes to {unpacked}.")


def _opened(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> IO[bytes]:
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unreadable(
            f"'{info.filename.removesuffix('.npy')}' in '{name}' is packed in a way that numpy does not write."
        )
    return archive.open(info)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> NDArray[Any]:
    told = f"'{info.filename.removesuffix('.npy')}' in '{name}'"
    with _opened(archive, info, name) as file:
        header = _header(file, told)
        content = file.read(info.file_size)
    _whole(header, len(content), told)
    if not header.size:
        return np.zeros(header.shape, header.dtype)
    return np.frombuffer(content, header.dtype).reshape(header.shape, order=header.order)


def _header(file: IO[bytes], told: str) -> _Header:
    magic = file.read(8)
    if magic[:6] != b"\x93NUMPY" or magic[6:7] not in (b"\x01", b"\x02", b"\x03"):
        raise Unreadable(f"{told} is no array of numpy's.")
    count = 2 if magic[6] == 1 else 4
    length = int.from_bytes(file.read(count), "little")
    text = file.read(length) if length <= LONGEST_HEADER else b""
    try:
        fields = ast.literal_eval(text.decode("latin-1" if magic[6] < 3 else "utf-8").strip())
        dtype, shape, order = fields["descr"], fields["shape"], fields["fortran_order"]
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError) as error:
        raise Unreadable(f"{told} is cut short or has no array's header.") from error
    if not (isinstance(dtype, str) and _DTYPE.fullmatch(dtype)):
        held = (
            "Python objects, a pickle, which is never loaded" if "O" in str(dtype) else f"{dtype} and no plain numbers"
        )
        raise Unreadable(f"{told} holds {held}.")
    if not (isinstance(shape, tuple) and len(shape) <= MOST_AXES and _possible(shape)):
        raise Unreadable(f"{told} has an impossible shape.")
    try:
        return _Header(np.dtype(dtype), shape, "F" if order is True else "C")
    except TypeError as error:
        raise Unreadable(f"{told} holds {dtype}, which is no type of numbers.") from error


def _possible(shape: tuple[object, ...]) -> bool:
    axes = [axis for axis in shape if isinstance(axis, int) and not isinstance(axis, bool) and axis >= 0]
    return len(axes) == len(shape) and prod(max(axis, 1) for axis in axes) <= _LARGEST


def _whole(header: _Header, length: int, told: str) -> None:
    if header.size != length:
        raise Unreadable(
            f"{told} is {'cut short' if length < header.size else 'longer than it says'}: "
            f"its shape {header.shape} takes {header.size} bytes, but {length} are there."
        )
