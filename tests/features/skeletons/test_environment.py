"""The environment of MediaPipe: locked, made once, whole or not there; no package is installed by these tests."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sonar_slt.errors import UserError
from sonar_slt.features.skeletons import MediapipeHolistic, environment
from sonar_slt.features.skeletons.mediapipe_holistic import WORKER


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The environments that were made, without packages."""
    made: list[Path] = []

    def install(python: Path, lock: Path) -> None:
        time.sleep(0.2)
        assert lock.read_text() == environment.lock_text()
        made.append(python)

    monkeypatch.setattr(environment, "_install", install)
    monkeypatch.setattr(environment, "PYTHONS", (f"{sys.version_info[0]}.{sys.version_info[1]}",))
    return made


def test_the_lock_has_hashes_and_names_no_index() -> None:
    text = environment.lock_text()
    packages = re.findall(r"^(\S+)==(\S+)", text, re.MULTILINE)
    assert {name for name, _ in packages} == {"attrs", "mediapipe", "numpy", "protobuf"}
    for block in re.split(r"\n(?=\S)", text.strip()):
        assert "--hash=sha256:" in block
    assert "://" not in text and "index" not in text
    assert tuple(map(int, environment.locked("mediapipe").split("."))) < (0, 10, 30)


def test_the_worker_needs_nothing_of_ours() -> None:
    tree = ast.parse(WORKER.read_text(encoding="utf-8"))
    names = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert names - set(sys.stdlib_module_names) == {"numpy"}


def test_it_is_made_once_whoever_asks(
    tmp_path: Path, installed: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(environment.environment(tmp_path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(installed) == 1 and set(found) == set(installed) and len(found) == 4
    assert environment.lock_hash() in str(found[0])
    assert capsys.readouterr().err.count("Making the environment of MediaPipe") == 1
    prefix = "import sys; print(sys.prefix, sys.base_prefix)"
    inside, base = subprocess.run([found[0], "-c", prefix], capture_output=True, text=True, check=True).stdout.split()
    assert Path(inside) == found[0].parents[1] and base == sys.base_prefix


def test_one_that_was_not_finished_is_made_anew(tmp_path: Path, installed: list[Path]) -> None:
    python = environment.environment(tmp_path)
    folder = python.parents[1]
    (folder / ".ready").unlink()
    (folder / "left").touch()
    assert environment.environment(tmp_path) == python
    assert len(installed) == 2 and not (folder / "left").exists()
    python.unlink()
    python.symlink_to(tmp_path / "gone")  # the Python that it was made by was removed
    assert environment.environment(tmp_path) == python
    assert len(installed) == 3


def test_one_that_cannot_be_installed(tmp_path: Path, installed: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def install(python: Path, lock: Path) -> None:
        told = "some\nERROR: no matching distribution\n\n"
        raise subprocess.CalledProcessError(1, ["pip"], stderr=told)

    monkeypatch.setattr(environment, "_install", install)
    with pytest.raises(UserError, match=r"cannot be made in .*: ERROR: no matching distribution\. Its packages"):
        environment.environment(tmp_path)
    assert not list(tmp_path.rglob(".ready"))
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"features\.mediapipe_holistic\.environments=FOLDER"):
        environment.environment(tmp_path / "file")


def test_the_python_that_makes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for path, version in ((old, "3.9"), (new, "3.12")):
        path.write_text(f"#!/bin/sh\necho {version}\n")
        path.chmod(0o755)
    assert environment._base(str(new)) == str(new)
    for asked, told in ((str(old), "it is Python 3.9;"), (str(tmp_path / "none"), "it does not run;")):
        with pytest.raises(UserError, match=told):
            environment._base(asked)
    versions = {sys.executable: "3.13", "python3.12": None, "python3.11": "3.11"}
    monkeypatch.setattr(environment, "_version", lambda python: versions[python])
    assert environment._base(None) == "python3.11"
    versions["python3.11"] = None
    with pytest.raises(UserError, match=r"needs Python 3\.11 or 3\.12.*features\.mediapipe_holistic\.python="):
        environment._base(None)


def test_what_decides_a_point_is_described(tmp_path: Path) -> None:
    usual = MediapipeHolistic(environments=tmp_path)
    assert usual.described() == MediapipeHolistic(environments=tmp_path / "other", python="python3.12").described()
    assert usual.described() != MediapipeHolistic(environments=tmp_path, detection=0.6).described()
    assert usual.described()["mediapipe"] == environment.locked("mediapipe")
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(UserError, match=r"features\.mediapipe_holistic\.tracking is"):
            MediapipeHolistic(environments=tmp_path, tracking=wrong)
    assert not list(tmp_path.iterdir())
