"""Sentences from anyone's files: plain lines, jsonl, or a table with a header, read whole or refused in one sentence.

A blank line is an empty sentence and stays one; nothing is dropped.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sonar_slt.errors import UserError

HYPOTHESIS = ("hypothesis", "text")
REFERENCE = ("references", "reference", "text")
"""The keys of a jsonl file and the columns of a table that hold the sentence, the first that is there."""
DELIMITERS = {".csv": ",", ".tsv": "\t"}
NAMED = 3
"""So many ids are named at most."""


@dataclass(frozen=True, slots=True)
class TextFile:
    """The sentences of one file in its order; what else its lines hold is in `lines`."""

    name: str
    texts: list[list[str]]  # one text per line, several where a line has several references
    ids: list[str] | None
    lines: list[Mapping[str, Any]]

    def __len__(self) -> int:
        return len(self.texts)


def read_texts(name: str, keys: Sequence[str]) -> TextFile:
    """Read a file by its ending; `keys` name the sentence in jsonl and tables."""
    path = Path(name).expanduser()
    text = _decoded(path)
    kind = path.suffix.lower()
    if kind == ".jsonl":
        rows = list(_json_lines(text, name))
    elif kind in DELIMITERS:
        rows = list(_table_rows(text, name, DELIMITERS[kind]))
    else:
        lines = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]
        return TextFile(name, [[line] for line in lines], None, [{}] * len(lines))
    if not rows:
        raise UserError(f"{name} holds no sentence.")
    return TextFile(name, _texts(rows, name, keys), _ids(rows, name), [row for _, row in rows])


def read_ids(name: str) -> list[str]:
    """The ids of a file, one in a line, or of the ids of jsonl and tables."""
    found = read_texts(name, ("id",))
    ids = [text.strip() for (text,) in found.texts]
    _refuse_blank_or_twice(ids, name)
    return ids


def first_few(names: Sequence[str]) -> str:
    """`a, b, c, …` of many."""
    return ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")


def _decoded(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}; a text file was expected.") from error
    if not content.strip(b"\xef\xbb\xbf"):
        raise UserError(f"{path} is empty: a sentence per line was expected.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte, line = error.object[error.start], error.object.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{path} is not utf-8: line {line} holds the byte 0x{byte:02x} (number {error.start + 1} of the file); "
            "save it as utf-8."
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise UserError(f"{path} is not utf-8: line {line} holds a zero byte, as in utf-16; save it as utf-8.")
    return text


def _json_lines(text: str, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Line numbers and objects; a blank line between objects is none."""
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{name}, line {number}: this is no json ({error}).") from error
        if not isinstance(row, dict):
            raise UserError(f'{name}, line {number}: expected an object such as {{"id": …, "text": …}}.')
        yield number, row


def _table_rows(text: str, name: str, delimiter: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Line numbers and rows by the header's names."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = [column.strip() for column in next(reader, [])]
        for cells in reader:
            if len(cells) != len(header) and (cells or len(header) > 1):
                raise UserError(
                    f"{name}, line {reader.line_num}: {len(cells)} cells, but the header has {len(header)} columns."
                )
            yield reader.line_num, dict(zip(header, cells or [""], strict=True))
    except csv.Error as error:
        raise UserError(f"{name}, line {reader.line_num}: {error}.") from error


def _texts(rows: Sequence[tuple[int, Mapping[str, Any]]], name: str, keys: Sequence[str]) -> list[list[str]]:
    key = next((key for key in keys if key in rows[0][1]), None)
    if key is None:
        there = ", ".join(map(str, rows[0][1])) or "nothing"
        raise UserError(f"{name} has no {' or '.join(keys)}: its first line has {there}.")
    found = []
    for number, row in rows:
        value = row.get(key)
        texts = [str(value)] if isinstance(value, str | int) else value
        if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
            raise UserError(f"{name}, line {number}: expected text as {key!r}, not {json.dumps(value)[:40]}.")
        found.append(texts)
    return found


def _ids(rows: Sequence[tuple[int, Mapping[str, Any]]], name: str) -> list[str] | None:
    without = [number for number, row in rows if "id" not in row]
    if len(without) == len(rows):
        return None
    if without:
        raise UserError(f"{name}: {len(without)} of {len(rows)} lines have no id, the first is line {without[0]}.")
    ids = [str(row["id"]).strip() for _, row in rows]
    _refuse_blank_or_twice(ids, name)
    return ids


def _refuse_blank_or_twice(ids: Sequence[str], name: str) -> None:
    if blank := [row for row, one in enumerate(ids, start=1) if not one]:
        raise UserError(f"{name}: {len(blank)} ids are blank, the first is number {blank[0]}.")
    seen: set[str] = set()
    twice = list(dict.fromkeys(one for one in ids if one in seen or seen.add(one)))  # type: ignore[func-returns-value]
    if twice:
        raise UserError(f"{name}: each id may occur once, but {len(twice)} occur more often ({first_few(twice)}).")
