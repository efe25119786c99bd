"""A hash of this package's own sources: what they make changes only when they do.

Read from the files, so nothing is imported; line ends are made equal.
"""

from __future__ import annotations

import hashlib
from pathlib import Path


def source_hash(*names: str) -> str:
    """A hash of sources by the names of files or folders in the package."""
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for name in names:
        place = package / name
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(f"{path.relative_to(package).as_posix()}\n{path.read_text(encoding='utf-8')}".encode())
    return digest.hexdigest()[:16]


def code_hash() -> str:
    """A hash of the whole package: two runs with the same one did the same thing with the same config."""
    return source_hash("")
