"""Files that are whole or not there: what a killed process leaves behind must stay readable.

Whole files are replaced in one step; logs grow by whole lines, and a torn last line is passed over.
"""

from __future__ import annotations

import errno
import json
import math
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import IO, Any

from sonar_slt.errors import UserError

REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR, errno.EISDIR)
"""What a file system says of a folder that is not ours to write to, or that is none."""


def plain(value: Any) -> Any:
    """The value in the terms of json: dicts, lists, strings, numbers; what is neither becomes its text.

    Numbers that json does not know (NaN, infinities) become None.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=str)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int | bool):
        return value
    return str(value)


def write_atomically(path: Path, text: str) -> None:
    """Put `text` at `path` so that a reader finds the old file or the new one, never a part, even after a crash."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def replace_folder(draft: Path, final: Path) -> None:
    """Put the finished folder `draft` in the place of `final`; what stood there is removed only afterwards."""
    former = final.with_name(f".{final.name}.{os.getpid()}.former")
    shutil.rmtree(former, ignore_errors=True)
    if final.exists():
        final.rename(former)
    draft.rename(final)
    shutil.rmtree(former, ignore_errors=True)


@contextmanager
def replacing(final: Path) -> Iterator[Path]:
    """A hidden folder to fill; it takes the place of `final` when the block ends well, and goes where that fails."""
    draft = final.with_name(f".{final.name}.{os.getpid()}.tmp")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        yield draft
        replace_folder(draft, final)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def alone(folder: Path, *, busy: str, unwritable: Callable[[OSError], UserError]) -> Iterator[None]:
    """Hold the lock beside `folder`, or say that it is `busy`; it ends with the process, however that ends."""
    from filelock import FileLock, Timeout

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder.with_name(f".{folder.name}.lock"), timeout=0).acquire()
    except Timeout as error:
        raise UserError(busy) from error
    except OSError as error:
        raise unwritable(error) from error
    with lock:
        yield


def as_json(value: Any) -> str:
    """A value as the text of a json file for people, too."""
    return json.dumps(plain(value), indent=2, ensure_ascii=False) + "\n"


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented json, atomically."""
    write_atomically(path, as_json(value))


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a jsonl file, in order; a torn or foreign line is passed over. No file has no lines."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace") as stream:
        for line in stream:
            try:
                value = json.loads(line)
            except ValueError:
                continue
            if isinstance(value, dict):
                yield value


def append_lines(path: Path, values: Iterable[Any]) -> None:
    """Add json lines to a file that several processes may add to; they are on the disk when this returns."""
    from filelock import FileLock

    lines = "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)
    with FileLock(path.with_suffix(".lock")), path.open("ab+") as stream:
        stream.write(b"\n" * _is_torn(stream) + lines.encode())
        stream.flush()
        os.fsync(stream.fileno())


def _is_torn(stream: IO[bytes]) -> bool:
    """Whether the last line was cut short by a kill."""
    if stream.seek(0, os.SEEK_END) == 0:
        return False
    stream.seek(-1, os.SEEK_END)
    return stream.read(1) != b"\n"


@contextmanager
def permitted(sentence: Callable[[str], str]) -> Iterator[None]:
    """Say in one sentence what the file system refuses, made of its own word for it."""
    try:
        yield
    except OSError as error:
        if error.errno not in REFUSED:
            raise
        raise UserError(sentence(os.strerror(error.errno))) from error
