"""The code that a run came from: its commit, its lock file, and the versions of its packages.

Everything is read from outside (git, package metadata), so that no package is imported to say its version.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
"""The checkout, when the package runs from one; else the folder that it was installed into."""

LOCK_FILES = ("requirements.lock", "requirements.txt", "pylock.toml", "uv.lock")
"""Names under which the lock file may lie in the checkout; the first that exists is hashed."""

PACKAGES = (
    "sonar-slt", "torch", "pytorch-lightning", "transformers", "peft", "hydra-core", "omegaconf", "sacrebleu", "numpy",
)  # fmt: skip

COMMIT = re.compile(r"[0-9a-f]{7,64}")
"""A record may come from anywhere: what is no name of a commit never reaches git."""


def git_state(root: Path = ROOT) -> dict[str, Any] | None:
    """The commit and whether the working tree departs from it; None when the code is not in a checkout of its own."""
    if not (root / ".git").exists():
        return None
    try:
        dirty = bool(_git(root, "status", "--porcelain"))
    except (OSError, subprocess.SubprocessError):
        return None
    try:
        return {"sha": _git(root, "rev-parse", "HEAD"), "dirty": dirty}
    except subprocess.SubprocessError:  # no commit yet
        return {"sha": None, "dirty": dirty}


def changed_between(first: str, second: str, root: Path = ROOT) -> tuple[int, list[str]] | None:
    """How many commits lie between two, and the lines of `git diff --stat`; None unless both are in the checkout."""
    if not (re.fullmatch(COMMIT, first) and re.fullmatch(COMMIT, second) and (root / ".git").exists()):
        return None
    try:
        commits = int(_git(root, "rev-list", "--count", f"{first}...{second}"))
        return commits, [line.strip() for line in _git(root, "diff", "--stat=78", first, second, "--").splitlines()]
    except (OSError, subprocess.SubprocessError):
        return None


def _git(root: Path, *words: str) -> str:
    # A hook exports GIT_DIR and its like, which would point at another repository.
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    done = subprocess.run(
        ["git", "-C", str(root), *words], env=env, capture_output=True, text=True, timeout=10, check=True
    )
    return done.stdout.strip()


def lock_hash(root: Path = ROOT) -> str | None:
    """The sha256 of the lock file in the checkout, or None when there is none."""
    lock = next((root / name for name in LOCK_FILES if (root / name).is_file()), None)
    return hashlib.sha256(lock.read_bytes()).hexdigest() if lock else None


def versions() -> dict[str, str]:
    """Python's version and those of the packages that decide a result, read from their metadata."""
    from importlib import metadata  # which takes as long as Python's own start

    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
