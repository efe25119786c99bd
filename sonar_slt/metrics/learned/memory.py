"""What a model said of pairs of sentences, kept on disk line by line: a job that is killed loses the batch it was at.

A pair is kept as a hash, so that no sentence of a corpus leaves its folder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from sonar_slt.files import append_lines, permitted, read_lines
from sonar_slt.metrics.learned.pairs import Pair


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
        with self._permitted():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            append_lines(self.path, ({"pair": digest(pair), "score": score} for pair, score in scores.items()))

    def _permitted(self) -> AbstractContextManager[None]:
        return permitted(
            lambda why: (
                f"{self.key}={self.path.parent}: no scores can be kept there ({why}); expected a "
                f"folder that may be written to, or {self.key}=null to keep none."
            )
        )


def digest(pair: Pair) -> str:
    """The name of a pair in the file."""
    return hashlib.sha256(json.dumps(pair).encode()).hexdigest()[:32]
