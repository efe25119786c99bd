"""Where a run came from: its code, its packages, its process, and what it computes.

Everything is read from outside (git, package metadata, /proc), so that no package is imported to say its version.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sonar_slt.files import plain
from sonar_slt.runs import slurm

ROOT = Path(__file__).resolve().parents[2]
"""The checkout, when the package runs from one; else the folder that it was installed into."""

LOCK_FILES = ("requirements.lock", "requirements.txt", "pylock.toml", "uv.lock")
"""Names under which the lock file may lie in the checkout; the first that exists is hashed."""

PACKAGES = (
    "sonar-slt", "torch", "pytorch-lightning", "transformers", "peft", "hydra-core", "omegaconf", "sacrebleu", "numpy",
)  # fmt: skip

COMMIT = re.compile(r"[0-9a-f]{7,64}")
"""A record may come from anywhere: what is no name of a commit never reaches git."""

NOT_COMPUTED = frozenset(
    {
        ("paths",), ("logger",), ("name",), ("output",), ("hydra",), ("launcher",), ("sweeper",), ("again",),
        ("trainer", "devices"), ("trainer", "accelerator"), ("trainer", "num_nodes"), ("trainer", "strategy"),
        ("trainer", "enable_progress_bar"), ("trainer", "logger"), ("trainer", "default_root_dir"),
    }
)  # fmt: skip
"""Keys that say where and how a run is carried out, not what it computes."""


def identity(verb: str, config: Mapping[str, Any]) -> str:
    """Eight hex digits of what a run computes: equal for the same work on another machine or under another name."""
    text = json.dumps([verb, computed(config)], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def computed(config: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a config that decides what is computed, in plain values."""
    tree = plain(config)
    # A path that was interpolated into another section differs between machines: its part from `paths` is left out.
    folders = sorted((v for v in (tree.get("paths") or {}).values() if isinstance(v, str) and v), key=len, reverse=True)
    kept: dict[str, Any] = _computed(tree, folders)
    return kept


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


def this_process() -> dict[str, Any]:
    """What tells this process from every other one, also after its number was given to another."""
    pid = os.getpid()
    known = {"pid": pid, "host": socket.gethostname(), "boot": _boot(), "born": _born(pid)}
    return {**known, "slurm": slurm.job(), "restarts": slurm.restarts()} if slurm.job() else known


def is_alive(process: Mapping[str, Any]) -> bool | None:
    """Whether a recorded process still runs; None when it cannot be known from this machine."""
    if why_gone(process) is not None:
        return False
    return True if is_local(process) else None


def is_local(process: Mapping[str, Any]) -> bool:
    """Whether a recorded process began on this machine, so that it can be looked for here."""
    pid = process.get("pid")
    return isinstance(pid, int) and pid > 0 and process.get("host") == socket.gethostname()


def why_gone(process: Mapping[str, Any]) -> str | None:
    """Why a recorded process of this machine cannot be running any more; None where it is, or where nothing is known.

    A machine that crashed has another boot id since; the number of a process that ended may be another one's by now.
    """
    if over := slurm.why_over(process):
        return over
    if not is_local(process):
        return None
    pid, boot, born = process["pid"], process.get("boot"), process.get("born")
    if boot and (now := _boot()) and boot != now:
        return f"the machine was started anew since, with process {pid} on it"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return f"process {pid} is gone"
    except PermissionError:  # it exists and is another user's, whose /proc may be hidden
        other = _born(pid)
        return None if other in (None, born) else f"process {pid} is gone, its number is another one's now"
    if born is None:  # not Linux
        return None
    if (other := _born(pid)) is None:
        return f"process {pid} is gone"
    return None if other == born else f"process {pid} is gone, its number is another one's now"


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
