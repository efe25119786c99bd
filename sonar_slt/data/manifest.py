"""The manifest: one row per clip, in plain json lines, with everything known of it but its frames.

A corpus is its manifest and its clip store; readers of released corpora and the toy world both end here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from sonar_slt.errors import UserError
from sonar_slt.runs.files import write_atomically


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One clip: who signs, how long, and what it means in each language (every valid reference)."""

    id: str
    split: str
    signer: str
    frames: int
    fps: float
    texts: Mapping[str, Sequence[str]]
    held_out: bool = False


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write a manifest; it is whole or absent."""
    write_atomically(path, "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows))


def read(path: Path) -> list[Row]:
    """Read a manifest; a broken line is named."""
    if not path.is_file():
        raise UserError(f"No manifest at '{path}': a corpus is a folder with manifest.jsonl and clips/.")
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            rows.append(Row(**json.loads(line)))
        except (TypeError, ValueError) as error:
            raise UserError(f"Line {number} of '{path}' is no manifest row: {error}.") from error
    return rows


def digest(rows: Sequence[Row]) -> str:
    """A hash of every row in order: two runs with the same digest saw the same clips and texts."""
    lines = "\n".join(json.dumps(asdict(row), sort_keys=True) for row in rows)
    return hashlib.sha256(lines.encode()).hexdigest()[:16]
