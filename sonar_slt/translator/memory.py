"""What a translator said, kept on disk line by line: a job that is killed loses the batch that it was at.

A translation is found by what decides it: model, search, both languages and the text. Models and searches have a
folder each, pairs of languages a file each.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from sonar_slt.files import append_lines, permitted, read_lines, write_json


class TranslationMemory:
    """The translations of one model and one way of searching, in a folder of its own below `folder`."""

    def __init__(self, *, folder: str | Path, identity: str, described: Mapping[str, Any]) -> None:
        self.folder, self.described = (Path(folder) / identity).absolute(), described

    def known(self, texts: Iterable[str], *, source: str, target: str) -> dict[str, str]:
        """Those of the texts that were translated before, each with what was said; a torn line counts for nothing."""
        wanted = set(texts)
        lines = read_lines(self._file(source, target))
        said = ((line.get("text"), line.get("said")) for line in lines)
        return {text: found for text, found in said if text in wanted and isinstance(found, str)}

    def keep(self, said: Mapping[str, str], *, source: str, target: str) -> None:
        """Add translations; they are on the disk when this returns."""
        with self._permitted():
            self._make_folder()
            append_lines(self._file(source, target), ({"text": text, "said": said[text]} for text in said))

    def make_ready(self) -> None:
        """Make the folder, so that one that cannot be had is told of before hours of work."""
        with self._permitted():
            self._make_folder()
            if not os.access(self.folder, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def _file(self, source: str, target: str) -> Path:
        return self.folder / f"{source}-{target}.jsonl"

    def _make_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / "translator.json").is_file():
            write_json(self.folder / "translator.json", self.described)

    def _permitted(self) -> AbstractContextManager[None]:
        return permitted(
            lambda why: (
                f"No translations can be kept in '{self.folder}': {why}; make it writable, or "
                "choose another by paths.cache=FOLDER."
            )
        )
