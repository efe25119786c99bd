"""Sweeps: what fails, what is done before, what was killed, and where jobs run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sonar_slt.cli import main
from sonar_slt.cli.command.entries import note_run
from sonar_slt.launcher.job import VARIABLE, Place
from sonar_slt.runs.provenance.process import is_alive, this_process
from sonar_slt.runs.record import Run
from sonar_slt.runs.registry import Record, all_runs
from sonar_slt.source_hash import code_hash
from tests.conftest import MICRO

CHEAP = Path(__file__).parent / "cheap"
RUNS = Path("outputs/runs")
KEYPOINT = "adapter=keypoint"  # so that no corpus is looked at


def recorded(failing: Callable[[dict[str, Any]], bool] = lambda config: False) -> Callable[[dict[str, Any]], float]:
    """What a verb does with its record, and nothing else."""

    def job(config: dict[str, Any]) -> float:
        asked = config.pop("asked")
        parent = asked.stopped.folder.name if asked.stopped else None
        verb = "train" if "objective" in config else "evaluate"
        own = {"verb": verb, "name": "cheap", "config": config, "overrides": [], "parent": parent, "facts": asked.facts}
        with Run.start(Path(config["paths"]["runs"]), **own) as run:
            note_run(asked.facts, run.folder)
            if failing(config):
                raise RuntimeError("boom")
            run.update(code=code_hash(), metrics={"mean_bleu": {"trained": float(config["seed"])}})
        return float(config["seed"])

    return job


def jobs(sweep: Path) -> dict[int, dict[str, Any]]:
    """The entries of a sweep by number."""
    return {int(path.stem): json.loads(path.read_text("utf-8")) for path in (sweep / "jobs").glob("*.json")}


def sweeps(outputs: Path = Path("outputs")) -> list[Path]:
    """The folders of all sweeps, the oldest first."""
    return sorted((outputs / "sweeps").iterdir())


def statuses(sweep: Path) -> list[str]:
    """How each job ended, in their order."""
    return [entry["status"] for _, entry in sorted(jobs(sweep).items())]


def test_a_failure_stops_no_other_and_alone_is_done_again(
    command: Any, seen: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "-m", "seed=1,2", "split=dev,test"]
    planted = recorded(lambda config: (config["seed"], config["split"]) == (2, "dev"))
    assert command(*words, job=planted) == 1
    (first,) = sweeps()
    assert statuses(first) == ["finished", "finished", "failed", "finished"]
    failed = jobs(first)[2]
    assert failed["reason"] == "RuntimeError: boom" and failed["overrides"] == ["seed=2", "split=dev"]
    assert failed["run"] in {run.folder.name for run in all_runs(RUNS) if run.status == "failed"}
    said = capsys.readouterr()
    assert "RuntimeError: boom" in said.out and f"sonar-slt table {first.name}" in said.out
    assert said.err.endswith("1 of 4 jobs failed.\n")
    seen.clear()
    assert command(*words, job=recorded()) == 0
    assert [(config["seed"], config["split"]) for config in seen] == [(2, "dev")]
    second = sweeps()[1]
    assert statuses(second) == ["skipped", "skipped", "finished", "skipped"]
    for number, entry in jobs(second).items():
        assert entry["id"] == jobs(first)[number]["id"] and entry["value"] == float(entry["overrides"][0][-1])
    done = {entry["run"] for entry in jobs(second).values()}
    assert done == {run.folder.name for run in all_runs(RUNS) if run.status == "finished"} and len(done) == 4


def test_again_does_it_once_more_but_never_the_same_job(
    command: Any, seen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in (["seed=1,2"], ["seed=1,2"], ["seed=2,3", "again=true"]):
        assert command("evaluate", "-m", *words, job=recorded()) == 0
    assert [config["seed"] for config in seen] == [1, 2, 2, 3]
    place = Place(sweeps()[-1], 0, this_process())
    monkeypatch.setenv(VARIABLE, place.written())  # as a cluster that starts a job once more
    assert command("evaluate", "seed=2", "again=true", job=recorded()) == 0
    assert len(seen) == 4 and statuses(sweeps()[-1]) == ["finished", "finished"] and VARIABLE not in os.environ


def test_what_was_killed_is_gone_on_with_and_what_failed_begins_anew(command: Any) -> None:
    def newest() -> Record:
        assert command("train", "-m", "seed=2", KEYPOINT, job=recorded()) == 0
        return all_runs(RUNS)[0]

    former = newest()
    record = json.loads((former.folder / "record.json").read_text("utf-8"))
    former.checkpoints.mkdir()
    (former.checkpoints / "last.ckpt").touch()
    for change, gone_on in (
        ({"status": "killed"}, True),
        ({"status": "failed"}, False),
        ({"status": "killed", "code": "of another day"}, False),
    ):
        (former.folder / "record.json").write_text(json.dumps({**record, **change}))
        after = newest()
        assert after != former and after.parent == (former.folder.name if gone_on else None), change
        shutil.rmtree(after.folder)


def test_an_interrupt_is_the_end_of_a_sweep(command: Any, seen: Any) -> None:
    def interrupted(config: dict[str, Any]) -> None:
        raise KeyboardInterrupt

    assert command("evaluate", "-m", "seed=1,2", job=interrupted) == 1
    assert jobs(sweeps()[0])[0]["reason"] == "interrupted (Ctrl-C)" and statuses(sweeps()[0]) == ["killed"]


@pytest.mark.parametrize("word", ["trainer.devices=2", "trainer.devices=auto", "trainer.num_nodes=2"])
def test_a_job_is_one_process(command: Any, seen: Any, capsys: pytest.CaptureFixture[str], word: str) -> None:
    assert command("train", "-m", "seed=1,2", KEYPOINT, word) == 2
    said = capsys.readouterr().err
    assert said.startswith(word) and said.count("\n") == 1 and "Leave out -m" in said
    assert seen == [] and not Path("outputs").exists()
    assert command("train", "-m", "trainer.devices=1,2", KEYPOINT) == 2
    assert len(seen) == 1 and "trainer.devices=2 in a sweep" in capsys.readouterr().err


def test_a_named_sweep(command: Any, seen: Any) -> None:
    assert command("evaluate", "sweep=seeds") == 0
    assert [config["seed"] for config in seen] == [1, 2, 3]
    seen.clear()
    assert command("train", "sweep=seeds", "experiment=study/toy", "seed=7,8") == 0
    assert [(config["seed"], config["threads"]) for config in seen] == [(7, 1), (8, 1)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["launcher=joblb"], "Unknown option launcher=joblb. Did you mean joblib?"),
        (
            ["launcher=slurm", "launcher.partitoin=gpu"],
            "Unknown key launcher.partitoin. Did you mean launcher.partition?",
        ),
        (["launcher.partition=gpu"], "Unknown key launcher.partition: it belongs to launcher=slurm."),
        (["launcher=slurm", "launcher.cpus=many"], "launcher.cpus expects "),
        (["launcher=joblib", "launcher.n_jobs=0"], "launcher.n_jobs=0: expected a number from 1"),
        (["launcher=slurm_local"], "pip install 'sonar-slt[cluster]'"),
    ],
)
def test_a_launcher_is_checked(
    command: Any,
    seen: Any,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    said: str,
) -> None:
    monkeypatch.setitem(sys.modules, "submitit", None)
    assert command("evaluate", "-m", "seed=1,2", *words) == 2
    assert said in capsys.readouterr().err and seen == []


def start(home: Path, *words: str, **env: str) -> subprocess.Popen[str]:
    """A real command whose trainings and evaluations cost nothing."""
    found = {**os.environ, "PYTHONPATH": os.pathsep.join([str(CHEAP), os.environ.get("PYTHONPATH", "")]), **env}
    full = [sys.executable, "-m", "sonar_slt", *words]
    return subprocess.Popen(full, cwd=home, env=found, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Its exit code and what it said."""
    said, _ = process.communicate(timeout=120)
    return process.returncode, said


def wait_for(what: Callable[[], Any]) -> Any:
    """What comes back as soon as there is some."""
    for _ in range(1200):
        if found := what():
            return found
        time.sleep(0.05)
    raise TimeoutError


def finished(home: Path) -> Counter[int | None]:
    """How often each seed was finished."""
    return Counter(run.seed for run in all_runs(home / RUNS) if run.status == "finished")


def running(home: Path) -> list[Record]:
    """The runs that are under way."""
    return [run for run in all_runs(home / RUNS) if run.status == "running" and run.checkpoints.is_dir()]


def test_jobs_in_processes_of_their_own_one_of_them_killed(tmp_path: Path) -> None:
    (tmp_path / "kill-1").touch()
    code, said = ended(start(tmp_path, "evaluate", "-m", "seed=1,2", "launcher=joblib", CUDA_VISIBLE_DEVICES="4,7"))
    assert code == 1 and "Job 0 killed: its process was ended by SIGKILL." in said and "1 of 2 jobs failed." in said
    (first,) = sweeps(tmp_path / "outputs")
    assert statuses(first) == ["killed", "finished"]
    assert len({entry["process"]["pid"] for entry in jobs(first).values()}) == 2
    gpus = {run.seed: run.facts["gpu"] for run in all_runs(tmp_path / RUNS)}
    assert set(gpus.values()) == {"4", "7"} and gpus[1] != gpus[2], "two at a time, each with its own"
    assert "Job 1" in (first / "logs" / "1.log").read_text("utf-8")
    (tmp_path / "kill-1").unlink()
    code, said = ended(start(tmp_path, "evaluate", "-m", "seed=1,2,3", "launcher=slurm_local", "launcher.at_once=2"))
    assert code == 0, said
    assert statuses(sweeps(tmp_path / "outputs")[1]) == ["finished", "skipped", "finished"]
    assert finished(tmp_path) == {1: 1, 2: 1, 3: 1} and "2 jobs through slurm_local" in said
    assert any("Job 2" in log.read_text("utf-8") for log in (sweeps(tmp_path / "outputs")[1] / "slurm").glob("*.out"))


def test_sweeps_of_the_same_second_that_are_killed_whole(tmp_path: Path) -> None:
    (tmp_path / "hold").touch()
    started = [start(tmp_path, "train", KEYPOINT, "-m", "seed=1,2") for _ in range(3)]
    wait_for(lambda: len(running(tmp_path)) == 3)
    assert len({run.folder for run in running(tmp_path)}) == len(sweeps(tmp_path / "outputs")) == 3
    for process in started:
        process.kill()
        ended(process)
    assert {run.status for run in all_runs(tmp_path / RUNS)} == {"killed"}
    for sweep in sweeps(tmp_path / "outputs"):
        (entry,) = jobs(sweep).values()
        assert entry["status"] == "running" and is_alive(entry["process"]) is False and entry["run"]
    newest = all_runs(tmp_path / RUNS)[0]
    (tmp_path / "hold").unlink()
    code, said = ended(start(tmp_path, "train", KEYPOINT, "-m", "seed=1,2"))
    assert code == 0 and f"Going on with run {newest.folder.name}" in said
    assert finished(tmp_path) == {1: 1, 2: 1}


def test_a_job_that_outlives_its_launcher_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "hold").touch()
    launcher = start(
        tmp_path, "evaluate", "-m", "seed=1,2", "launcher=joblib", "launcher.n_jobs=1", CUDA_VISIBLE_DEVICES=""
    )
    (orphan,) = wait_for(lambda: running(tmp_path))
    launcher.kill()
    ended(launcher)
    again = start(tmp_path, "evaluate", "-m", "seed=1,2")
    assert again.stdout
    assert any(f"Waiting for run {orphan.folder.name}" in line for line in again.stdout)
    assert [run.folder for run in running(tmp_path)] == [orphan.folder]
    (tmp_path / "hold").unlink()
    code, said = ended(again)
    assert code == 0, said
    assert finished(tmp_path) == {1: 1, 2: 1} and statuses(sweeps(tmp_path / "outputs")[1]) == ["skipped", "finished"]
    torchless = "import sys; from sonar_slt.cli import main; sys.exit(main(sys.argv[1:]) or 'torch' in sys.modules)"
    words = [sys.executable, "-c", torchless, "evaluate", "-m", "seed=1,2"]
    assert subprocess.run(words, cwd=tmp_path, timeout=120, capture_output=True).returncode == 0, (
        "the real verb, not asked"
    )


def test_an_interrupt_ends_jobs_in_other_processes_in_good_order(tmp_path: Path) -> None:
    (tmp_path / "hold").touch()
    launcher = start(tmp_path, "evaluate", "-m", "seed=1,2", "launcher=joblib", "launcher.n_jobs=1")
    wait_for(lambda: running(tmp_path))
    launcher.send_signal(signal.SIGTERM)
    code, said = ended(launcher)
    assert code == 1 and "Terminated." in said
    (run,) = all_runs(tmp_path / RUNS)
    assert (run.status, run.reason) == ("killed", "terminated (SIGTERM)")
    assert statuses(sweeps(tmp_path / "outputs")[0]) == ["killed"]


def test_a_training_that_was_killed_ends_as_if_it_had_not_been(
    outputs: Path, space_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import torch

    monkeypatch.setattr(sys, "argv", ["sonar-slt"])
    own = [f"{key}={value}" for key, value in MICRO.items()]
    paths = [f"paths.outputs={tmp_path}", f"paths.corpora={outputs}/corpora", f"paths.cache={outputs}/cache"]
    words = ["train", "-m", "seed=2", *own, "conclude=null", "recipe=null", f"space.source={space_folder}", *paths]
    log = Run.log

    def killed(run: Run, split: Any, step: int, values: Any) -> None:
        if step == 5:
            raise KeyboardInterrupt
        log(run, split, step, values)

    with monkeypatch.context() as patched:
        patched.setattr(Run, "log", killed)
        assert main(words) == 1
    (stopped,) = [run for run in all_runs(tmp_path / "runs") if run.status == "killed"]
    assert main(words) == 0
    resumed = all_runs(tmp_path / "runs")[0]
    assert resumed.parent == stopped.folder.name and resumed.facts["job"] == 0
    assert jobs(sweeps(tmp_path)[1])[0]["run"] == resumed.folder.name
    assert main([*words, "again=true"]) == 0
    whole = all_runs(tmp_path / "runs")[0]
    assert whole.parent is None and whole.id == resumed.id
    ends = [torch.load(run.checkpoints / "last.ckpt", weights_only=True)["state_dict"] for run in (resumed, whole)]
    assert ends[0].keys() == ends[1].keys() and all(torch.equal(ends[0][key], ends[1][key]) for key in ends[0])
