"""What a model said of pairs of sentences, kept on disk line by line: a job that is killed loses the batch it was at.

A pair is kept as a hash, so that no sentence of a corpus leaves its folder.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from filelock import FileLock

from sonar_slt.errors import UserError
from sonar_slt.metrics.learned import Pair
from sonar_slt.runs.files import read_lines

REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR)
"""What a file system says of a folder that is not ours to write to, or that is none."""


class PairMemory:
    """The scores of one model, told by `identity`, in a file of its own below `folder`; `key` is that folder's name."""

    def __init__(self, *, folder: str | Path, identity: str, key: str) -> None:
        self.path, self.key = Path(folder).expanduser().absolute() / f"{identity}.jsonl", key

    def known(self, pairs: Iterable[Pair]) -> dict[Pair, float]:
        """Those of the pairs that were scored before; a torn line counts for nothing."""
        wanted, found = {digest(pair): pair for pair in pairs}, {}
        with self._permitted():
            for line in read_lines(self.path):
                name, score = line.get("pair"), line.get("score")
                if isinstance(name, str) and isinstance(score, float) and name in wanted:
                    found[wanted[name]] = score
        return found

    def keep(self, scores: Mapping[Pair, float]) -> None:
        """Add scores; they are on the disk when this returns."""
        lines = "".join(json.dumps({"pair": digest(pair), "score": score}) + "\n" for pair, score in scores.items())
        with self._permitted():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.path.with_suffix(".lock")), self.path.open("ab+") as stream:
                stream.write(b"\n" * _is_torn(stream) + lines.encode())
                stream.flush()
                os.fsync(stream.fileno())

    @contextmanager
    def _permitted(self) -> Iterator[None]:
        """Say in one sentence what the file system refuses."""
        try:
            yield
        except OSError as error:
            if error.errno not in REFUSED:
                raise
            raise UserError(
                f"{self.key}={self.path.parent}: no scores can be kept there ({os.strerror(error.errno)}); expected a "
                f"folder that may be written to, or {self.key}=null to keep none."
            ) from error


def digest(pair: Pair) -> str:
    """The name of a pair in the file."""
    return hashlib.sha256(json.dumps(pair).encode()).hexdigest()[:32]


def _is_torn(stream: IO[bytes]) -> bool:
    """Whether the last line was cut short by a kill."""
    if stream.seek(0, os.SEEK_END) == 0:
        return False
    stream.seek(-1, os.SEEK_END)
    return stream.read(1) != b"\n"
