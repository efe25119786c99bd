"""Signals in the midst of a training: the step ends, all is saved, and going on is as if nothing had been."""

from __future__ import annotations

import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.strategies import DDPStrategy
from torch.multiprocessing import ProcessExitedException
from torch.utils.data import DataLoader

from sonar_slt.cli.command.asked import Asked
from sonar_slt.cli.train import run
from sonar_slt.cli.training.training import train
from sonar_slt.runs.provenance.process import is_alive, this_process
from sonar_slt.runs.provenance.slurm import start_again
from sonar_slt.runs.record import Run, Terminated
from sonar_slt.runs.registry import Record, all_runs, read
from sonar_slt.task.callbacks.interruption import Interruption
from sonar_slt.task.fitting import quiet
from sonar_slt.task.sign import SignTranslation

pytestmark = pytest.mark.smoke


@pytest.fixture(autouse=True)
def _not_in_slurm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs these tests as a job does not want it started again."""
    for name in ("SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_RESTART_COUNT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def whole(request: pytest.FixtureRequest) -> tuple[Path, dict[str, Any]]:
    """A training that was never stopped, two batches to a step, and its config."""
    from tests.conftest import MICRO, composed

    outputs, space = request.getfixturevalue("outputs"), request.getfixturevalue("space_folder")
    steps = {"trainer.accumulate_grad_batches": 2, "trainer.max_steps": 4, "eval_every": 2}
    quick = {"conclude": "null", "task.judged": 0, "monitor": "dev/loss", "name": "preempted"}
    config = composed("train", outputs, {**MICRO, **steps, **quick, "recipe": "null", "space.source": str(space)})
    return train(config, [])[0], config


def stopped(config: dict[str, Any], sent: int, at: int, monkeypatch: pytest.MonkeyPatch) -> Record:
    """A training that is told to end while it takes the step after this many, twice as SLURM does."""
    plain = SignTranslation.training_step

    def told(self: Any, batch: Any, number: int) -> Any:
        if self.trainer.global_step == at and number % 2 == 0:
            signal.raise_signal(sent)
            signal.raise_signal(signal.SIGTERM)
        return plain(self, batch, number)

    with monkeypatch.context() as patched, pytest.raises(Terminated) as ended:
        patched.setattr(SignTranslation, "training_step", told)
        train(config, [])
    assert ended.value.code == 128 + sent
    return all_runs(Path(config["paths"]["runs"]))[0]


def gone_on(config: dict[str, Any]) -> Record:
    """What the same command makes of it, given again with resume=auto."""
    run({**config, "resume": "auto"}, Asked())
    return read(all_runs(Path(config["paths"]["runs"]))[0].folder)


def weights(folder: Path) -> dict[str, Any]:
    return torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)


def assert_same(first: Path, second: Path) -> None:
    one, other = weights(first)["state_dict"], weights(second)["state_dict"]
    assert one.keys() == other.keys() and all(torch.equal(weight, other[name]) for name, weight in one.items())


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGUSR1])
def test_the_step_ends_and_the_same_command_goes_on(whole: Any, sent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, config = whole
    first = stopped(config, sent, 2, monkeypatch)
    word = "terminated" if sent == signal.SIGTERM else "preempted"
    assert (first.status, first.reason) == ("killed", f"{word} ({signal.Signals(sent).name})")
    assert weights(first.folder)["global_step"] == 3, "the step that was begun is taken, with both of its batches"
    again = gone_on(config)
    assert (again.status, again.parent, again.id) == ("finished", first.folder.name, first.id)
    assert again.id == read(folder).id and weights(again.folder)["global_step"] == 4
    assert_same(folder, again.folder)


def test_what_was_asked_in_the_last_step_leaves_no_step(whole: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, config = whole
    first = stopped(config, signal.SIGUSR2, 3, monkeypatch)
    assert first.status == "killed" and weights(first.folder)["global_step"] == 4
    again = gone_on(config)
    assert again.status == "finished" and not (again.folder / "train_log.jsonl").exists()
    assert_same(folder, again.folder)


def test_what_has_finished_is_not_gone_on_with(whole: Any) -> None:
    folder, config = whole
    assert read(folder).status == "finished" and gone_on({**config, "name": "anew"}).parent is None


class Line(pl.LightningModule):
    """A number that learns, until one process of two is told to stop; each notes the steps that it takes."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder, self.weight = folder, torch.nn.Linear(1, 1)

    def training_step(self, batch: torch.Tensor, number: int) -> torch.Tensor:
        (self.folder / f"{self.global_rank}-{self.global_step}").touch()
        if self.global_rank == 1 and self.global_step == 3:
            signal.raise_signal(signal.SIGTERM)
        loss: torch.Tensor = self.weight(batch).square().mean()
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def test_two_processes_stop_at_the_same_step(tmp_path: Path) -> None:
    with quiet(), pytest.raises(ProcessExitedException, match="143"):
        trainer = pl.Trainer(
            accelerator="cpu", devices=2, strategy=DDPStrategy(start_method="fork", timeout=timedelta(seconds=60)),
            callbacks=[Interruption()], max_steps=8, default_root_dir=tmp_path, logger=False,
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        )  # fmt: skip
        trainer.fit(Line(tmp_path), DataLoader(torch.ones(400, 1), batch_size=1))
    assert {path.name for path in tmp_path.iterdir()} == {f"{rank}-{step}" for rank in (0, 1) for step in range(4)}


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `scontrol` that says of the job what lies in a file, and notes which one it is to put back into the queue."""
    program = tmp_path / "scontrol"
    program.write_text(
        f'#!/bin/sh\nif [ "$1" = show ]; then cat {tmp_path}/known; exit; fi\n'
        f'[ -e {tmp_path}/refuses ] && echo "Job may not" >&2 && exit 1\necho "$2" >>{tmp_path}/queue\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("SLURM_JOB_ID", "71")
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    (tmp_path / "known").write_text("JobId=71 JobState=RUNNING Restarts=1 PreemptTime=None Reason=None\n")
    return tmp_path


class TestAJobOfSlurm:
    def test_is_put_back_when_its_time_is_nearly_over(self, cluster: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert start_again(signal.SIGUSR1) == "SLURM starts it again"
        monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "70")
        monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "4")  # of an array the number alone could mean every task
        assert start_again(signal.SIGUSR2) == "SLURM starts it again"
        assert (cluster / "queue").read_text().split() == ["71", "70_4"]

    def test_is_told_why_it_is_not(self, cluster: Path) -> None:
        (cluster / "refuses").touch()
        assert start_again(signal.SIGUSR1) == "SLURM does not start it again: Job may not"

    @pytest.mark.parametrize(
        ("known", "became", "asked"),
        [
            ("JobState=RUNNING Restarts=1 PreemptTime=None", None, False),  # cancelled, or told by hand
            ("JobState=COMPLETING Restarts=2 PreemptTime=None", "SLURM starts it again", False),
            ("JobState=RUNNING Restarts=1 PreemptTime=2026-11-28T08:00:00", "SLURM starts it again", True),
        ],
    )
    def test_that_is_terminated_may_be_preempted(
        self, cluster: Path, known: str, became: str | None, asked: bool
    ) -> None:
        (cluster / "known").write_text(f"JobId=71 {known} Reason=None\n")
        assert start_again(signal.SIGTERM) == became and (cluster / "queue").exists() is asked

    def test_has_left_its_former_process_behind_wherever_that_was(
        self, cluster: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        former = {**this_process(), "host": "another-node"}
        assert is_alive(former) is None and former["restarts"] == 1
        monkeypatch.setenv("SLURM_RESTART_COUNT", "2")
        assert is_alive(former) is False
        monkeypatch.setenv("SLURM_JOB_ID", "72")
        assert is_alive(former) is None


def test_going_on_says_which_settings_are_others_now(
    sign_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    taught: list[Record | None] = []
    monkeypatch.setattr("sonar_slt.cli.train.train", lambda *_, parent, **__: (taught.append(parent), (parent, {}))[1])
    config = {**sign_config, "name": "changing"}
    with Run.start(Path(config["paths"]["runs"]), verb="train", name="changing", config=config, overrides=[]) as begun:
        (begun.folder / "checkpoints").mkdir()
        (begun.folder / "checkpoints" / "last.ckpt").touch()
    run({**config, "resume": begun.folder.name}, Asked())
    assert taught[-1] and "other settings" not in capsys.readouterr().err
    run({**config, "resume": begun.folder.name, "eval_every": 77}, Asked())
    assert taught[-1] and f"eval_every {config['eval_every']} → 77" in capsys.readouterr().err
