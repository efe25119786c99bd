"""Label files that are tables of text: bytes in, checked rows out.

What the user must mend (encoding, delimiter, columns) is one sentence with the file's name; what one line must bear is
a fault with the line's number.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sonar_slt.data.faults import Done, Fault
from sonar_slt.errors import UserError

SEPARATORS = {"\t": "a tab", ",": "a comma", ";": "a semicolon", "|": "a bar"}
"""Every delimiter that label files are met with, and how messages call it."""

UTF_16 = (b"\xff\xfe", b"\xfe\xff")

MISREAD = re.compile("(?:[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})+")
"""The bytes of characters beyond ASCII in UTF-8."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row: the number of the line it starts in (the first line of the file is 1), and its values by column."""

    number: int
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows in order; `faults` are of lines that are no rows, `notes` say how the file was re-saved."""

    path: Path
    rows: list[Line]
    header: tuple[str, ...]
    faults: list[Fault]
    notes: list[str]

    def where(self, line: Line) -> str:
        """The place of a row, for messages."""
        return f"line {line.number} of '{self.path.name}'"


def read_table(
    path: Path,
    *,
    delimiters: str = "|",
    quoting: bool = False,
    required: Sequence[str],
    header: Sequence[str] | None = None,
    crlf: bool | None = False,
    split: str = "",
) -> Table:
    """The rows of a file.

    The first of `delimiters` is what the release has, the others are met in re-saved copies and noted. `quoting` says
    whether the file follows csv quoting. `required` columns must be among those of the first line; `header` names the
    columns of a file that has no such line. `crlf` says which line end the release has, None that any
    will do. `split` goes into the faults.
    """
    text, notes = decoded(path, crlf=crlf)
    lines = text.split("\n")
    delimiter, columns = _columns(path, lines[0], delimiters, quoting, required, header)
    if delimiter != delimiters[0]:
        saved, released = SEPARATORS[delimiter], SEPARATORS[delimiters[0]]
        notes.append(f"{path.name}: columns separated by {saved} instead of {released}, a re-saved variant")
    rows: list[Line] = []
    faults: list[Fault] = []
    for number, fields, wrong in _records(lines, delimiter, quoting, len(columns), 0 if header else 1):
        if fields is not None:
            rows.append(Line(number, dict(zip(columns, fields, strict=True))))
        if wrong:
            done: Done = "noted" if fields is None else "kept"
            told = f"line {number} of '{path.name}': {wrong}"
            faults.append(Fault(id=path.name, kind="bad_row", told=told, split=split, done=done))
    return Table(path, rows, columns, faults, notes)


def decoded(path: Path, *, crlf: bool | None = False) -> tuple[str, list[str]]:
    """The text of a UTF-8 file without its byte order mark, and notes on what is odd; `crlf` as in `read_table`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"'{path}' cannot be read: {error.strerror or error}.") from error
    if content.startswith(UTF_16):
        raise UserError(f"'{path}' is UTF-16, but label files are UTF-8: save it as UTF-8.")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(_encoding(path, content, error)) from error
    notes = []
    if text.startswith("\ufeff"):
        text = text[1:]
        notes.append(f"{path.name}: begins with a byte order mark, a re-saved variant")
    found, breaks = text.count("\r\n"), text.count("\n")
    if crlf and found < breaks / 2:
        notes.append(f"{path.name}: lines end in LF instead of CRLF, a re-saved variant")
    if crlf is False and breaks and found >= breaks / 2:
        notes.append(f"{path.name}: lines end in CRLF instead of LF, a re-saved variant")
    return text, notes


def _encoding(path: Path, content: bytes, error: UnicodeDecodeError) -> str:
    number = content.count(b"\n", 0, error.start) + 1
    elsewhere = (content[: error.start] + content[error.start + 1 :]).decode("utf-8", "ignore").isascii()
    mixed = "" if elsewhere else "; other characters of the file are UTF-8, so encodings are mixed"
    return (
        f"'{path}', line {number}: the byte 0x{content[error.start]:02x} is no UTF-8, which was expected{mixed}: "
        "save the file as UTF-8."
    )


def _columns(
    path: Path, first: str, delimiters: str, quoting: bool, required: Sequence[str], header: Sequence[str] | None
) -> tuple[str, tuple[str, ...]]:
    """The delimiter and the names of the columns; a UserError when none fits."""
    if not first.strip() and header is None:
        raise UserError(f"'{path}' has no header: the columns {', '.join(required)} were expected in its first line.")
    fitting = [
        (delimiter, fields)
        for delimiter in dict.fromkeys([*delimiters, *SEPARATORS])
        if (fields := _header(first, delimiter, quoting))
        and (len(fields) == len(header) if header else set(required) <= set(fields))
    ]
    expected = ", ".join(header or required)
    tried = " or ".join(SEPARATORS[delimiter] for delimiter in delimiters)
    if not fitting:
        raise UserError(
            f"'{path}' begins with {_short(first)}; the columns {expected}, separated by {tried}, were expected."
        )
    delimiter, fields = fitting[0]
    if delimiter not in delimiters:
        raise UserError(
            f"'{path}' has its columns separated by {SEPARATORS[delimiter]}; {tried} was expected between {expected}."
        )
    columns = tuple(header or fields)
    if twice := next((name for place, name in enumerate(columns) if name in columns[:place]), None):
        raise UserError(f"'{path}' has the column {twice} twice.")
    return delimiter, columns


def _header(first: str, delimiter: str, quoting: bool) -> list[str] | None:
    fields, _ = _fields(iter([first]), delimiter, quoting)
    return None if fields is None else [field.strip() for field in fields]


def _short(line: str) -> str:
    return repr(line[:120]) + (" …" if len(line) > 120 else "")


def _records(
    lines: Sequence[str], delimiter: str, quoting: bool, width: int, start: int
) -> Iterator[tuple[int, list[str] | None, str]]:
    """The number, the fields (None where there are none) and the fault ("" for none) of each record.

    After a line that breaks the rules of quoting reading goes on at the next line, so that a quote which is never
    closed costs no other row.
    """
    place = start
    while place < len(lines):
        number, line = place + 1, lines[place].removesuffix("\r")
        if not line.strip(" \ufeff"):
            place += 1
            continue
        fields, taken = _fields((lines[i] for i in range(place, len(lines))), delimiter, quoting)
        if taken > 1 and _alone(lines[place : place + taken], delimiter, width):
            fields = None
        if fields is not None and len(fields) == width:
            place += taken
            yield number, fields, ""
            continue
        place += 1
        plain = line.split(delimiter)
        if fields is None and len(plain) == width:
            yield number, plain, "its quotes do not follow csv quoting; read as it stands"
        elif fields is None:
            yield number, None, f"its quotes do not follow csv quoting: {_short(line)}"
        else:
            yield number, None, f"{len(fields)} fields instead of {width}: {_short(line)}"


def _alone(lines: Sequence[str], delimiter: str, width: int) -> bool:
    """Whether each line of a record is one by itself: then a stray quote has swallowed those up to the next.

    Of two columns with a comma between this cannot be told, for any sentence has commas.
    """
    if width < 2 or (width == 2 and delimiter in ",;"):
        return False
    return all(
        width in (len(_fields(iter([line]), delimiter, True)[0] or ()), line.count(delimiter) + 1) for line in lines
    )


def _fields(lines: Iterator[str], delimiter: str, quoting: bool) -> tuple[list[str] | None, int]:
    """The fields of the record that starts with the first line and the number of lines it takes; None: no record."""
    if not quoting:
        return next(lines).removesuffix("\r").split(delimiter), 1
    reader = csv.reader((line + "\n" for line in lines), delimiter=delimiter, strict=True)
    try:
        return next(reader), reader.line_num
    except csv.Error:
        return None, 1


def mojibake(text: str) -> str | None:
    """The mended text where some of it is UTF-8 that was read as Windows-1252 or Latin-1, else None.

    Characters that stand for a single one are believed only where that is a Latin letter or a sign of punctuation, as
    in "Ã¼" and "â€™"; others also occur in correct text, as in "MENÜ“". Several in a row are always believed.
    """
    mended, end = "", 0
    for match in MISREAD.finditer("".join(map(_byte, text))):
        meant = match.group().encode("latin-1").decode("utf-8", "replace")
        if "\ufffd" not in meant and (
            len(meant) > 1 or meant < "\u0100" or "\u2000" <= meant < "\u2150" or meant > "\uffff"
        ):
            mended, end = mended + text[end : match.start()] + meant, match.end()
    return mended + text[end:] if end else None


def _byte(sign: str) -> str:
    """The byte that was read as this sign, as Windows-1252 has it, as Latin-1 where that has a gap; "?" for none."""
    if sign < "\u0100":
        return sign
    try:
        return chr(sign.encode("cp1252")[0])
    except UnicodeEncodeError:
        return "?"


def misread(text: str, *, id: str, split: str, mend: bool) -> tuple[str, list[Fault]]:
    """A sentence as it shall be kept, and its fault where it was decoded in the wrong encoding somewhere on its way."""
    if (meant := mojibake(text)) is not None:
        done, told = ("mended", meant) if mend else ("kept as it is", text)
        fault = f"read in the wrong encoding and {done}: {text!r} means {meant!r}"
        return told, [Fault(id=id, kind="mojibake", told=fault, split=split, done="kept")]
    if "\ufffd" in text:
        fault = f"holds characters that were lost (U+FFFD): {text!r}"
        return text, [Fault(id=id, kind="mojibake", told=fault, split=split, done="kept")]
    return text, []
