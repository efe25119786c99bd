"""The manifest: one row per clip, in plain json lines, with everything known of it but its frames.

A corpus is its manifest and its clip store; readers of released corpora and the toy world both end here.

Every line is one json object with exactly these keys:

========= ==================== ===================================================================================
id        string               names the clip, once in a manifest
corpus    string               the reader that made the row, such as "phoenix14t"
split     string               "train", "dev", "test", or another name that the release has
signer    string               who signs, "" where the release is silent
sign_language string           ISO 639-3, such as "gsg"; "" where it is not known
frames    integer, 0 or more   how long the clip is
fps       number or null       frames per second, above 0
texts     object               language code -> list of sentences written by people, every valid reference in order
pseudo    object               language code -> list of sentences written by machines
gloss     string or null       the glosses, words apart
source    string or null       where its pictures lie, relative to the release's root unless they lie elsewhere
span      [number, number] or null  which part of the source it is, in seconds from the start
pose      string or null       where its points were read from, told like `source`
content   string               a hash of what the clip was made from
tags      list of strings      anything else by which clips are chosen, such as "held_out"
========= ==================== ===================================================================================
"""

from __future__ import annotations

import hashlib
import json
import os
import weakref
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from sonar_slt.errors import UserError
from sonar_slt.files import write_atomically

Texts = Mapping[str, Sequence[str]]
"""Sentences by language code, every valid reference in order."""

FIRST = ("train", "dev", "test")
"""Splits are listed in this order; others follow as they come."""

MOST_FRAMES = 2**31 - 1

ID, NAMED = b'{"id": "', 256
"""How a line begins that `write` has written, and how much of it is read for a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One clip: who signs, how long, from where, and what it means in each language."""

    id: str
    corpus: str
    split: str
    signer: str
    sign_language: str
    frames: int
    fps: float | None
    texts: Texts
    pseudo: Texts = field(default_factory=dict)
    gloss: str | None = None
    source: str | None = None
    span: tuple[float, float] | None = None
    pose: str | None = None
    content: str
    tags: Sequence[str] = ()

    @property
    def languages(self) -> tuple[str, ...]:
        """Every language that has a sentence, those of people first."""
        return tuple(dict.fromkeys(code for texts in (self.texts, self.pseudo) for code, said in texts.items() if said))

    def sentences(self, code: str) -> tuple[str, ...]:
        """What may be taught in a language: people's sentences, then machines'."""
        return (*self.texts.get(code, ()), *self.pseudo.get(code, ()))

    def references(self, code: str) -> tuple[str, ...]:
        """What a translation is judged by: people's sentences, or machines' where nobody wrote one."""
        return tuple(self.texts.get(code) or self.pseudo.get(code, ()))

    def origin(self, code: str) -> Literal["human", "pseudo"] | None:
        """Who wrote the references in a language."""
        return "human" if self.texts.get(code) else "pseudo" if self.pseudo.get(code) else None


KEYS = tuple(part.name for part in fields(Row))


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write a manifest row by row; it is whole or absent."""
    write_atomically(path, "".join(map(_line, rows)))


def _line(row: Row) -> str:
    value = {key: getattr(row, key) for key in KEYS}
    value["texts"], value["pseudo"] = _tuples(row.texts), _tuples(row.pseudo)
    line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if not line.isascii() and any("\ud800" <= letter <= "\udfff" for letter in line):
        raise UserError(f"Clip {row.id!r} has a text that is no valid Unicode: half of a surrogate pair.")
    return line + "\n"


class Manifest(Sequence[Row]):
    """The rows of a manifest file.

    Every line is looked at when the file is opened, but kept as its place, length and split alone: a row is read from
    the file when it is asked for. Other processes get the path and open it anew.
    """

    def __init__(self, path: str | Path) -> None:
        path = Path(path)
        if not path.is_file():
            raise UserError(f"No manifest at '{path}': a corpus is a folder with manifest.jsonl and clips/.")
        found = _scan(path)
        self.path, self._file = path, os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._file)
        self.frames: NDArray[np.int32] = found.frames
        self.splits: list[str] = found.splits
        self._split_codes, self._starts = found.split_codes, found.starts
        self.digest, self.ids_digest, self.media_digest = found.digest, found.ids_digest, found.media_digest

    def __reduce__(self) -> tuple[type[Manifest], tuple[Path]]:
        return Manifest, (self.path,)

    def __len__(self) -> int:
        return len(self.frames)

    @overload
    def __getitem__(self, number: int) -> Row: ...

    @overload
    def __getitem__(self, number: slice) -> list[Row]: ...

    def __getitem__(self, number: int | slice) -> Row | list[Row]:
        if isinstance(number, slice):
            return [self._row(one) for one in range(*number.indices(len(self)))]
        wanted = number + len(self) if number < 0 else number
        if not 0 <= wanted < len(self):
            raise IndexError(f"row {number} of {len(self)} in '{self.path}'")
        return self._row(int(wanted))

    def __iter__(self) -> Iterator[Row]:
        return map(self._row, range(len(self)))

    def id(self, number: int) -> str:
        """The name of a clip, without reading the rest of its row."""
        start, end = self._starts[number : number + 2].tolist()
        line = os.pread(self._file, min(end - start, NAMED), start)
        if not line.startswith(ID) or (closing := line.find(b'"', len(ID))) < 0 or b"\\" in line[:closing]:
            return self._row(number).id  # keys in another order, or a long name, or one with escapes
        return line[len(ID) : closing].decode()

    def split(self, name: str) -> NDArray[np.int64]:
        """The numbers of a split's rows, ascending; none where the manifest has no such split."""
        code = self.splits.index(name) if name in self.splits else -1
        return np.flatnonzero(self._split_codes == code)

    def _row(self, number: int) -> Row:
        start, end = self._starts[number : number + 2].tolist()
        # not a memory map: a file that shrinks behind a map kills the process
        value = json.loads(os.pread(self._file, end - start, start))
        value["texts"], value["pseudo"] = _tuples(value["texts"]), _tuples(value["pseudo"])
        value["span"] = None if value["span"] is None else tuple(value["span"])
        return Row(**{**value, "tags": tuple(value["tags"])})


def _tuples(texts: Texts) -> dict[str, tuple[str, ...]]:
    return {code: tuple(said) for code, said in texts.items()}


# --- the lines of a file, looked at once ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Lines:
    frames: NDArray[np.int32]  # (rows,)
    starts: NDArray[np.int64]  # (rows + 1,) where each line begins, and where the last one ends
    split_codes: NDArray[np.int8]  # (rows,) places in `splits`
    splits: list[str]
    digest: str
    ids_digest: str
    media_digest: str


def _scan(path: Path) -> _Lines:
    frames, starts, codes, ids = array("i"), array("q", [0]), array("b"), array("q")
    names: dict[str, int] = {}
    content, named, media = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                value = _checked(line)
                codes.append(names.setdefault(value["split"], len(names)))
            except (ValueError, OverflowError, RecursionError) as error:
                told = "a manifest has at most 128 splits" if isinstance(error, OverflowError) else error
                raise UserError(f"Line {number} of '{path}' is no manifest row: {told}.") from error
            content.update(line)
            named.update(value["id"].encode() + b"\n")
            media.update(f"{value['id']}\n{value['content']}\n".encode())
            frames.append(value["frames"])
            starts.append(starts[-1] + len(line))
            ids.append(hash(value["id"]))
    _refuse_twins(path, np.frombuffer(ids, np.int64) if ids else np.empty(0, np.int64))
    splits = [*(name for name in FIRST if name in names), *(name for name in names if name not in FIRST)]
    places = np.array([splits.index(name) for name in names], np.int8)
    return _Lines(
        np.array(frames, np.int32),
        np.array(starts, np.int64),
        places[np.array(codes, np.intp)],
        splits,
        content.hexdigest()[:16],
        named.hexdigest(),
        media.hexdigest()[:16],
    )


def _refuse_twins(path: Path, hashes: NDArray[np.int64]) -> None:
    """Ids are compared by their hashes: a set of them would be most of what a large manifest takes."""
    ordered = np.sort(hashes)
    suspected = np.flatnonzero(np.isin(hashes, ordered[1:][ordered[1:] == ordered[:-1]]))
    if not len(suspected):
        return
    seen: dict[str, int] = {}
    at = set((suspected + 1).tolist())
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if number in at and (first := seen.setdefault(json.loads(line)["id"], number)) != number:
                told = f"its id '{json.loads(line)['id']}' stands in line {first} already"
                raise UserError(f"Line {number} of '{path}' is no manifest row: {told}.")


def _checked(line: bytes) -> dict[str, Any]:
    """The object of a line, or a ValueError that says what is wrong with it."""
    if not line.endswith(b"\n"):
        raise ValueError("it is cut short")
    value = json.loads(line)
    if not isinstance(value, dict):
        raise ValueError(f"it is {_said(value)}, not an object")
    if value.keys() != _KEYS:
        lacking, foreign = [key for key in KEYS if key not in value], sorted(value.keys() - _KEYS)
        raise ValueError(f"it lacks '{lacking[0]}'" if lacking else f"'{foreign[0]}' is not one of its keys")
    for key, (fits, expected) in _FIT.items():
        if not fits(value[key]):
            raise ValueError(f"'{key}' is {_said(value[key])}, not {expected}")
    return value


def _said(value: object) -> str:
    told = json.dumps(value, ensure_ascii=False)
    return told if len(told) <= 60 else told[:60] + " ..."


def _is_text(value: object) -> bool:
    return type(value) is str


def _is_name(value: object) -> bool:
    return type(value) is str and value != ""


def _is_text_or_none(value: object) -> bool:
    return value is None or type(value) is str


def _is_length(value: object) -> bool:
    return type(value) is int and 0 <= value <= MOST_FRAMES


def _is_rate(value: object) -> bool:
    return value is None or (type(value) in (int, float) and 0 < value < float("inf"))  # type: ignore[operator]


def _is_strings(value: object) -> bool:
    return type(value) is list and all(type(one) is str for one in value)


def _is_texts(value: object) -> bool:
    return type(value) is dict and all(map(_is_strings, value.values()))


def _is_span(value: object) -> bool:
    if value is None:
        return True
    if type(value) is not list or len(value) != 2 or any(type(one) not in (int, float) for one in value):
        return False
    return bool(0 <= value[0] <= value[1] < float("inf"))


_KEYS = frozenset(KEYS)
_FIT = {
    "id": (_is_name, "a name"),
    "split": (_is_name, "a name"),
    **{key: (_is_text, "a string") for key in ("corpus", "signer", "sign_language", "content")},
    "frames": (_is_length, "a number of frames"),
    "fps": (_is_rate, "a frame rate or null"),
    **{key: (_is_texts, "lists of sentences by language") for key in ("texts", "pseudo")},
    **{key: (_is_text_or_none, "a string or null") for key in ("gloss", "source", "pose")},
    "span": (_is_span, "a start and an end in seconds or null"),
    "tags": (_is_strings, "a list of strings"),
}
