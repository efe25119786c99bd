"""The manifest: one row per clip, in plain json lines, with everything known of it but its frames.

A corpus is its manifest and its clip store; readers of released corpora and the toy world both end here.

What a line holds, key by key, stands in `manifest_keys`.
"""

from __future__ import annotations

import hashlib
import json
import os
import weakref
from abc import abstractmethod
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.manifest_keys import KEYS, checked
from sonar_slt.errors import UserError
from sonar_slt.files import write_atomically

Texts = Mapping[str, Sequence[str]]
"""Sentences by language code, every valid reference in order."""

SPLITS = ("train", "dev", "test")
"""The splits that everybody has, in the order in which they are listed; others follow as they come."""

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


def ordered(splits: Iterable[str]) -> list[str]:
    """The splits that occur, each once, those of everybody first."""
    there = dict.fromkeys(splits)
    return [*(split for split in SPLITS if split in there), *(split for split in there if split not in SPLITS)]


class Rows(Sequence[Row]):
    """The rows of a manifest, or of several one after another; each is read when it is asked for."""

    frames: NDArray[np.int32]  # (rows,) how long each clip is
    splits: list[str]
    digest: str  # a hash of all rows

    @overload
    def __getitem__(self, number: int) -> Row: ...
    @overload
    def __getitem__(self, number: slice) -> list[Row]: ...
    def __getitem__(self, number: int | slice) -> Row | list[Row]:
        if isinstance(number, slice):
            return [self._row(one) for one in range(*number.indices(len(self)))]
        wanted = number + len(self) if number < 0 else number
        if not 0 <= wanted < len(self):
            raise IndexError(f"row {number} of {len(self)}")
        return self._row(int(wanted))

    @abstractmethod
    def id(self, number: int) -> str:
        """The name of a clip, without reading the rest of its row."""

    @abstractmethod
    def split(self, name: str) -> NDArray[np.int64]:
        """The numbers (rows,) of a split's rows, ascending; none where there is no such split."""

    @abstractmethod
    def _row(self, number: int) -> Row:
        """The row of a number from 0 on."""


class Manifest(Rows):
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
        self.frames, self.splits = found.frames, found.splits
        self._split_codes, self._starts = found.split_codes, found.starts
        self.digest, self.ids_digest, self.media_digest = found.digest, found.ids_digest, found.media_digest

    def __reduce__(self) -> tuple[type[Manifest], tuple[Path]]:
        return Manifest, (self.path,)

    def __len__(self) -> int:
        return len(self.frames)

    def __iter__(self) -> Iterator[Row]:
        return map(self._row, range(len(self)))

    def id(self, number: int) -> str:
        """The name of a clip; of a line that `write` has written only the beginning is read."""
        start, end = self._starts[number : number + 2].tolist()
        line = os.pread(self._file, min(end - start, NAMED), start)
        if not line.startswith(ID) or (closing := line.find(b'"', len(ID))) < 0 or b"\\" in line[:closing]:
            return self._row(number).id  # keys in another order, or a long name, or one with escapes
        return line[len(ID) : closing].decode()

    def split(self, name: str) -> NDArray[np.int64]:
        """The numbers (rows,) of a split's rows, ascending; none where the manifest has no such split."""
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
                value = checked(line)
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
    splits = ordered(names)
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
