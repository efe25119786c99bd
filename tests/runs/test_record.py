"""A run's folder tells the truth at every moment, also after a kill in the middle of a line."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from sonar_slt.errors import UserError
from sonar_slt.files import read_lines, write_atomically
from sonar_slt.runs.provenance.code import git_state
from sonar_slt.runs.provenance.identity import identity
from sonar_slt.runs.provenance.process import is_alive, this_process
from sonar_slt.runs.record import Run
from sonar_slt.runs.registry import read

CONFIG = {"seed": 3, "paths": {"runs": "/a/runs", "data": "/a/data"}, "objective": {"cosine": {"weight": 2.7}}}


def start(root: Path, **changes: object) -> Run:
    given = {"verb": "train", "name": "toy", "config": CONFIG, "overrides": ["seed=3"], **changes}
    return Run.start(root, **given)  # type: ignore[arg-type]


def record(run: Run) -> dict:
    return json.loads((run.folder / "record.json").read_text())


def test_is_whole_from_the_first_second(tmp_path: Path) -> None:
    run = start(tmp_path, facts={"device": "cpu"}, parent="abcd1234")
    found = record(run)
    assert found["status"] == "running" and found["ended"] is None and found["process"]["pid"] == os.getpid()
    assert (found["device"], found["seed"], found["parent"]) == ("cpu", 3, "abcd1234")
    assert {"python", "torch", "sacrebleu"} <= found["versions"].keys() and found["argv"] == sys.argv
    assert yaml.safe_load((run.folder / "config.yaml").read_text()) == CONFIG
    assert yaml.safe_load((run.folder / "overrides.yaml").read_text()) == ["seed=3"]
    assert run.folder.name.endswith(f"_toy_{run.id}")


def test_runs_of_one_moment_share_no_folder(tmp_path: Path) -> None:
    folders = {start(tmp_path).folder for _ in range(20)}
    assert len(folders) == 20


def test_a_taken_folder_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sonar_slt.runs import record as module

    now = module._now()
    times = iter([now, now, now, module._now()])
    monkeypatch.setattr(module, "_now", lambda: next(times))
    assert start(tmp_path).folder != start(tmp_path).folder


@pytest.mark.parametrize("name", ["../../etc", "a b/c", "", "…", "x" * 300])
def test_a_name_stays_inside_the_root(tmp_path: Path, name: str) -> None:
    assert start(tmp_path, name=name).folder.parent == tmp_path


def test_the_block_writes_how_it_ended(tmp_path: Path) -> None:
    with start(tmp_path) as run:
        run.update(metrics={"bleu": 7.5})
        run.update(metrics={"chrf": 30.0}, space_fingerprint="f00")
    found = record(run)
    assert found["status"] == "finished" and found["ended"] and found["seconds"] >= 0
    assert found["metrics"] == {"bleu": 7.5, "chrf": 30.0} and found["space_fingerprint"] == "f00"


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (RuntimeError("no\nroom " + "x" * 400), "failed", "RuntimeError: no room x"),
        (UserError("No such language."), "failed", "No such language."),
        (KeyboardInterrupt(), "killed", "interrupted (Ctrl-C)"),
        (ZeroDivisionError(), "failed", "ZeroDivisionError"),
    ],
)
def test_an_exception_is_the_reason(tmp_path: Path, error: BaseException, status: str, reason: str) -> None:
    with pytest.raises(type(error)), start(tmp_path) as run:
        raise error
    found = record(run)
    assert found["status"] == status and found["reason"].startswith(reason)
    assert "\n" not in found["reason"] and len(found["reason"]) <= 300


def test_ctrl_c_that_a_trainer_turned_into_an_exit_is_a_kill(tmp_path: Path) -> None:
    with pytest.raises(SystemExit), start(tmp_path) as run:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            sys.exit(1)
    assert record(run)["status"] == "killed"


def test_an_error_while_handling_ctrl_c_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(OSError), start(tmp_path) as run:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise OSError("No space left on device")  # noqa: B904
    assert record(run)["status"] == "failed"


CHILD = """
import sys, time
from pathlib import Path
from sonar_slt.runs.record import Run
with Run.start(Path(sys.argv[1]), verb="train", name="child", config={}, overrides=[]) as run:
    run.log("train", 1, {"loss": 1.0})
    print(run.folder, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGUSR1, signal.SIGKILL])
def test_a_killed_process_is_told_as_killed(tmp_path: Path, sent: signal.Signals) -> None:
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    with child:
        assert child.stdout
        folder = Path(child.stdout.readline().strip())
        assert read(folder).status == "running"
        child.send_signal(sent)
        code = child.wait(timeout=20)
    found = read(folder)
    assert found.status == "killed" and found.reason and code in (128 + sent, -signal.SIGKILL)
    assert json.loads((folder / "record.json").read_text())["status"] == (
        "running" if sent == signal.SIGKILL else "killed"
    )


def test_sigterm_is_handed_back_after_the_block(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with start(tmp_path):
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_process_number_that_was_given_to_another_is_not_it() -> None:
    mine = this_process()
    assert is_alive(mine) is True
    assert is_alive({**mine, "host": "elsewhere"}) is None
    assert is_alive({}) is None
    if mine["born"] is not None:
        assert is_alive({**mine, "born": mine["born"] - 1}) is False
        assert is_alive({**mine, "boot": "another"}) is False


def test_logs_grow_by_line_and_by_value(tmp_path: Path) -> None:
    with start(tmp_path) as run:
        run.log("train", 1, {"loss": 2.0, "ce": 1.5})
        run.log("train", 2, {"loss": float("nan"), 'odd,"name': 3})
        run.log("dev", 2, {"loss": 1.0})
        run.note("skipped", step=2, ids=["a"])
    *lines, event = read_lines(run.folder / "train_log.jsonl")
    assert event["event"] == "skipped" and event["ids"] == ["a"]
    assert [line["step"] for line in lines] == [1, 2, 2] and lines[0]["ce"] == 1.5 and lines[1]["loss"] is None
    assert [line["split"] for line in lines] == ["train", "train", "dev"]
    assert list(read_lines(run.folder / "dev_log.jsonl")) == lines[2:]
    with (run.folder / "metrics.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["name"] for row in rows] == ["loss", "ce", "loss", 'odd,"name', "loss"]
    assert rows[-1] == {"step": "2", "split": "dev", "name": "loss", "value": "1.0"}


def test_a_torn_last_line_is_passed_over(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), start(tmp_path) as run:
        run.log("train", 1, {"loss": 2.0})
        raise KeyboardInterrupt
    with (run.folder / "train_log.jsonl").open("a") as stream:
        stream.write('{"step": 2, "lo')
    assert [line["step"] for line in read_lines(run.folder / "train_log.jsonl")] == [1]


def test_a_finished_run_is_never_overwritten(tmp_path: Path) -> None:
    with start(tmp_path) as run:
        pass
    before = (run.folder / "record.json").read_bytes()
    run.close("failed", "late")
    assert (run.folder / "record.json").read_bytes() == before


def test_update_leaves_status_and_identity_alone(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="status"):
        start(tmp_path).update(status="finished")


def test_a_failing_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "record.json"
    write_atomically(path, "old")

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, "new")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_full_disk_does_not_hide_the_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(ZeroDivisionError) as caught, start(tmp_path):
        monkeypatch.setattr(os, "fsync", full)
        raise ZeroDivisionError
    assert "could not be closed" in caught.value.__notes__[0]


def test_a_run_that_filled_the_disk_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reserve, fsync = [], os.fsync

    def full(number: int) -> None:
        if reserve[0].exists():
            raise OSError(28, "No space left on device")
        fsync(number)

    with pytest.raises(OSError, match="No space"), start(tmp_path) as run:
        reserve.append(run.folder / ".reserve")
        assert reserve[0].stat().st_size >= 100_000
        monkeypatch.setattr(os, "fsync", full)
        run.update(metrics={"bleu": 1.0})
    assert record(run)["status"] == "failed" and "No space left on device" in record(run)["reason"]
    assert not reserve[0].exists()


def test_identity_is_what_is_computed() -> None:
    here = {**CONFIG, "data": {"folder": "/a/data/toy"}, "trainer": {"max_steps": 5, "devices": 1}}
    there = {
        **CONFIG, "name": "other", "logger": {"kind": "wandb"}, "paths": {"runs": "/b", "data": "/b/d"},
        "data": {"folder": "/b/d/toy"}, "trainer": {"max_steps": 5, "devices": 2, "enable_progress_bar": False},
    }  # fmt: skip
    assert identity("train", here) == identity("train", there)
    assert len(identity("train", here)) == 8 and int(identity("train", here), 16) >= 0
    assert identity("evaluate", here) != identity("train", here)
    assert identity("train", {**here, "seed": 4}) != identity("train", here)
    assert identity("train", {"a": 1, "b": 2}) == identity("train", {"b": 2, "a": 1})


def test_code_outside_a_checkout_has_no_commit(tmp_path: Path) -> None:
    assert git_state(tmp_path) is None


def test_logging_is_cheap(tmp_path: Path) -> None:
    seconds = []
    with start(tmp_path) as run:
        for part in range(4):  # the best of a few: other tests keep the machine busy
            begin = time.perf_counter()
            for step in range(50):
                run.log("train", 50 * part + step, {"loss": 1.0, "ce": 2.0, "cosine": 3.0, "mse": 4.0})
            seconds.append(time.perf_counter() - begin)
    assert min(seconds) / 50 < 0.002
