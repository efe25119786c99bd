"""A sweep on a real SLURM, one job of which is taken off its node midway, ends with the table of one that ran here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from sonar_slt.cli import main
from sonar_slt.runs.registry import Record, all_runs, read
from tests.conftest import MICRO

pytestmark = pytest.mark.slurm

CONF = Path(os.environ.get("SLURM_CONF") or Path(tempfile.gettempdir()) / "sonar-slt-slurm" / "slurm.conf")
PLANTED = """
import pytorch_lightning as pl

class Planted(pl.Callback):
    def __init__(self, *, weight: float, hidden: int, seed: int) -> None:
        self.fails = (weight, hidden, seed) == (0, 16, 2)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self.fails:
            raise RuntimeError("planted")
"""
SWEPT = ["objective.cosine.weight=0,2.7", "adapter.hidden=16,32", "seed=1,2"]
READ = {"weight": "objective.cosine.weight", "hidden": "adapter.hidden", "seed": "seed"}
CALLBACK = ["planted:", "  _target_: planted.Planted", *(f"  {name}: ${{{key}}}" for name, key in READ.items())]
OWN = {
    "recipe": "null",
    "threads": 1,
    "trainer.max_steps": 60,
    "trainer.log_every_n_steps": 5,
    "eval_every": 30,
    "task.judged": 0,
    "monitor": "dev/loss",
    "conclude": "null",
    "allow": "[planted]",
    "callbacks": "planted",
}
SMALL = ["launcher=slurm", "launcher.gpus=0", "launcher.cpus=1", "launcher.mem=null", "launcher.time=10"]


def lacking() -> str | None:
    """Why there is no SLURM to run these tests on."""
    if shutil.which("sbatch") is None:
        return "SLURM is not installed: `tests/slurm/up --install` brings it on Debian, as root"
    if not CONF.is_file() or "ClusterName=sonar-slt-tests" not in CONF.read_text():
        return "the SLURM of these tests is not up: `tests/slurm/up`, as root"
    return None


@pytest.fixture(autouse=True)
def _slurm(monkeypatch: pytest.MonkeyPatch) -> None:
    if reason := lacking():
        pytest.skip(reason)
    monkeypatch.setenv("SLURM_CONF", str(CONF))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    if said("sinfo", "--noheader") is None:
        pytest.skip(f"the SLURM of {CONF} does not answer: `tests/slurm/up`, as root")


def said(*words: str) -> str | None:
    """What one of SLURM's programs prints, None where it fails."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=30)
    return done.stdout if done.returncode == 0 else None


@pytest.fixture
def words(outputs: Path, space_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sweep as a command without its launcher, which both share, and a class of the user's that it builds."""
    (tmp_path / "planted.py").write_text(PLANTED)
    (tmp_path / "mine" / "callbacks").mkdir(parents=True)
    (tmp_path / "mine" / "callbacks" / "planted.yaml").write_text("\n".join(CALLBACK))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    settings = {**MICRO, **OWN, "space.source": space_folder, "paths.outputs": outputs}
    return [
        "train",
        "-m",
        "--config-dir",
        str(tmp_path / "mine"),
        *(f"{key}={value}" for key, value in settings.items()),
        *SWEPT,
    ]


def table(sweep: str, outputs: Path, runs: Path) -> str:
    """The table of a sweep, as its csv."""
    printed = StringIO()
    with redirect_stdout(printed):
        asked = ["targets=[dev/loss]", "format=csv", f"paths.outputs={outputs}", f"paths.runs={runs}"]
        assert main(["table", sweep, *asked]) == 0
    return printed.getvalue()


def entries(sweep: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text("utf-8")) for path in sorted((sweep / "jobs").glob("*.json"))]


def sweep_of(outputs: Path, name: str) -> Path | None:
    return next(iter(sorted((outputs / "sweeps").glob(f"*_{name}"))), None)


def until(found: Any, seconds: float, child: subprocess.Popen[bytes]) -> Any:
    """What is found at last, while the command runs and the time lasts."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and child.poll() is None:
        if value := found():
            return value
        time.sleep(0.1)
    raise AssertionError(f"not found in {seconds} s; the command ended with {child.poll()}")


@pytest.fixture
def command(words: Sequence[str], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The sweep on the cluster, under way."""
    log = (tmp_path / "command.log").open("wb")
    typed = [sys.executable, "-m", "sonar_slt", *words, *SMALL, "name=cluster", f"paths.runs={tmp_path / 'cluster'}"]
    with log, subprocess.Popen(typed, stdout=log, stderr=subprocess.STDOUT) as child:
        try:
            yield child
        finally:
            child.terminate()
            said("scancel", "--name=sonar-slt")
            child.wait(30)


def test_a_preempted_job_and_a_failed_one_leave_the_table_that_there_would_have_been(
    words: list[str], command: subprocess.Popen[bytes], outputs: Path, tmp_path: Path
) -> None:
    def preempted() -> Record | None:
        """A training that was taken off its node while it learnt; one may be over too soon for that."""
        for run in all_runs(tmp_path / "cluster"):
            if run.status == "running" and (run.folder / "metrics.csv").is_file():
                assert said("scontrol", "requeue", run.process["slurm"]) is not None
                until(lambda run=run: read(run.folder).status != "running", 30, command)
                return run if read(run.folder).status == "killed" else None
        return None

    first = until(preempted, 180, command)
    number = first.process["slurm"]
    # A job that was put back waits for two minutes; root may have it begin at once.
    until(lambda: said("squeue", "--noheader", "--format=%T", f"--jobs={number}") == "PENDING\n", 60, command)
    assert said("scontrol", "update", f"jobid={number}", "StartTime=now") is not None
    runs = tmp_path / "here"
    assert main([*words, "name=here", f"paths.runs={runs}"]) == 1
    assert command.wait(300) == 1, (tmp_path / "command.log").read_text()

    away, here = sweep_of(outputs, "cluster"), sweep_of(outputs, "here")
    assert away and here and table(away.name, outputs, tmp_path / "cluster") == table(here.name, outputs, runs)
    assert [entry["status"] for entry in entries(away)].count("finished") == 7
    (failed,) = (entry for entry in entries(away) if entry["status"] == "failed")
    assert "planted" in failed["reason"] and {"adapter.hidden=16", "seed=2"} < set(failed["overrides"])
    same = [run for run in all_runs(tmp_path / "cluster") if run.id == first.id]
    assert [run.status for run in same] == ["finished", "killed"] and same[0].parent == first.folder.name
    assert same[1].reason == "preempted (SIGTERM); SLURM starts it again"
