"""Several processes that train one model: the same as one process with their batches together, and none left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch

from sonar_slt.cli import main
from sonar_slt.cli.training.together import other_batches
from sonar_slt.cli.training.training import train
from sonar_slt.config.assembly import assemble
from sonar_slt.errors import UserError
from sonar_slt.processes import Place, first_host, place, rank
from sonar_slt.runs.registry import Record, read
from sonar_slt.task.parallel.crew import Crew, devices
from sonar_slt.task.parallel.ranks import collected
from tests.conftest import MICRO, composed
from tests.forked import forked

pytestmark = pytest.mark.smoke

WORDS = {
    **MICRO,
    "recipe": "null",
    "objective": "[semantic,mse,cosine,ce,ae,nce]",
    "objective.nce.queue": 10,
    "callbacks": "[ema]",
    "sampling": "jitter",
    "batches.limit": 21,  # five batches of four, and one of a single clip, of which the second process has none
    "adapter.dropout": 0,
    "student.dropout": 0,
    "eval_every": 2,
    "trainer.precision": "32-true",
}
TOLERANCE = 1e-5
"""Weights are about 0.1, and a step moves them by 0.002. Measured was 1.1e-6, by sums in another order."""
IDLE = "mix.bias"
"""Of an attention; in it the bias of the keys, which changes no output: its gradient is rounding, and AdamW scales
that up to steps of full length. Measured was 1.2e-4."""


def weights(folder: Path, name: str = "last") -> dict[str, Any]:
    return torch.load(folder / "checkpoints" / f"{name}.ckpt", weights_only=True)


def command(outputs: Path, space: Path, **more: Any) -> list[str]:
    words = WORDS | {"batches.size": 2, "trainer.devices": 2, "trainer.strategy": "ddp", "space.source": space}
    words |= {"paths.runs": outputs / "many", "paths.outputs": outputs} | more
    return ["train", *(f"{key}={value}" for key, value in words.items())]


def runs(outputs: Path) -> list[Path]:
    return sorted((outputs / "many").iterdir())


@pytest.fixture(scope="module")
def alone(outputs: Path, space_folder: Path) -> Path:
    """One process with batches of four."""
    words = {**WORDS, "batches.size": 4, "space.source": space_folder}
    return train(composed("train", outputs, words), [])[0]


@pytest.fixture(scope="module")
def killed(outputs: Path, space_folder: Path) -> tuple[Path, int, str]:
    """Two processes with batches of two, one of which is killed after the first look: folder, exit code, messages."""
    words, said = command(outputs, space_folder), outputs / "killed.said"
    running = forked(lambda: main(words), said)
    until = time.monotonic() + 200
    while not list((outputs / "many").glob("*/checkpoints/last.ckpt")):
        assert running.is_alive() and time.monotonic() < until
        time.sleep(0.01)
    (other,) = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
    os.kill(int(other), signal.SIGKILL)
    running.join(60)
    assert not Path(f"/proc/{other}").exists()
    (folder,) = runs(outputs)
    assert running.exitcode is not None
    return folder, running.exitcode, said.read_text("utf-8")


@pytest.fixture(scope="module")
def two(outputs: Path, space_folder: Path, killed: tuple[Path, int, str]) -> Path:
    """The same training, gone on with to its end."""
    words, said = command(outputs, space_folder, resume=killed[0].name), outputs / "two.said"
    running = forked(lambda: main(words), said)
    running.join(240)
    told = said.read_text("utf-8")
    assert running.exitcode == 0, told
    (folder,) = set(runs(outputs)) - {killed[0]}
    assert told.count("Run ") == told.count("Report: ") == 1  # one of them speaks
    return folder


def test_when_one_is_killed_nobody_hangs_and_the_record_tells(killed: tuple[Path, int, str]) -> None:
    folder, code, told = killed
    record = read(folder)
    assert code == 1 and record.status == "failed" and record.facts["processes"] == 2, told
    assert record.reason and "process 1 of 2 ended by signal 9" in record.reason


def test_two_processes_train_what_one_does_with_twice_the_batch(alone: Path, two: Path) -> None:
    """All terms, with negatives of both; a queue that overflows, an average, a batch in which one has no clip.

    That they were stopped on the way changes nothing.
    """
    assert read(two).status == "finished" and read(two).parent
    for part in ("state_dict", "averaged"):
        first, second = weights(alone)[part], weights(two)[part]
        assert first.keys() == second.keys()
        differences = {name: float((weight - second[name]).abs().max()) for name, weight in first.items()}
        most = max(value for name, value in differences.items() if not name.endswith(IDLE))
        print(f"largest difference of a weight: {most}, of {IDLE} {max(differences.values())}")
        assert most < TOLERANCE and max(differences.values()) < 1e-3
    for name in ("train_log.jsonl", "dev_log.jsonl"):
        first, second = (
            [json.loads(line) for line in (folder / name).read_text("utf-8").splitlines()] for folder in (alone, two)
        )
        begun = len(first) - len(second)
        assert second and [line["step"] for line in first[begun:]] == [line["step"] for line in second]
        for line, same in zip(first[begun:], second, strict=True):
            figures = line.keys() - {"seconds", "memory_gib", "clips_per_second", "waiting", "split"}
            assert {key: same[key] for key in figures} == pytest.approx({key: line[key] for key in figures}, rel=1e-3)


def test_from_one_checkpoint_they_say_the_same_as_one_process(two: Path, outputs: Path) -> None:
    from sonar_slt.cli.evaluate import evaluate

    words = {"split": "dev", "num_beams": 1, "resamples": 0}
    folder, metrics = evaluate(composed("evaluate", outputs, words), read(two), [])
    files = sorted(path.name for path in (two / "hypotheses").iterdir())
    assert files and len(metrics["scores"]) == len(files)
    for name in files:
        said, same = (
            [json.loads(line) for line in (one / "hypotheses" / name).read_text("utf-8").splitlines()]
            for one in (two, folder)
        )
        assert [(line["id"], line["hypothesis"]) for line in said] == [
            (line["id"], line["hypothesis"]) for line in same
        ]
        assert len({line["id"] for line in said}) == len(said) == 6


def test_weights_that_are_cut_over_processes_learn_as_whole_ones_do(outputs: Path, space_folder: Path) -> None:
    """Over one process here; over two, with gloo, the largest difference that was measured is 4.4e-6."""
    words = {key: value for key, value in WORDS.items() if key != "callbacks"}
    words |= {"space.source": space_folder, "trainer.max_steps": 3, "adapter.layers": 2}
    whole = train(composed("train", outputs, {**words, "conclude": "null"}), [])[0]
    folder, metrics = train(composed("train", outputs, {**words, "trainer": "fsdp", "trainer.devices": 1}), [])
    first, second = weights(whole)["state_dict"], weights(folder)["state_dict"]
    assert first.keys() == second.keys() and metrics["mean_bleu"]
    for name, weight in first.items():
        torch.testing.assert_close(second[name], weight, rtol=0, atol=1e-3 if name.endswith(IDLE) else TOLERANCE)
    assert not torch.distributed.is_initialized()
    with pytest.raises(UserError, match="keeps all weights twice"):
        train(composed("train", outputs, {**words, "trainer": "fsdp", "trainer.devices": 1, "callbacks": "[ema]"}), [])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
class TestGpu:
    def test_a_step_in_bf16_leaves_weights_in_float32(self, outputs: Path, space_folder: Path) -> None:
        words = {**WORDS, "space.source": space_folder, "trainer.accelerator": "gpu", "trainer.precision": "bf16-mixed"}
        folder, _ = train(composed("train", outputs, {**words, "conclude": "null"}), [])
        state = [weight for weight in weights(folder)["state_dict"].values() if weight.is_floating_point()]
        assert all(weight.dtype == torch.float32 and weight.isfinite().all() for weight in state)

    @pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
    @pytest.mark.parametrize("trainer", ["ddp", "fsdp"])
    def test_two_gpus_train_together(self, outputs: Path, space_folder: Path, trainer: str) -> None:
        words = {"trainer": trainer, "trainer.devices": 2, "trainer.accelerator": "gpu"}
        asked = command(outputs, space_folder, **words, **{"paths.runs": outputs / trainer})
        asked = [word for word in asked if not word.startswith(("trainer.strategy", "callbacks"))]
        asked = [sys.executable, "-m", "sonar_slt", *asked]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
        (folder,) = (outputs / trainer).iterdir()
        assert read(folder).status == "finished"

    def test_a_compiled_adapter_lands_in_the_same_place(self, outputs: Path, space_folder: Path) -> None:
        made = assemble(composed("train", outputs, {**WORDS, "space.source": space_folder}), device="cuda")
        adapter, tracks = made.task.adapter.cuda().eval(), made.data.batch(0).to("cuda").tracks
        with torch.no_grad():
            torch.testing.assert_close(torch.compile(adapter)(tracks), adapter(tracks), rtol=1e-3, atol=1e-4)


class TestShares:
    def test_shares_of_a_batch_are_the_batch_with_its_draws(self, outputs: Path, space_folder: Path) -> None:
        words = {**WORDS, "space.source": space_folder, "languages.spoken": "[deu_Latn,tur_Latn]"}
        data = assemble(composed("train", outputs, words)).data
        rows = data.rows["train"].numbers[:5]
        whole = data.collate(rows, Random("a"), training=True)
        parts = [data.collate(rows, Random("a"), training=True, dealt=(at, 3)) for at in range(3)]
        assert collected([part.ids for part in parts]) == list(whole.ids)
        for at, part in enumerate(parts):
            assert torch.equal(part.target.vectors, whole.target.vectors[at::3])
            width = part.target.tokens.ids.shape[1]
            assert torch.equal(part.target.tokens.ids, whole.target.tokens.ids[at::3, :width])
            mask = whole.tracks["points"].mask[at::3]
            assert torch.equal(part.tracks["points"].mask.sum(dim=1), mask.sum(dim=1))
            assert part.counts and part.share.longest["points"] == mask.shape[1]
        nobody = data.collate(rows[:2], Random("a"), training=True, dealt=(2, 3))
        assert not nobody.counts and len(nobody.ids) == 1

    def test_a_clip_is_augmented_alike_wherever_it_is(self, outputs: Path, space_folder: Path) -> None:
        augment = "[frame_mask,frame_dropout,noise,frame_shuffle,rotation,scale,time_warp,lost_hand,mirror]"
        made = assemble(composed("train", outputs, {**WORDS, "space.source": space_folder, "augment": augment}))
        rows = made.data.rows["train"].numbers[:5]
        whole = made.data.collate(rows, Random("a"), training=True).to("cpu")
        shown = made.task.augment(whole.tracks, seed=1, step=3)["points"]
        for at in range(2):
            part = made.data.collate(rows, Random("a"), training=True, dealt=(at, 2)).to("cpu")
            wide = {name: part.share.widened(track, name) for name, track in part.tracks.items()}
            frames = part.tracks["points"].mask.shape[1]
            own = part.share.own(made.task.augment(wide, seed=1, step=3)["points"], frames)
            assert torch.equal(own.values, shown.values[at::2, :frames])
            assert not torch.equal(own.values, part.tracks["points"].values)


class TestStart:
    @pytest.mark.parametrize(
        ("settings", "told"),
        [
            ({"devices": 0}, "trainer.devices=0: expected"),
            ({"devices": 2, "num_nodes": 2}, "started by torchrun or srun"),
        ],
    )
    def test_what_cannot_be_started_is_said_in_a_sentence(self, settings: Any, told: str) -> None:
        with pytest.raises(UserError, match=told):
            Crew({"accelerator": "cpu", **settings}, None, lost=print)

    def test_more_devices_than_there_are(self, monkeypatch: pytest.MonkeyPatch) -> None:
        if not torch.cuda.is_available():
            with pytest.raises(UserError, match=r"trainer\.accelerator=gpu: torch finds no GPU"):
                devices({"accelerator": "gpu", "devices": 1})
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
        with pytest.raises(UserError, match=r"trainer.devices=3: this machine has 1 GPU\.$"):
            devices({"accelerator": "auto", "devices": 3})
        assert devices({"accelerator": "auto", "devices": "auto"}) == 1

    def test_a_process_finds_its_place(self) -> None:
        torchrun = {"RANK": "3", "LOCAL_RANK": "1", "GROUP_RANK": "1", "WORLD_SIZE": "4"}
        torchrun |= {"MASTER_ADDR": "node07", "MASTER_PORT": "29500"}
        assert place(torchrun) == Place(3, 4, 1, 1, "node07", 29500) and rank(torchrun) == 3
        srun = {"SLURM_PROCID": "2", "SLURM_STEP_NUM_TASKS": "4", "SLURM_LOCALID": "0", "SLURM_NODEID": "1"}
        srun |= {"SLURM_STEP_NODELIST": "node[07-09,12],big1", "SLURM_JOB_ID": "123456"}
        assert place(srun) == Place(2, 4, 0, 1, "node07", 18456)
        assert place({**srun, "SLURM_STEP_NUM_TASKS": "1"}) is None and place({"SLURM_PROCID": "0"}) is None
        assert [first_host(nodes) for nodes in ("a1", "a1,b2", "a[1,3]")] == ["a1", "a1", "a1"]

    def test_going_on_with_another_number_says_what_changes(self, tmp_path: Path) -> None:
        (tmp_path / "config.yaml").write_text("batches: {size: 2}\n", "utf-8")
        former = Record(folder=tmp_path, id="0", facts={"processes": 2})
        assert other_batches({"batches": {"size": 2}}, former, 2) is None
        assert "stay what they were" in str(other_batches({"batches": {"size": 4}}, former, 1))
        told = other_batches({"batches": {"size": 2}}, former, 1)
        assert told and "2 clips instead of 4; batches.size=4 would leave them" in told
