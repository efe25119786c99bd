"""Where a run came from: its code, its packages, its process, and what it computes.

Everything is read from outside (git, package metadata, /proc), so that no package is imported to say its version.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import socket
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from sonar_slt.runs.files import plain

ROOT = Path(__file__).resolve().parents[2]
"""The checkout, when the package runs from one; else the folder that it was installed into."""

LOCK_FILES = ("requirements.lock", "requirements.txt", "pylock.toml", "uv.lock")
"""Names under which the lock file may lie in the checkout; the first that exists is hashed."""

PACKAGES = (
    "sonar-slt", "torch", "pytorch-lightning", "transformers", "peft", "hydra-core", "omegaconf", "sacrebleu", "numpy",
)  # fmt: skip

NOT_COMPUTED = frozenset(
    {
        ("paths",), ("logger",), ("name",), ("output",), ("hydra",),
        ("trainer", "devices"), ("trainer", "accelerator"), ("trainer", "num_nodes"), ("trainer", "strategy"),
        ("trainer", "enable_progress_bar"), ("trainer", "logger"), ("trainer", "default_root_dir"),
    }
)  # fmt: skip
"""Keys that say where and how a run is carried out, not what it computes."""


def identity(verb: str, config: Mapping[str, Any]) -> str:
    """Eight hex digits of what a run computes: equal for the same work on another machine or under another name."""
    tree = plain(config)
    # A path that was interpolated into another section differs between machines: its part from `paths` is left out.
    folders = sorted((v for v in (tree.get("paths") or {}).values() if isinstance(v, str) and v), key=len, reverse=True)
    text = json.dumps([verb, _computed(tree, folders)], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _computed(value: Any, folders: list[str], above: tuple[str, ...] = ()) -> Any:
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if (*above, key) not in NOT_COMPUTED}
        return {key: _computed(item, folders, (*above, key)) for key, item in kept.items()}
    if isinstance(value, list):
        return [_computed(item, folders, (*above, "[]")) for item in value]
    if isinstance(value, str):
        folder = next((f for f in folders if value == f or value.startswith(f.rstrip("/") + "/")), "")
        return value[len(folder) :]
    return value


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
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def this_process() -> dict[str, Any]:
    """What tells this process from every other one, also after its number was given to another."""
    pid = os.getpid()
    return {"pid": pid, "host": socket.gethostname(), "boot": _boot(), "born": _born(pid)}


def is_alive(process: Mapping[str, Any]) -> bool | None:
    """Whether a recorded process still runs; None when it cannot be known from this machine."""
    pid = process.get("pid")
    if not isinstance(pid, int) or pid <= 0 or process.get("host") != socket.gethostname():
        return None
    boot, born = process.get("boot"), process.get("born")
    if boot and _boot() and boot != _boot():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it exists and is another user's, whose /proc may be hidden
        return _born(pid) in (None, born)
    return born is None or _born(pid) == born


def _boot() -> str | None:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:  # not Linux
        return None


def _born(pid: int) -> int | None:
    """When the process began, in clock ticks since the machine started."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, *fields = stat.rpartition(")")[2].split()  # the command's name may hold spaces and brackets
    return None if state in "ZX" else int(fields[18])


def source_hash(*names: str) -> str:
    """A hash of sources of this package, by file or folder name: what they make changes only when they do.

    Read from the files, so nothing is imported; line ends are made equal.
    """
    package = Path(__file__).parent.parent
    digest = hashlib.sha256()
    for name in names:
        place = package / name
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(f"{path.relative_to(package).as_posix()}\n{path.read_text(encoding='utf-8')}".encode())
    return digest.hexdigest()[:16]


def code_hash() -> str:
    """A hash of the whole package: two runs with the same one did the same thing with the same config."""
    return source_hash("")
