"""A folder that is whole or not there: it is written under a hidden name and takes its own once it is on the disk.

It never takes the place of anything, unlike what `sonar_slt.files` puts in place, and one process at a time may
write it. The lock's empty file stays: to remove it would let two in.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from sonar_slt.errors import UserError
from sonar_slt.files import alone


@contextmanager
def drafted(final: Path) -> Iterator[Path]:
    """A hidden folder beside `final` that takes its place if the block ends well, and vanishes if it does not."""
    busy = f"Another conversion is writing '{final}': wait for its end, or give another output=."
    with alone(final, busy=busy, unwritable=partial(_unwritable, final)):
        vacant(final)  # whoever held the lock before may have filled it
        draft = final.with_name(f".{final.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)  # of a process that was killed
        try:
            draft.mkdir()
        except OSError as error:
            raise _unwritable(final, error) from error
        try:
            yield draft
            _sync(draft)
            _place(draft, final)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def vacant(output: str | Path) -> Path:
    """The absolute path of a folder that is empty or not there yet; anything else is refused."""
    final = Path(output).expanduser().resolve()
    if final.is_dir() and any(final.iterdir()):
        raise UserError(f"'{output}' is not empty: give another output=, or remove it first.")
    if final.exists() and not final.is_dir():
        raise UserError(f"'{output}' is a file: output= takes a folder that is not there yet.")
    return final


def _place(draft: Path, final: Path) -> None:
    """Rename; an empty folder is removed before, as Windows wants it, and one that was filled meanwhile is refused."""
    vacant(final)
    if final.exists():
        final.rmdir()
    draft.rename(final)
    _sync_names(final.parent)


def _sync(folder: Path) -> None:
    """Wait until all below a folder is on the disk, numbers and names."""
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            _sync_names(path)
            continue
        with path.open("r+b") as file:  # Windows syncs only what may be written
            os.fsync(file.fileno())


def _sync_names(folder: Path) -> None:
    if os.name == "nt":  # where a folder cannot be opened
        return
    names = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(names)
    finally:
        os.close(names)


def _unwritable(final: Path, error: OSError) -> UserError:
    return UserError(f"Nothing can be written to '{final.parent}': {error.strerror}.")
