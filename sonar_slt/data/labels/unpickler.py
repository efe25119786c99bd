"""Label files that came as pickles, read without running anything that they ask for.

A pickle is a program. This is a machine of our own for the harmless part of its language: it builds containers,
strings, numbers and plain numpy arrays, knows a torch tensor by its shape, and imports nothing.
"""

from __future__ import annotations

import ast
import gzip
import io
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np

from sonar_slt.data.labels.instructions import Source, instructions
from sonar_slt.data.labels.stand_ins import (
    ALLOWED,
    SCALARS,
    Array,
    Dtype,
    EightBit,
    Malformed,
    Named,
    Refused,
    Storage,
    TensorShape,
    key,
)
from sonar_slt.errors import UserError

_MOST_STEPS = 16_000_000  # a path for every frame of How2Sign takes twelve million, PHOENIX two
_FLOOR, _TIMES, _UNZIPPED = 1 << 26, 16, 200
"""Bytes that any file may make, bytes made for each one read, bytes unzipped for each one of the file."""
_SMALL = (
    "EMPTY_LIST",
    "EMPTY_DICT",
    "LIST",
    "DICT",
    "TUPLE",
    "TUPLE1",
    "TUPLE2",
    "TUPLE3",
    "MEMOIZE",
    "SHORT_BINSTRING",
)
_COSTS = {**dict.fromkeys(_SMALL, 64), "EMPTY_SET": 224, "FROZENSET": 224, "MARK": 32}
"""Bytes that an instruction of few bytes makes."""


def load(path: Path) -> Any:
    """The plain content of a pickle, gzipped or not, or of a .npy file; arrays come as numpy's.

    Whatever else the file asks for is refused by its name, and a file that is cut short or garbage is told.
    """
    with _told(path), open(path, "rb") as file:
        start = file.read(6)
        file.seek(0)
        if start == b"\x93NUMPY":
            return _npy(file)
        if start.startswith(b"PK"):
            raise Malformed("it is a zip archive")
        if start.startswith(b"\x1f\x8b"):
            most = max(_FLOOR, _UNZIPPED * path.stat().st_size)
            with gzip.open(file) as unzipped:
                return _Machine().run(io.BufferedReader(unzipped), most)
        return _Machine().run(file)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of escapes that no Python wrote, in garbage
            yield
    except Refused as error:
        raise UserError(
            f"'{path}' asks for {error}: of a pickle only containers, strings, numbers and plain arrays are read, for "
            "anything else could run as a program; have the file written again with those alone."
        ) from error
    except FileNotFoundError as error:
        raise UserError(f"'{path}' is not there.") from error
    except RecursionError as error:
        raise UserError(f"'{path}' cannot be read: its containers lie too deep in each other.") from error
    except (ValueError, LookupError, TypeError, SyntaxError, ArithmeticError, MemoryError, EOFError) as error:
        raise _broken(path, error) from error
    except (zlib.error, OSError) as error:
        if isinstance(error, OSError) and error.strerror:
            raise UserError(f"'{path}' cannot be read: {error.strerror}.") from error
        raise _broken(path, error) from error


def _broken(path: Path, error: Exception) -> UserError:
    why = " ".join(str(error).split())[:160] or type(error).__name__
    return UserError(f"'{path}' is cut short or is no label file ({why}).")


def _npy(file: IO[bytes]) -> Any:
    """An array, or the one object that `numpy.save` wrapped in an array without dimensions."""
    version = file.read(8)[6:]
    width = 2 if version[:1] == b"\x01" else 4
    length = int.from_bytes(file.read(width), "little")
    if length > 1 << 16:
        raise Malformed(f"a header of {length} bytes is declared")
    header = ast.literal_eval(file.read(length).decode("utf-8").strip())
    if header["descr"] != "|O":
        file.seek(0)
        return np.load(file, allow_pickle=False)
    content = _Machine().run(file)
    return content.item() if isinstance(content, np.ndarray) and not content.shape else content


class _Machine:
    """Stack, marks and memo of a pickle, and the bytes made so far."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.made = 0

    def run(self, stream: IO[bytes] | io.BufferedReader, most: int | None = None) -> Any:
        """The content, made plain."""
        source = Source(stream, most)
        for step, (name, argument) in enumerate(instructions(source)):
            if name == "MEMOIZE":
                self.memo[len(self.memo)] = self.stack[-1]
            elif name in _PUTS:
                self.memo[argument] = self.stack[-1]
            elif name in _GETS:
                if argument not in self.memo:
                    raise Malformed(f"value {argument} is used before it is told")
                self.stack.append(self.memo[argument])
            elif (value := _VALUES.get(name)) is not None:
                self.stack.append(value(argument))
            elif (change := _CHANGES.get(name)) is not None:
                change(self)
            elif name == "GLOBAL":
                self.stack.append(_named(*argument.split(" ", 1)))
            elif name not in ("PROTO", "FRAME", "STOP"):
                raise Refused(_asked(name, argument))
            self.made += _COSTS.get(name, 0)
            if step > _MOST_STEPS or self.made > _FLOOR + _TIMES * source.count:
                raise Malformed("it makes far more than it holds")
        return _plain(self.stack.pop(), {})

    def top(self) -> list[Any]:
        """What lies above the last mark, taken off."""
        mark = self.marks.pop()
        items = self.stack[mark:]
        del self.stack[mark:]
        return items

    def last(self, kind: type) -> Any:
        """The container on top, which stays there."""
        if type(self.stack[-1]) is not kind:
            raise Malformed(f"a {type(self.stack[-1]).__name__} where a {kind.__name__} is needed")
        return self.stack[-1]

    def tuple_of(self, count: int) -> None:
        if len(self.stack) < count:
            raise Malformed("a tuple of more than there is")
        items = tuple(self.stack[-count:])
        self.stack[-count:] = [items]

    def append(self) -> None:
        value = self.stack.pop()
        self.last(list).append(value)

    def extend(self) -> None:
        items = self.top()
        self.last(list).extend(items)

    def set_item(self) -> None:
        value, name = self.stack.pop(), self.stack.pop()
        self.last(dict)[key(name)] = value

    def set_items(self) -> None:
        pairs = self.top()
        self.last(dict).update(_paired(pairs))

    def add_items(self) -> None:
        items = self.top()
        self.last(set).update(map(key, items))

    def stack_global(self) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self.stack.append(_named(module, name))

    def reduce(self) -> None:
        given, function = self.stack.pop(), self.stack.pop()
        if type(function) is not Named or type(given) is not tuple:
            raise Refused(f"the call of a {type(function).__name__}")
        made = function.make(*given)
        self._count(made, given)
        if type(made) is Storage:  # gigabytes of features in neccam's files: their bytes are let go
            for place in [*islice(reversed(self.memo), 2)]:
                if self.memo[place] is given or self.memo[place] is given[0]:
                    self.memo[place] = made if self.memo[place] is given[0] else (made,)
        self.stack.append(made)

    def build(self) -> None:
        state, built = self.stack.pop(), self.stack[-1]
        if type(built) not in (Array, Dtype) or type(state) is not tuple:
            raise Refused(f"the state of a {getattr(built, 'name', type(built).__name__)}")
        built.build(state)
        self._count(built, state)

    def _count(self, made: Any, given: tuple[Any, ...]) -> None:
        """What was made of these, which may be the same again and again."""
        self.made += 256 if type(made) in (Array, set, dict) else 64
        self.made += sum(_EACH[kind] * len(value) for value in given if (kind := type(value)) in _EACH)


def _paired(items: list[Any]) -> dict[Any, Any]:
    return dict(zip(map(key, items[::2]), items[1::2], strict=True))


def _named(module: Any, name: Any) -> Named:
    if type(module) is not str or type(name) is not str:
        raise Malformed("the name of a global is no string")
    if (module, name) not in ALLOWED:
        raise Refused(f"{module}.{name}"[:80])
    return ALLOWED[module, name]


def _asked(name: str, argument: Any) -> str:
    if name == "INST":
        return str(argument).replace(" ", ".")[:80]
    kinds = {"PERSID": "an object kept elsewhere", "EXT": "a registered extension", "NEWOBJ": "an object of a class"}
    kinds |= {"BINPERSID": kinds["PERSID"], "OBJ": kinds["NEWOBJ"]}
    return next((told for kind, told in kinds.items() if name.startswith(kind)), f"'{name}'")


def _whole(number: int) -> int:
    if number.bit_length() > 64:
        raise Malformed("a number of more than 64 bits")
    return number


def _text(text: str) -> str:
    if not text.isascii():
        text.encode("utf-8")  # raises where it holds half a character
    return text


def _plain(value: Any, done: dict[int, tuple[Any, Any]]) -> Any:
    """The same with real arrays and texts in it; `done` keeps what was seen alive, so that no id is given twice."""
    kind = type(value)
    if kind in SCALARS or kind is TensorShape or kind in (set, frozenset):
        return value
    if kind is EightBit:
        return value.text()
    if id(value) in done:
        return done[id(value)][1]
    made = value
    if kind is list:
        done[id(value)] = value, value
        value[:] = [_plain(item, done) for item in value]
    elif kind is dict:
        done[id(value)] = value, value
        for name, item in value.items():
            value[name] = _plain(item, done)
    elif kind is tuple:
        made = tuple([_plain(item, done) for item in value])
    elif kind is Array:
        made = value.numpy(lambda item: _plain(item, done))
    else:
        raise Malformed(f"a {getattr(value, 'name', kind.__name__)} without content")
    done[id(value)] = value, made
    return made


_VALUES: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"), _text),
    **dict.fromkeys(("SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"), bytes),
    "STRING": EightBit,
    **dict.fromkeys(("BINSTRING", "SHORT_BINSTRING"), lambda text: EightBit(text.encode("latin-1"))),
    **dict.fromkeys(("BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1", "LONG4"), _whole),
    **dict.fromkeys(("FLOAT", "BINFLOAT"), float),
    "NONE": lambda _: None,
    "NEWTRUE": lambda _: True,
    "NEWFALSE": lambda _: False,
    "EMPTY_LIST": lambda _: [],
    "EMPTY_DICT": lambda _: {},
    "EMPTY_TUPLE": lambda _: (),
    "EMPTY_SET": lambda _: set(),
}
_CHANGES: Mapping[str, Callable[[_Machine], Any]] = {
    "MARK": lambda machine: machine.marks.append(len(machine.stack)),
    "POP": lambda machine: machine.stack.pop(),
    "POP_MARK": _Machine.top,
    "DUP": lambda machine: machine.stack.append(machine.stack[-1]),
    "TUPLE": lambda machine: machine.stack.append(tuple(machine.top())),
    "TUPLE1": lambda machine: machine.tuple_of(1),
    "TUPLE2": lambda machine: machine.tuple_of(2),
    "TUPLE3": lambda machine: machine.tuple_of(3),
    "LIST": lambda machine: machine.stack.append(machine.top()),
    "DICT": lambda machine: machine.stack.append(_paired(machine.top())),
    "FROZENSET": lambda machine: machine.stack.append(frozenset(map(key, machine.top()))),
    "APPEND": _Machine.append,
    "APPENDS": _Machine.extend,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "ADDITEMS": _Machine.add_items,
    "STACK_GLOBAL": _Machine.stack_global,
    "REDUCE": _Machine.reduce,
    "BUILD": _Machine.build,
}
_EACH: Mapping[type, int] = {**dict.fromkeys((str, bytes, EightBit), 4), **dict.fromkeys((list, tuple, set, dict), 32)}
_PUTS, _GETS = frozenset({"PUT", "BINPUT", "LONG_BINPUT"}), frozenset({"GET", "BINGET", "LONG_BINGET"})
