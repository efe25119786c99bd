"""A prepared folder as it lies on disk: the names of its files, and the summary that says what it holds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLIPS = "clips"
MANIFEST = "manifest.jsonl"
FAULTS = "faults.jsonl"
SUMMARY = "summary.json"
REPORT = "report.html"


@dataclass(frozen=True, slots=True)
class PreparedFolder:
    """A prepared folder and its summary; `made` says whether it was prepared now."""

    folder: Path
    summary: dict[str, Any]
    made: bool = False

    @property
    def faults(self) -> Path:
        """One json line per fault: id, kind, told, split, done."""
        return self.folder / FAULTS

    @property
    def report(self) -> Path:
        """The page to look at."""
        return self.folder / REPORT


def prepared_in(folder: Path, *, made: bool = False) -> PreparedFolder | None:
    """What lies in a prepared folder, None where there is none."""
    try:
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return PreparedFolder(folder, summary, made) if is_prepared(folder) else None


def is_prepared(folder: Path) -> bool:
    """Whether a corpus lies there."""
    return (folder / MANIFEST).is_file()


def has_points(folder: Path) -> bool:
    """Whether the clips there have points; a corpus of pictures alone has no clip store."""
    return (folder / CLIPS).is_dir()
