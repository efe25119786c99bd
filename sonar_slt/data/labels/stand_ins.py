"""What stands in for the few functions that a label pickle may name: numpy's arrays, and the shape of a torch tensor.

Everything here is checked before numpy sees it; numpy's own functions for pickles and torch's are never called.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

SCALARS = frozenset({str, int, float, bool, bytes, type(None)})


class Malformed(ValueError):
    """What is wrong with a pickle."""


class Refused(ValueError):
    """What a pickle asks for and does not get."""


class EightBit(bytes):
    """A string of Python 2: text, or the raw bytes of an array."""

    said: str | None = None

    def text(self) -> str:
        """As UTF-8, and as Latin-1 where it is none; made once, however often it is asked for."""
        if self.said is None:
            try:
                self.said = self.decode("utf-8")
            except UnicodeDecodeError:
                self.said = self.decode("latin-1")
        return self.said


class TensorShape(tuple[int, ...]):
    """What is kept of a torch tensor inside a label file: its shape."""

    __slots__ = ()


class Storage:
    """The numbers of a torch tensor, which are not kept."""


@dataclass(frozen=True, slots=True)
class Named:
    """A function that a pickle may name, and what we do instead."""

    name: str
    make: Callable[..., Any]


class Dtype:
    """A numpy dtype as a pickle has it: kind and bytes first, the order of bytes afterwards."""

    _PLAIN = re.compile(r"b1|[iu][1248]|f[248]|[SU][1-9]\d{0,5}|O[48]?")

    def __init__(self, code: Any, align: Any = False, copy: Any = True) -> None:
        code = code.text() if isinstance(code, EightBit) else code
        if not isinstance(code, str) or not self._PLAIN.fullmatch(code):
            raise Refused(f"an array of '{str(code)[:40]}'")
        self.code, self.order = code, "|"

    def build(self, state: Any) -> None:
        """Take the order of bytes; a dtype with fields is refused."""
        order = state[1].text() if isinstance(state[1], EightBit) else state[1]
        if order not in ("<", ">", "|", "=") or any(part is not None for part in state[2:5]):
            raise Refused("an array of records")
        self.order = order

    def numpy(self) -> np.dtype[Any]:
        """The real one."""
        return np.dtype("O" if self.code[0] == "O" else self.order + self.code)


class Array:
    """A numpy array on its way: made empty, filled by its state, turned into a real one when all is read."""

    __hash__ = None  # type: ignore[assignment]  # a key must be plain

    def __init__(self) -> None:
        self.shape: tuple[int, ...] = ()
        self.content: np.ndarray[Any, np.dtype[Any]] | list[Any] | None = None
        self.order: Any = "C"
        self.axes: tuple[int, ...] | None = None

    def build(self, state: Any) -> None:
        """Take shape, dtype, order and content, behind a version in all but the oldest pickles."""
        self.fill(*(state if len(state) == 4 else state[1:]))

    def fill(self, shape: Any, dtype: Any, fortran: Any, raw: Any) -> None:
        """Check the content against the shape before anything is laid out."""
        if type(shape) is not tuple or len(shape) > 32 or any(type(n) is not int or n < 0 for n in shape):
            raise Malformed("the shape of an array is no shape")
        if type(dtype) is not Dtype or not isinstance(raw, list if dtype.code[0] == "O" else bytes):
            raise Malformed("the content of an array does not fit its type")
        real = dtype.numpy()
        if math.prod(shape) * (1 if isinstance(raw, list) else real.itemsize) != len(raw):
            raise Malformed(f"an array has not the content for its shape {shape}")
        self.shape, self.order = shape, "F" if fortran else "C"
        self.content = raw if isinstance(raw, list) else np.frombuffer(bytearray(raw), real)
        if real.kind == "U" and isinstance(raw, bytes):
            _characters(np.frombuffer(raw, np.dtype(np.uint32).newbyteorder(real.byteorder)))

    def numpy(self, plain: Callable[[Any], Any]) -> np.ndarray[Any, np.dtype[Any]]:
        """The real one; `plain` is applied to what an array of objects holds."""
        if self.content is None:
            raise Malformed("an array has no content")
        flat = self.content
        if isinstance(flat, list):
            given, flat = flat, np.empty(len(flat), object)
            for position, value in enumerate(given):
                flat[position] = plain(value)
        made = flat.reshape(self.shape, order=self.order)
        return made if self.axes is None else made.transpose(self.axes)


def _characters(numbers: np.ndarray[Any, np.dtype[Any]]) -> None:
    """Refuse numbers that are no characters: numpy would build a broken string of them."""
    if (numbers > 0x10FFFF).any() or ((numbers >= 0xD800) & (numbers < 0xE000)).any():
        raise Malformed("the numbers of an array are no characters")


def key(value: Any) -> Any:
    """What may be a key or stand in a set. A tuple may not: hashing tuples in tuples can take for ever."""
    if type(value) is EightBit:
        return value.text()
    if type(value) not in SCALARS:
        raise Malformed(f"a {type(value).__name__} is a key")
    return value


def _no_call(*given: Any) -> Any:
    raise Refused("numpy.ndarray as a function")


def _reconstruct(kind: Any, shape: Any, code: Any) -> Array:
    if kind is not _NDARRAY:
        raise Refused("an array of another class than numpy.ndarray")
    return Array()


def _from_buffer(raw: Any, dtype: Any, shape: Any, order: Any, axes: Any = None) -> Array:
    """`axes` is the order that numpy 2.3 and later move the axes to, where `order` is "K"."""
    if order not in ("C", "F") and not (order == "K" and axes is not None):
        raise Malformed("the order of an array is none")
    array = Array()
    array.fill(shape, dtype, order == "F", raw)
    if order == "K":
        if type(axes) is not tuple or any(type(n) is not int for n in axes) or sorted(axes) != list(range(len(shape))):
            raise Malformed("the axes of an array are none of its own")
        array.axes = axes
    return array


def _scalar(dtype: Any, raw: Any = None) -> Any:
    if type(dtype) is not Dtype or dtype.code[0] == "O":
        raise Refused("a scalar of objects")
    return _from_buffer(raw, dtype, (1,), "C").numpy(key)[0].item()


def _encode(text: Any, encoding: Any) -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise Refused(f"_codecs.encode to {str(encoding)[:40]}")
    return text.encode("latin-1")


def _tensor(storage: Any, offset: Any, size: Any, *rest: Any) -> TensorShape:
    if type(storage) is not Storage or any(type(n) is not int or n < 0 for n in size):
        raise Malformed("the shape of a tensor is no shape")
    return TensorShape(size)


def _ordered(pairs: Any = ()) -> dict[Any, Any]:
    return {key(name): value for name, value in pairs}


def _set(items: Any = ()) -> set[Any]:
    return {key(item) for item in items}


_NDARRAY = Named("numpy.ndarray", _no_call)
_CORES = ("numpy.core", "numpy._core")  # before and since numpy 2
_FUNCTIONS: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("numpy", "dtype", Dtype),
    *((f"{core}.multiarray", "_reconstruct", _reconstruct) for core in _CORES),
    *((f"{core}.multiarray", "scalar", _scalar) for core in _CORES),
    *((f"{core}.numeric", "_frombuffer", _from_buffer) for core in _CORES),
    ("_codecs", "encode", _encode),
    ("collections", "OrderedDict", _ordered),
    ("builtins", "set", _set),
    ("__builtin__", "set", _set),
    ("__builtin__", "bytes", lambda: b""),
    ("torch._utils", "_rebuild_tensor", _tensor),
    ("torch._utils", "_rebuild_tensor_v2", _tensor),
    ("torch.storage", "_load_from_bytes", lambda raw: Storage()),
)
ALLOWED: Mapping[tuple[str, str], Named] = MappingProxyType(
    {("numpy", "ndarray"): _NDARRAY}
    | {(module, name): Named(f"{module}.{name}", make) for module, name, make in _FUNCTIONS}
)
"""Every name that is understood; there is no other."""
