"""The whole loop as a user types it, in the micro world."""

from __future__ import annotations

import json
import os
import resource
import signal
import time
from collections.abc import Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from multiprocessing.context import ForkProcess
from pathlib import Path

import pytest

from sonar_slt.cli import main
from sonar_slt.runs.registry import all_runs
from tests.conftest import MICRO, MICRO_SPACE
from tests.forked import forked

pytestmark = pytest.mark.smoke

SIGN = [f"{key}={value}" for key, value in MICRO.items()]


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


def sonar_slt(*words: str, cwd: Path) -> Ended:
    """The command line in this process, where torch is loaded already."""
    said, complained = StringIO(), StringIO()
    with chdir(cwd), redirect_stdout(said), redirect_stderr(complained):
        code = main(list(words))
    return Ended(code, said.getvalue(), complained.getvalue())


def started(*words: str, cwd: Path, said: Path, largest: int = -1) -> ForkProcess:
    """The command line in a process of its own, which can write files of so many bytes."""

    def command() -> int:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
        with chdir(cwd):
            return main(list(words))

    return forked(command, said)


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with a recipe of its own for a space of a few thousand weights."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "mine" / "experiment").mkdir(parents=True)
    lines = ["# @package _global_", "defaults:", "  - override /task: text_space", "", "name: micro_space"]
    sections: dict[str, list[str]] = {}
    for key, value in MICRO_SPACE.items():
        section, name = key.split(".")
        sections.setdefault(section, []).append(f"  {name}: {value}")
    for section, body in sections.items():
        lines += [f"{section}:", *body]
    (folder / "mine" / "experiment" / "micro_space.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    made = sonar_slt("train", "--config-dir", "mine", "experiment=micro_space", cwd=folder)
    assert made.returncode == 0, made.stderr
    (run,) = all_runs(folder / "outputs" / "runs")
    (folder / "space").symlink_to(run.folder / "space")
    return folder


OWN = ["recipe=null", "space.source=space"]


def test_train_evaluate_runs_and_check(home: Path) -> None:
    before = len(all_runs(home / "outputs" / "runs"))
    trained = sonar_slt("train", *SIGN, *OWN, "objective.cosine.weight=0", cwd=home)
    assert trained.returncode == 0, trained.stderr
    assert len(all_runs(home / "outputs" / "runs")) == before + 1
    words = ["evaluate", "last", "languages=[deu_Latn,tur_Latn]", "num_beams=2", "output=scores.json"]
    evaluated = sonar_slt(*words, cwd=home)
    assert evaluated.returncode == 0, evaluated.stderr
    scores = json.loads((home / "scores.json").read_text("utf-8"))["languages"]
    assert scores.keys() == {"deu_Latn", "tur_Latn"} and scores["tur_Latn"]["n"] == 12
    assert scores["deu_Latn"]["scores"]["bleu"]["signature"].startswith("nrefs:")
    shown = sonar_slt("runs", cwd=home)
    assert shown.returncode == 0 and "evaluate" in shown.stdout and "finished" in shown.stdout
    whole = sonar_slt("runs", "show", "last", cwd=home)
    assert whole.returncode == 0 and "Turkish" in whole.stdout
    checked = sonar_slt("check", *SIGN, *OWN, "least_bleu=0", cwd=home)
    assert checked.returncode == 0 and "adapter" in checked.stdout and "102, 3" in checked.stdout, checked.stderr
    assert "GiB of weights" in checked.stdout and "Round trip of 6 sentences" in checked.stdout
    refused = sonar_slt("check", *SIGN, *OWN, cwd=home)  # a space that four steps have taught nothing
    assert refused.returncode == 2 and "does not say what it is told" in refused.stderr


def test_a_recipe_is_followed_once_and_again_when_it_changes(home: Path) -> None:
    words = ["train", "--config-dir", "mine", *SIGN, "recipe=micro_space", "space.source=outputs/spaces/micro"]
    first = sonar_slt(*words, "conclude=null", cwd=home)
    assert first.returncode == 0 and "it is not there yet" in first.stderr, first.stderr
    made = json.loads((home / "outputs" / "spaces" / "micro" / "recipe.json").read_text("utf-8"))
    second = sonar_slt(*words, "conclude=null", cwd=home)
    assert second.returncode == 0 and "Training the text space" not in second.stderr
    recipe = home / "mine" / "experiment" / "micro_space.yaml"
    recipe.write_text(recipe.read_text("utf-8") + "seed: 3\n", encoding="utf-8")
    third = sonar_slt(*words, "conclude=null", cwd=home)
    assert third.returncode == 0 and "its recipe has changed" in third.stderr
    assert (
        json.loads((home / "outputs" / "spaces" / "micro" / "recipe.json").read_text("utf-8"))["hash"] != made["hash"]
    )
    assert sorted(path.name for path in (home / "outputs" / "spaces").iterdir()) == ["micro", "micro.lock"]


def test_a_sweep_makes_a_run_per_job_and_wandb_needs_no_account(home: Path) -> None:
    before = {run.folder for run in all_runs(home / "outputs" / "runs")}
    words = ["train", "-m", "seed=1,2", "trainer.max_steps=2", "logger=wandb_offline", "conclude=null"]
    swept = sonar_slt(*words, *[word for word in SIGN if "max_steps" not in word], *OWN, cwd=home)
    assert swept.returncode == 0, swept.stderr
    runs = [run for run in all_runs(home / "outputs" / "runs") if run.folder not in before]
    assert {run.seed for run in runs} == {1, 2} and len({run.id for run in runs}) == 2
    noted = {run.folder / run.facts["mirrors"]["wandb"]["folder"] for run in runs}
    sent = {Path(line.partition("wandb sync ")[2]) for line in swept.stderr.splitlines() if "wandb sync" in line}
    assert len(noted) == 2 and sent == noted and all(any(folder.glob("*.wandb")) for folder in noted)
    assert "wandb:" not in swept.stderr, "its own words stay out of ours"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["train", "objective.algin=1"], "objective.algin"),
        (["train", *SIGN, *OWN, "languages=[deu_Latn,xxx_Latn]"], "xxx_Latn"),
        (["train", *SIGN, *OWN, "languages=[nld_Latn]"], "nld_Latn"),
        (["train", *SIGN, *OWN, "data.train=0"], "data.train=0"),
        (["train", *SIGN, *OWN, "adapter.dim=-4"], "at least 1"),
        (["train", *SIGN, *OWN, "trainer.max_steps=0"], "trainer.max_steps=0"),
        (["train", *SIGN, "recipe=null", "space.source=nowhere"], "nowhere"),
        (["train", *SIGN, *OWN, *(f"objective.{term}.weight=0" for term in ("mse", "cosine", "ce", "ae"))], "weight"),
        (["evaluate", "nothing"], "nothing"),
        (["evaluate", "last", "split=tset"], "tset"),
        (["runs", "shwo", "x"], "shwo"),
    ],
)
def test_wrong_input_is_one_line_and_exit_2(home: Path, words: Sequence[str], says: str) -> None:
    ended = sonar_slt(*words, cwd=home)
    assert ended.returncode == 2, ended.stderr
    assert says in ended.stderr and "Traceback" not in ended.stderr


@pytest.mark.parametrize(("sent", "name"), [(signal.SIGINT, "Interrupted."), (signal.SIGTERM, "Terminated.")])
def test_an_interruption_is_recorded_and_the_next_call_goes_on(
    home: Path, tmp_path: Path, sent: signal.Signals, name: str
) -> None:
    long = [word for word in SIGN if "max_steps" not in word and "val_check" not in word]
    words = ["train", *long, *OWN, "trainer.max_steps=100000", f"name=long{sent}"]
    process = started(*words, cwd=home, said=tmp_path / "said")
    deadline = time.monotonic() + 120
    folder = None
    while time.monotonic() < deadline and not (folder and (folder / "train_log.jsonl").is_file()):
        time.sleep(0.05)
        folder = next((run.folder for run in all_runs(home / "outputs" / "runs") if run.name == f"long{sent}"), None)
    assert process.pid
    os.kill(process.pid, sent)
    process.join(60)
    said = (tmp_path / "said").read_text("utf-8")
    assert process.exitcode == 1 and name in said and "Traceback" not in said
    (stopped,) = [run for run in all_runs(home / "outputs" / "runs") if run.name == f"long{sent}"]
    assert stopped.status == "killed" and (stopped.checkpoints / "last.ckpt").is_file()
    steps = [json.loads(line)["step"] for line in (stopped.folder / "train_log.jsonl").read_text("utf-8").splitlines()]
    more = [f"resume={stopped.id}", f"trainer.max_steps={steps[-1] + 6}", "conclude=null", f"name=longer{sent}"]
    gone_on = sonar_slt("train", *long, *OWN, *more, cwd=home)
    assert gone_on.returncode == 0, gone_on.stderr
    (second,) = [run for run in all_runs(home / "outputs" / "runs") if run.name == f"longer{sent}"]
    assert second.parent == stopped.folder.name and second.status == "finished"


def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(home: Path, tmp_path: Path) -> None:
    ended = started("train", *SIGN, *OWN, "data.train=40", cwd=home, said=tmp_path / "said", largest=51_200)
    ended.join(60)
    assert ended.exitcode not in (0, None)
    assert not [path for path in (home / "outputs" / "corpora").iterdir() if "partial" in path.name]
    assert sonar_slt("train", *SIGN, *OWN, "data.train=40", "conclude=null", cwd=home).returncode == 0
