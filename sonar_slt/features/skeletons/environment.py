"""The environment of MediaPipe: made where it is first needed, once, from a lock file with hashes.

MediaPipe needs an older numpy and protobuf than everything else here, so that it runs in processes of its own.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

from filelock import FileLock

from sonar_slt.errors import UserError

READY = ".ready"
PYTHONS = ("3.11", "3.12")
"""The versions that MediaPipe has wheels for."""


def lock_text() -> str:
    """What the environment holds, each package with its hashes."""
    return resources.files(__package__).joinpath("requirements.lock").read_text(encoding="utf-8")


def lock_hash() -> str:
    """A hash of that."""
    return hashlib.sha256(lock_text().encode()).hexdigest()[:12]


def locked(package: str) -> str:
    """The version of a package in it."""
    found = re.search(rf"^{re.escape(package)}==(\S+)", lock_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def environment(place: Path, *, python: str | None = None) -> Path:
    """The interpreter of the environment in the folder `place`, which is made by `python` where it is not there yet."""
    folder = place.absolute() / f"mediapipe-{lock_hash()}"
    if not _is_ready(folder):
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(folder.with_name(f".{folder.name}.lock")):
                if not _is_ready(folder):  # another process was faster
                    _make(folder, _base(python))
        except OSError as error:
            raise UserError(
                f"The environment of MediaPipe cannot be made in '{place}': {error.strerror or error}; choose another "
                "folder by features.mediapipe_holistic.environments=FOLDER."
            ) from error
    return _python(folder)


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"


def _is_ready(folder: Path) -> bool:
    """Whether it was finished, and the Python that it was made by is still there."""
    return (folder / READY).is_file() and _python(folder).exists()


def _base(asked: str | None) -> str:
    """The Python to make it by: the one asked for, else the one that runs, else one that is found."""
    for python in (sys.executable, *(f"python{version}" for version in PYTHONS[::-1])) if asked is None else (asked,):
        if (found := _version(python)) in PYTHONS:
            return python
        if asked is not None:
            what = f"is Python {found}" if found else "does not run"
            raise UserError(
                f"features.mediapipe_holistic.python={asked}: it {what}; an interpreter of Python "
                f"{' or '.join(PYTHONS)} was expected."
            )
    raise UserError(
        f"MediaPipe needs Python {' or '.join(PYTHONS)}, and neither runs here nor is found: install one of them, or "
        "name it by features.mediapipe_holistic.python=/path/to/python3.12."
    )


def _version(python: str) -> str | None:
    program = "import sys, venv; print(*sys.version_info[:2], sep='.')"
    try:
        return _run([python, "-I", "-c", program]).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _make(folder: Path, base: str) -> None:
    told = f"Making the environment of MediaPipe in '{folder}'; the first time this downloads about 60 MB."
    print(told, file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)  # of a process that was killed
    try:
        _run([base, "-I", "-m", "venv", "--clear", "--without-pip", str(folder)])
        lock = folder / "requirements.lock"
        lock.write_text(lock_text(), encoding="utf-8")
        _install(_python(folder), lock)
    except subprocess.CalledProcessError as error:
        lines = [line.strip() for line in str(error.stderr).splitlines() if line.strip()]
        raise UserError(
            f"The environment of MediaPipe cannot be made in '{folder}': {lines[-1] if lines else error}. Its packages "
            "come from the package index that pip is set to."
        ) from error
    (folder / READY).touch()


def _install(python: Path, lock: Path) -> None:
    """By uv where there is one, which is told of pip's mirror; by pip where there is none, or it does not get through.

    Nothing but the lock file is installed, nothing is built, nothing is run.
    """
    asked = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(lock)]
    if (uv := _uv()) is not None:
        index = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("PIP_INDEX_URL") or _pip_index()
        mirror = {"UV_DEFAULT_INDEX": index} if index else {}
        command = [uv, "pip", "install", "--quiet", "--system-certs", "--compile-bytecode", "--python", str(python)]
        try:
            _run([*command, *asked], extra=mirror)
            return
        except (OSError, subprocess.CalledProcessError):
            print("uv could not install the packages of MediaPipe; pip tries the same.", file=sys.stderr)
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, *asked])


def _uv() -> str | None:
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.is_file() else shutil.which("uv")


def _pip_index() -> str | None:
    try:
        return _run([sys.executable, "-m", "pip", "config", "get", "global.index-url"]).stdout.strip()
    except subprocess.CalledProcessError:
        return None


def _run(command: Sequence[str], *, extra: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        check=True,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={**os.environ, **(extra or {})},
    )
