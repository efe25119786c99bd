"""The instructions of a pickle one after the other, none of them obeyed; only so much is read as can be kept.

What an instruction is made of is said by Python's own pickletools.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator, Mapping
from pickletools import OpcodeInfo, opcodes
from typing import IO, Any, cast

from sonar_slt.data.labels.stand_ins import Malformed

_PIECE = 1 << 24  # bytes asked for at once, so that a declared size takes no more memory than the file can fill
_LONGEST = 1 << 28  # bytes of one value
_OPCODES: Mapping[str, OpcodeInfo] = {instruction.code: instruction for instruction in opcodes}


class Source:
    """The bytes of a file for pickletools, in pieces; `count` of them were read, of `most` that may be."""

    def __init__(self, stream: IO[bytes] | io.BufferedReader, most: int | None = None) -> None:
        self.stream, self.most, self.count = stream, most, 0

    def read(self, count: int) -> bytes:
        """As of a file."""
        if count <= _PIECE:
            return self._counted(self.stream.read(count))
        if count > _LONGEST:
            raise Malformed(f"a value of {count} bytes is declared")
        pieces = bytearray()
        while len(pieces) < count and (piece := self._counted(self.stream.read(min(_PIECE, count - len(pieces))))):
            pieces += piece
        return bytes(pieces)

    def readline(self) -> bytes:
        """As of a file."""
        return self._counted(self.stream.readline(_PIECE))

    def _counted(self, piece: bytes) -> bytes:
        self.count += len(piece)
        if self.most is not None and self.count > self.most:
            raise Malformed(f"it unzips to more than {self.most:,} bytes, far more than a label file")
        return piece


def instructions(source: Source) -> Iterator[tuple[str, Any]]:
    """The name of what is asked for, with its argument, up to the end."""
    name = ""
    while name != "STOP":
        code = source.read(1)
        instruction = _OPCODES.get(code.decode("latin-1"))
        if instruction is None:
            raise Malformed(f"{code!r} is no instruction" if code else "it has no end")
        name = instruction.name
        if name == "STRING":  # as Python 2 wrote it; pickletools takes it for ASCII
            yield name, _quoted(source.readline())
        else:
            yield name, instruction.arg.reader(cast(IO[bytes], source)) if instruction.arg else None


def _quoted(line: bytes) -> bytes:
    text = line.strip()
    if len(text) < 2 or text[:1] != text[-1:] or text[:1] not in (b"'", b'"'):
        raise Malformed("a string without quotes")
    return codecs.escape_decode(text[1:-1])[0]
