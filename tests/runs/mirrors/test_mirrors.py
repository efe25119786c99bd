"""Mirrors of a run, written for real and read back: W&B's own file, TensorBoard's events, the wide table."""

from __future__ import annotations

import csv
import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from sonar_slt.config.compose import examine
from sonar_slt.errors import UserError
from sonar_slt.runs.mirrors.csv import CsvMirror
from sonar_slt.runs.mirrors.mirror import Facts, Former
from sonar_slt.runs.mirrors.summary import final_scores, said
from sonar_slt.runs.mirrors.tensorboard import TensorboardMirror
from sonar_slt.runs.mirrors.wandb import WandbMirror
from sonar_slt.runs.record import Run
from sonar_slt.runs.registry import all_runs, read
from tests.conftest import MICRO

KEY = "0123456789abcdef0123456789abcdef01234567"
"""Looks like the secret of an account."""
SCORES = {
    "language": "deu_Latn", "name": "German", "seen": True, "n": 12, "ids_hash": "ab12", "references": "human",
    "bleu": {"value": 20.5, "signature": "nrefs:1|bs:1000", "interval": [18.0, 23.0]},
    "chrf": {"value": 40.0, "signature": "nrefs:1|case:mixed", "interval": None},
    "floors": {"constant": {"bleu": 2.0, "sentence": "Ja."}}, "resamples": 1000, "seed": 1, "ceiling": None,
}  # fmt: skip
METRICS = {"retrieval_at_1": 75.0, "mean_bleu": {"trained": 20.5}, "split": "test", "scores": [SCORES]}


@pytest.fixture(autouse=True)
def _no_account_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


def records(folder: Path) -> Iterator[Any]:
    """What a run's `.wandb` file holds: records in the blocks of a LevelDB log behind seven bytes of heading."""
    from wandb.proto.wandb_internal_pb2 import Record

    (path,) = folder.glob("wandb/*run-*/run-*.wandb")
    content, place, whole = path.read_bytes(), 7, b""
    assert content[:4] == b":W&B"
    while place + 7 <= len(content):
        if (room := 32768 - place % 32768) < 7:
            place += room
            continue
        length, kind = struct.unpack_from("<HB", content, place + 4)
        whole += content[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or the last part
            record = Record()
            record.ParseFromString(whole)
            yield record
            whole = b""


def shown(folder: Path, patience: float = 30.0) -> dict[str, Any]:
    """The W&B run as it would be sent, once wandb's own process has written its end."""
    until = time.monotonic() + patience
    while "exit" not in (found := so_far(folder)) and time.monotonic() < until:
        time.sleep(0.05)
    return found


def so_far(folder: Path) -> dict[str, Any]:
    """History by step, summary, config, and how it ended."""
    found: dict[str, Any] = {"history": {}, "summary": {}, "config": {}}
    for record in records(folder):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            found["run"] = record.run
            found["config"] |= {item.key: json.loads(item.value_json) for item in record.run.config.update}
        elif kind == "history":
            row = {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in record.history.item}
            found["history"].setdefault(record.history.step.num, {}).update(row)
        elif kind == "summary":
            for item in record.summary.update:
                found["summary"][".".join(item.nested_key) or item.key] = json.loads(item.value_json)
        elif kind == "exit":
            found["exit"] = record.exit.exit_code
    return found


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def begun(root: Path, *, verb: str = "train", parent: str | None = None, **facts: Any) -> Run:
    config = {"seed": 1, "objective": {"mse": {"weight": 2.0}}}
    return Run.start(root, verb=verb, name="toy", config=config, overrides=[], parent=parent, facts=facts)


@pytest.fixture(scope="module")
def trained(outputs: Path, space_folder: Path) -> Path:
    """The folder of a micro training with every mirror that needs no network."""
    from sonar_slt.cli.training.training import train

    mine = {**MICRO, "recipe": "null", "space.source": space_folder, "paths.outputs": outputs, "name": "mirrored"}
    words = ["logger=[wandb_offline,tensorboard,csv]", "logger.wandb.tags=[mine]", "logger.csv.every=0"]
    found = examine("train", [*(f"{key}={value}" for key, value in mine.items()), *words])
    assert not found.problems
    facts = {"choices": found.choices, "sweep": "outputs/sweeps/2026_grid", "job": 0}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_API_KEY", KEY)
        folder, _ = train(found.config, words, facts=facts)
    return folder


class TestATraining:
    def test_wandb_has_all_of_it(self, trained: Path) -> None:
        found = shown(trained)
        run = found["run"]
        assert run.run_group == "2026_grid" and run.job_type == "train" and run.project == "sonar-slt"
        assert {"mirrored", "toy", "keypoint", "lora", "mine"} <= set(run.tags) and run.run_id == trained.name
        assert found["config"]["adapter"]["dim"] == 32 and found["config"]["record"]["choices"]["adapter"] == "keypoint"
        assert found["exit"] == 0 and found["summary"]["status"] == "finished"
        assert list(found["history"]) == [1, 2, 3, 4, 5, 6], "the optimiser's steps"
        told = {f"train/{name}" for name in ("loss", "mse", "cosine", "ce", "ae", "lr", "gradient", "memory_gib")}
        assert told | {"train/clips_per_second", "train/waiting"} <= found["history"][2].keys()
        assert {"dev/loss", "dev/ae", "dev/bleu", "dev/retrieval_at_1", "samples/_type"} <= found["history"][3].keys()
        lines = [json.loads(line) for line in (trained / "dev_log.jsonl").read_text("utf-8").splitlines()]
        assert [found["history"][line["step"]]["dev/loss"] for line in lines] == [line["loss"] for line in lines]

    def test_the_final_scores_stand_in_the_summary(self, trained: Path) -> None:
        summary, metrics = shown(trained)["summary"], read(trained).metrics
        for entry in metrics["scores"]:
            name, bleu = f"bleu/{entry['language']}", entry["bleu"]
            assert [summary[f"{name}{end}"] for end in ("", "_low", "_high")] == [bleu["value"], *bleu["interval"]]
            assert summary[f"{name}_signature"] == bleu["signature"]
            assert summary[f"ids_hash/{entry['language']}"] == entry["ids_hash"]
        assert summary["retrieval_at_1"] == metrics["retrieval_at_1"]

    def test_the_samples_are_tables(self, trained: Path) -> None:
        (files,) = trained.glob("wandb/offline-run-*/files")
        history = shown(trained)["history"]
        looks = [json.loads((files / history[step]["samples/path"]).read_text("utf-8")) for step in (3, 6)]
        assert all(look["columns"][:3] == ["id", "language", "hypothesis"] and look["data"] for look in looks)
        last = json.loads((files / history[6]["hypotheses/path"]).read_text("utf-8"))
        assert {"hypothesis", "references", "cosine"} <= set(last["columns"])
        assert len(last["data"]) == sum(entry["n"] for entry in read(trained).metrics["scores"])

    def test_no_secret_is_written_and_no_source(self, trained: Path) -> None:
        files = [path for path in trained.rglob("*") if path.is_file()]
        assert len(files) > 10 and not [path for path in files if KEY.encode() in path.read_bytes()]
        assert not [path for path in files if path.suffix == ".patch" or "code" in path.parts]

    def test_the_record_knows_them(self, trained: Path) -> None:
        noted = read(trained).facts["mirrors"]
        assert noted["wandb"]["id"] == trained.name and (trained / noted["wandb"]["folder"]).is_dir()
        assert noted["tensorboard"] == {"folder": "tensorboard"} and noted["csv"] == {"file": "curves.csv"}

    def test_tensorboard_reads_its_events(self, trained: Path) -> None:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        events = EventAccumulator(str(trained / "tensorboard")).Reload()
        lines = [json.loads(line) for line in (trained / "train_log.jsonl").read_text("utf-8").splitlines()]
        losses = [(line["step"], line["loss"]) for line in lines if line.get("split") == "train"]
        assert [(event.step, event.value) for event in events.Scalars("train/loss")] == losses
        (bleu,) = events.Scalars("final/bleu/deu_Latn_high")
        (entry,) = [each for each in read(trained).metrics["scores"] if each["language"] == "deu_Latn"]
        assert bleu.step == 6 and bleu.value == pytest.approx(entry["bleu"]["interval"][1])
        assert {"config", "tags", "samples", "hypotheses", "status"} <= set(events.Tags()["tensors"])
        (config,) = events.Tensors("config")
        assert b"max_steps: 6" in config.tensor_proto.string_val[0]

    def test_the_table_is_wide(self, trained: Path) -> None:
        rows = table(trained / "curves.csv")
        assert [int(row["step"]) for row in rows] == [1, 2, 3, 4, 5, 6]
        assert rows[0]["dev/loss"] == "" and float(rows[2]["dev/loss"]) > 0 and float(rows[5]["train/ce"]) > 0
        scores = {row["name"]: row["value"] for row in table(trained / "scores.csv")}
        assert scores["bleu/deu_Latn_signature"].startswith("nrefs:")


class TestTheEnd:
    def test_a_killed_run_is_finished_as_killed_and_gone_on_with_under_its_id(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(KeyboardInterrupt), begun(tmp_path) as first:
            first.mirror({"wandb": WandbMirror(mode="offline")})
            first.log("train", 1, {"loss": 2.0})
            raise KeyboardInterrupt
        capsys.readouterr()
        with begun(tmp_path, parent=first.folder.name) as second:
            second.mirror({"wandb": WandbMirror(mode="offline")})
            second.log("train", 2, {"loss": 1.0})
        stopped, gone_on = shown(first.folder), shown(second.folder)
        assert stopped["exit"] != 0 and stopped["summary"]["status"] == "killed" and gone_on["exit"] == 0
        assert gone_on["run"].run_id == stopped["run"].run_id == first.folder.name != second.folder.name
        assert list(gone_on["history"]) == [2]
        *_, command = capsys.readouterr().err.strip().splitlines()
        folders = command.partition("wandb sync ")[2].split()
        assert [Path(folder).parents[1] for folder in folders] == [first.folder, second.folder]
        assert all(list(Path(folder).glob("*.wandb")) for folder in folders)

    def test_what_could_not_be_opened_is_not_gone_on_with(self, tmp_path: Path) -> None:
        with begun(tmp_path, mirrors={"wandb": {"failed": "no network"}}) as first:
            pass
        with begun(tmp_path, parent=first.folder.name) as second:
            second.mirror({"wandb": WandbMirror(mode="offline")})
        assert read(second.folder).facts["mirrors"]["wandb"]["id"] == second.folder.name

    def test_an_evaluation_is_a_run_of_its_own_in_the_group_of_what_it_evaluates(self, tmp_path: Path) -> None:
        with begun(tmp_path, sweep="a/sweeps/grid", choices={"data": "toy", "adapter": "spamo"}) as trained:
            trained.mirror({"wandb": WandbMirror(mode="offline", project="p", entity="us")})
        with begun(tmp_path, verb="evaluate", parent=trained.folder.name) as judged:
            judged.mirror({"wandb": WandbMirror(mode="offline")})
            (judged.folder / "hypotheses").mkdir()
            line = {"id": "a", "language": "deu_Latn", "hypothesis": "ja", "references": ["ja"], "scores": {"bleu": 9}}
            (judged.folder / "hypotheses" / "test.deu_Latn.jsonl").write_text(json.dumps(line) + "\n", "utf-8")
            judged.update(metrics=METRICS)
        found = shown(judged.folder)
        assert found["run"].run_id == judged.folder.name and found["run"].job_type == "evaluate"
        assert found["run"].run_group == "grid" and {"toy", "spamo"} <= set(found["run"].tags)
        assert (
            found["summary"]["bleu/deu_Latn_high"] == 23.0 and found["history"][0]["hypotheses/_type"] == "table-file"
        )

    def test_a_failed_run_is_told_as_failed(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError), begun(tmp_path) as run:
            run.mirror({"wandb": WandbMirror(mode="offline")})
            raise ValueError("no")
        assert shown(run.folder)["exit"] == 1


class Broken:
    """Fails where it is told to."""

    def __init__(self, at: str) -> None:
        self.at, self.calls = at, list[str]()

    def _at(self, place: str) -> None:
        self.calls.append(place)
        if place == self.at:
            raise OSError(f"no {place} today")

    def open(self, facts: Facts, former: Sequence[Former]) -> dict[str, Any]:
        self._at("open")
        return {"there": True}

    def log(self, split: str, step: int, values: Any) -> None:
        self._at("log")

    def samples(self, title: str, step: int, rows: Any) -> None:
        self._at("samples")

    def finish(self, status: str, summary: Any) -> None:
        self._at("finish")


class TestFailing:
    @pytest.mark.parametrize("at", ["open", "log", "samples", "finish"])
    def test_a_mirror_that_fails_is_left_out_and_the_run_goes_on(
        self, at: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        broken, sound = Broken(at), CsvMirror(every=0)
        with begun(tmp_path) as run:
            run.mirror({"mine": broken, "csv": sound})
            for step in (1, 2, 3):
                run.log("train", step, {"loss": 1.0 / step})
                run.show(step, [{"id": "a", "hypothesis": "ja"}])
        record = read(run.folder)
        assert record.status == "finished" and record.facts["mirrors"]["mine"]["failed"] == f"no {at} today"
        assert broken.calls.count(at) == (2 if at == "finish" else 1), "it is asked once, and closed once more at most"
        said_of_it = [line for line in capsys.readouterr().err.splitlines() if "logger.mine" in line]
        assert len(said_of_it) == 1 and f"no {at} today" in said_of_it[0]
        rows = table(run.folder / "curves.csv")
        assert [row["step"] for row in rows] == ["1", "2", "3"]

    def test_what_cannot_be_written_is_left_out_too(self, tmp_path: Path) -> None:
        with begun(tmp_path) as run:
            (run.folder / "tensorboard").write_text("a file where a folder should be")
            (run.folder / "curves.csv").mkdir()
            run.mirror({"tensorboard": TensorboardMirror(), "csv": CsvMirror(every=0)})
            run.log("train", 1, {"loss": 1.0})
        record = read(run.folder)
        assert record.status == "finished" and all(noted["failed"] for noted in record.facts["mirrors"].values())

    def test_a_package_that_is_not_there_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "tensorboard.summary.writer.event_file_writer", None)
        with begun(tmp_path) as run:
            run.mirror({"tensorboard": TensorboardMirror()})
        assert "sonar-slt[tensorboard]" in read(run.folder).facts["mirrors"]["tensorboard"]["failed"]

    def test_without_an_account_online_is_told_at_once_and_nobody_is_asked(self, tmp_path: Path) -> None:
        program = (
            "import sys; from pathlib import Path\n"
            "from sonar_slt.runs.record import Run; from sonar_slt.runs.mirrors.wandb import WandbMirror\n"
            "with Run.start(Path(sys.argv[1]), verb='train', name='a', config={}, overrides=[]) as run:\n"
            "    run.mirror({'wandb': WandbMirror()})\n"
        )
        bare = {name: value for name, value in os.environ.items() if name != "WANDB_API_KEY"} | {"HOME": str(tmp_path)}
        command = [sys.executable, "-c", program, str(tmp_path / "runs")]
        done = subprocess.run(command, env=bare, capture_output=True, text=True, timeout=60)
        (run,) = all_runs(tmp_path / "runs")
        assert done.returncode == 0 and run.status == "finished" and done.stdout == ""
        assert "logger=wandb_offline" in run.facts["mirrors"]["wandb"]["failed"]
        assert len(done.stderr.strip().splitlines()) == 1 and "logger.wandb is left out" in done.stderr

    def test_what_is_no_mirror_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"logger\.mine=dict: expected a mirror"), begun(tmp_path) as run:
            run.mirror({"mine": {}})  # type: ignore[dict-item]

    @pytest.mark.parametrize("wrong", [lambda: WandbMirror(patience=0), lambda: CsvMirror(every=-1)])
    def test_wrong_settings_are_refused(self, wrong: Any) -> None:
        with pytest.raises(UserError, match=r"logger\.\w+\.\w+="):
            wrong()


class TestNames:
    def test_final_scores_have_one_flat_name_each(self) -> None:
        found = final_scores(METRICS)
        assert found == {
            "retrieval_at_1": 75.0, "mean_bleu/trained": 20.5,
            "bleu/deu_Latn": 20.5, "bleu/deu_Latn_low": 18.0, "bleu/deu_Latn_high": 23.0,
            "bleu/deu_Latn_signature": "nrefs:1|bs:1000", "bleu/deu_Latn_constant": 2.0,
            "chrf/deu_Latn": 40.0, "chrf/deu_Latn_signature": "nrefs:1|case:mixed",
            "n/deu_Latn": 12, "ids_hash/deu_Latn": "ab12", "references/deu_Latn": "human",
        }  # fmt: skip

    def test_what_is_shown_is_spread_over_the_split(self, tmp_path: Path) -> None:
        (tmp_path / "hypotheses").mkdir()
        lines = [{"id": n, "language": "deu_Latn", "scores": {"bleu": n}} for n in range(200)]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (tmp_path / "hypotheses" / "test.deu_Latn.jsonl").write_text(text, "utf-8")
        found = list(said(tmp_path))
        assert [line["id"] for line in found] == list(range(0, 200, 4)) and found[1]["bleu"] == 4

    def test_a_new_name_is_a_new_column(self, tmp_path: Path) -> None:
        with begun(tmp_path) as run:
            run.mirror({"csv": CsvMirror(every=0)})
            run.log("train", 1, {"loss": 1.0})
            before = (run.folder / "curves.csv").read_text("utf-8")
            run.log("train", 2, {"loss": 0.5, "a,b": 3.0})
            run.log("dev", 2, {"loss": 0.7})
        assert before == "step,train/loss\n1,1.0\n"
        after = (run.folder / "curves.csv").read_text("utf-8")
        assert after == 'step,train/loss,"train/a,b",dev/loss\n1,1.0,,\n2,0.5,3.0,0.7\n'
