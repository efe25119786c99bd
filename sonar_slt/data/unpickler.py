"""Label files that came as pickles, read without running anything that they ask for.

A pickle is a program. This is a machine of our own for the harmless part of its language: it builds containers,
strings, numbers and plain numpy arrays, knows a torch tensor by its shape, and looks up no name outside this file.
"""

from __future__ import annotations

import ast
import gzip
import io
import math
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from pickletools import genops
from typing import Any, BinaryIO

import numpy as np

from sonar_slt.errors import UserError

_PIECE = 1 << 24  # bytes asked for at once, so that a declared size costs no more memory than the file has
_LONGEST = 1 << 30  # bytes of one string or array
_MOST_STEPS = 50_000_000  # the largest label files that circulate take two million
_NPY = b"\x93NUMPY"


class _Malformed(ValueError):
    """What is wrong with the pickle; becomes a UserError that names the file."""


class _Refused(ValueError):
    """What the pickle asks for and does not get."""


class TensorShape(tuple[int, ...]):
    """What is kept of a torch tensor inside a label file: its shape."""


def load(path: Path) -> Any:
    """The plain content of a pickle, gzipped or not, or of a .npy file; arrays come as numpy's.

    Whatever else the file asks for is refused by name, whatever is cut short or garbage is told.
    """
    with _told(path), open(path, "rb") as file:
        magic = file.read(8)
        file.seek(0)
        if magic.startswith(_NPY):
            return _read_npy(file)
        if magic.startswith(b"PK"):
            raise _Malformed("it is a zip archive")
        if magic.startswith(b"\x1f\x8b"):
            with gzip.open(file) as unzipped:
                return _Machine().run(_Source(io.BufferedReader(unzipped)))  # type: ignore[type-var]
        return _Machine().run(_Source(file))


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except _Refused as error:
        raise UserError(
            f"'{path}' asks for {error}: only plain containers, strings, numbers and arrays are read from a pickle, "
            "for anything else could run as a program; have the file written again with those alone."
        ) from error
    except FileNotFoundError as error:
        raise UserError(f"'{path}' is not there.") from error
    except IsADirectoryError as error:
        raise UserError(f"'{path}' is a folder; a file was expected.") from error
    except RecursionError as error:
        raise UserError(f"'{path}' cannot be read: its containers lie too deep in each other.") from error
    except (ValueError, LookupError, TypeError, EOFError, OverflowError, MemoryError, zlib.error, OSError) as error:
        why = str(error) or type(error).__name__
        raise UserError(f"'{path}' is cut short or is no label file ({why[:200]}).") from error


class _Source:
    """The bytes of a file for pickletools, in pieces."""

    def __init__(self, stream: BinaryIO | io.BufferedReader) -> None:
        self.stream, self.tell = stream, stream.tell

    def read(self, count: int) -> bytes:
        if count <= _PIECE:
            return self.stream.read(count)
        if count > _LONGEST:
            raise _Malformed(f"a value of {count} bytes is declared")
        pieces = bytearray()
        while len(pieces) < count and (piece := self.stream.read(min(_PIECE, count - len(pieces)))):
            pieces += piece
        return bytes(pieces)

    def readline(self) -> bytes:
        return self.stream.readline(_PIECE)


class _EightBit(bytes):
    """A string of Python 2: text, or the raw bytes of an array."""


@dataclass(frozen=True, slots=True)
class _Global:
    """Our own stand-in for a function that a pickle may name."""

    name: str
    make: Callable[..., Any]


class _Storage:
    """The numbers of a torch tensor, which are not kept."""


class _Dtype:
    """A numpy dtype as it is written: kind, bytes and their order."""

    __slots__ = ("code", "order")
    PLAIN = re.compile(r"b1|[iu][1248]|f[248]|[SU][1-9]\d{0,5}|O[48]?")

    def __init__(self, code: Any, align: Any = False, copy: Any = True) -> None:
        code = code.decode() if isinstance(code, _EightBit) else code
        if not isinstance(code, str) or not self.PLAIN.fullmatch(code):
            raise _Refused(f"an array of {str(code)[:40]}")
        self.code, self.order = code, "|"

    def build(self, state: Any) -> None:
        order = state[1].decode() if isinstance(state[1], _EightBit) else state[1]
        if order not in ("<", ">", "|", "=") or state[3] is not None:
            raise _Refused("an array of records")
        self.order = order

    @property
    def numpy(self) -> np.dtype[Any]:
        return np.dtype(self.code[0] if self.code[0] == "O" else self.order + self.code)


class _Array:
    """A numpy array on its way: made empty, filled by its state, and turned into numpy's own when all is read."""

    __slots__ = ("dtype", "fortran", "raw", "shape")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self) -> None:
        self.shape: tuple[int, ...] = ()
        self.raw: bytes | list[Any] | None = None

    def build(self, state: Any) -> None:
        self.fill(*(state if len(state) == 4 else state[1:]))

    def fill(self, shape: Any, dtype: Any, fortran: Any, raw: Any) -> None:
        if type(shape) is not tuple or len(shape) > 32 or any(type(n) is not int or n < 0 for n in shape):
            raise _Malformed("an array's shape is no shape")
        if type(dtype) is not _Dtype or not isinstance(raw, list if dtype.code[0] == "O" else bytes):
            raise _Malformed("an array's content does not fit its type")
        width = 1 if isinstance(raw, list) else dtype.numpy.itemsize
        if math.prod(shape) * width != len(raw):
            raise _Malformed(f"an array of shape {shape} holds {len(raw) // width} values")
        self.shape, self.dtype, self.fortran, self.raw = shape, dtype, bool(fortran), raw

    def numpy(self, plain: Callable[[Any], Any]) -> np.ndarray[Any, np.dtype[Any]]:
        if self.raw is None:
            raise _Malformed("an array has no content")
        flat = np.empty(len(self.raw), object) if isinstance(self.raw, list) else None
        if flat is None:
            flat = np.frombuffer(bytearray(self.raw), self.dtype.numpy)
            if flat.dtype.kind == "U":
                flat.tolist()  # raises where the numbers are no characters
        else:
            for position, value in enumerate(self.raw):
                flat[position] = plain(value)
        return flat.reshape(self.shape, order="F" if self.fortran else "C")


def _reconstruct(kind: Any, shape: Any, code: Any) -> _Array:
    if kind is not _NDARRAY:
        raise _Refused("an array of another class")
    return _Array()


def _from_buffer(raw: Any, dtype: Any, shape: Any, order: Any, axis_order: Any = None) -> _Array:
    array = _Array()
    array.fill(shape, dtype, order == "F", raw)
    return array


def _scalar(dtype: Any, raw: Any) -> Any:
    array = _Array()
    array.fill((1,), dtype, False, [raw] if dtype.code[0] == "O" else raw)
    return array.numpy(lambda value: value)[0].item()


def _encode(text: Any, encoding: Any) -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise _Refused(f"a string in {str(encoding)[:40]}")
    return _expect(text, str).encode("latin-1")


def _tensor(storage: Any, offset: Any, size: Any, *rest: Any) -> TensorShape:
    if type(storage) is not _Storage or any(type(n) is not int or n < 0 for n in size):
        raise _Malformed("a tensor's shape is no shape")
    return TensorShape(size)


def _ordered(pairs: Any = ()) -> dict[Any, Any]:
    return {_key(key): value for key, value in pairs}


def _set(items: Any = ()) -> set[Any]:
    return {_key(item) for item in items}


def _expect(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise _Malformed(f"a {kind.__name__} was expected, a {type(value).__name__} came")
    return value


def _key(value: Any) -> Any:
    """What may be a key or stand in a set; a tuple may not, for hashing tuples in tuples can take for ever."""
    if type(value) is _EightBit:
        return _text(value)
    if type(value) not in _SCALARS:
        raise _Malformed(f"a {type(value).__name__} as a key")
    return value


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


_SCALARS = frozenset({str, int, float, bool, bytes, type(None)})
_NDARRAY = _Global("numpy.ndarray", lambda *given: _Array.__new__(_Array, _expect(None, _Array)))
_CORES = ("numpy.core", "numpy._core")
_GLOBALS = {
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy", "dtype"): _Global("numpy.dtype", _Dtype),
    ("_codecs", "encode"): _Global("_codecs.encode", _encode),
    ("collections", "OrderedDict"): _Global("collections.OrderedDict", _ordered),
    ("__builtin__", "set"): _Global("set", _set),
    ("builtins", "set"): _Global("set", _set),
    ("torch._utils", "_rebuild_tensor_v2"): _Global("torch._utils._rebuild_tensor_v2", _tensor),
    ("torch._utils", "_rebuild_tensor"): _Global("torch._utils._rebuild_tensor", _tensor),
    ("torch.storage", "_load_from_bytes"): _Global("torch.storage._load_from_bytes", lambda raw: _Storage()),
    **{(f"{core}.multiarray", "_reconstruct"): _Global(f"{core}._reconstruct", _reconstruct) for core in _CORES},
    **{(f"{core}.multiarray", "scalar"): _Global(f"{core}.scalar", _scalar) for core in _CORES},
    **{(f"{core}.numeric", "_frombuffer"): _Global(f"{core}._frombuffer", _from_buffer) for core in _CORES},
}
