"""A run done again: the same words, what they meant, new ones; what is told before, what is refused."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from sonar_slt.cli import main
from sonar_slt.cli.command.arguments import spelt
from sonar_slt.cli.command.asked import Asked
from sonar_slt.config import permission
from sonar_slt.config.compose import examine
from sonar_slt.config.location import PACKAGE, conf_folder
from sonar_slt.config.words import value_of
from sonar_slt.files import read_lines, write_json
from sonar_slt.runs.pinned import pinned
from sonar_slt.runs.record import Run
from sonar_slt.runs.registry import Record, all_runs
from tests.conftest import MICRO

pytestmark = pytest.mark.conf


EXAMINED: dict[tuple[Any, ...], dict[str, Any]] = {}


class Runs:
    """The command line with verbs that leave a record and do nothing else."""

    def __init__(self, command: Any, seen: list[dict[str, Any]]) -> None:
        self.command, self.seen = command, seen

    def __call__(self, verb: str, *words: str) -> int:
        return int(self.command(verb, *words, job=lambda config: self._leave(verb, config)))

    def made(self, *words: str, verb: str = "train", config_dir: str | None = None, sweep: str | None = None) -> Record:
        """The run that these words would have left."""
        key = (verb, config_dir, *words)
        if config_dir or key not in EXAMINED:
            found = examine(verb, [*words, "hydra.mode=RUN"], config_dir)
            assert found.problems == []
            EXAMINED[key] = found.config
        own = str(Path(config_dir).resolve()) if config_dir else None
        asked = Asked(overrides=list(words), sweep=sweep, config_dir=own)
        self._leave(verb, {**EXAMINED[key], "asked": asked})
        return self.last

    def _leave(self, verb: str, config: dict[str, Any]) -> None:
        asked = config["asked"]
        verb = "evaluate" if "checkpoint" in config else "train"
        kept = pinned(verb, {key: value for key, value in config.items() if key != "asked"})
        root, parent = Path(kept["paths"]["runs"]), kept.get("run") or asked.rerun_of
        told = {"overrides": asked.overrides, "parent": parent, "facts": asked.facts}
        with Run.start(root, verb=verb, name=kept.get("name", "e"), config=kept, **told) as run:
            run.update(space_fingerprint="f")
            (run.folder / "checkpoints").mkdir()
            (run.folder / "checkpoints" / "best.ckpt").touch()

    @property
    def last(self) -> Record:
        return all_runs(Path("outputs/runs"))[0]

    @property
    def config(self) -> dict[str, Any]:
        return {key: value for key, value in self.seen[-1].items() if key != "asked"}


ROOMS = (
    "adapter",
    "augment",
    "objective",
    "student",
    "view",
    "trainer",
    "paths",
    "launcher",
    "experiment",
    "languages",
)
"""What is left of the rooms of a training, so that a config is composed quickly."""


@pytest.fixture(scope="session")
def small_conf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our conf folder with fewer rooms."""
    own = tmp_path_factory.mktemp("small") / "conf"
    shutil.copytree(conf_folder(), own)
    text = (own / "train.yaml").read_text(encoding="utf-8").splitlines()
    kept = [line for line in text if not (match := re.match(r"  - (\w+): ", line)) or match[1] in ROOMS]
    (own / "train.yaml").write_text("\n".join(line for line in kept if "local@" not in line), encoding="utf-8")
    return own


@pytest.fixture
def runs(command: Any, seen: Any, small_conf: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    monkeypatch.setenv("SONAR_SLT_CONF", str(small_conf))
    return Runs(command, seen)


WORDS = ("seed=3", "adapter=keypoint", "adapter.dim=64", "objective=[mse,cosine]", "objective.mse.weight=2")


def told(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().err.split())


def saved(record: Record) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((record.folder / "config.yaml").read_text(encoding="utf-8"))
    return found


def test_without_words_it_is_the_same_work(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    first = runs.made(*WORDS, "augment=[noise]", "+trainer.benchmark=true", "languages.targets=[deu_Latn]")
    assert runs("rerun", first.id[:6]) == 0
    again = runs.last
    assert saved(again) == saved(first) and again.id == first.id and again.folder != first.folder
    assert again.parent == again.facts["rerun_of"] == first.folder.name
    said = told(capsys)
    assert f"Again: {first.folder.name}" in said and "The config is the same." in said and "Changed" not in said


def test_the_last_word_wins(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    first = saved(runs.made(*WORDS, "augment=[noise,scale]", "+trainer.benchmark=true"))
    again = ["seed=4", "objective=[mse,ce]", "trainer.benchmark=false", "augment=null", "student=null", "name=b"]
    assert runs("rerun", "last", *again) == 0
    config = runs.config
    assert (config["seed"], config["adapter"]["dim"], config["name"]) == (4, 64, "b")
    assert set(config["objective"]) == {"mse", "ce"} and config["objective"]["mse"]["weight"] == 2
    assert config["trainer"]["benchmark"] is False and config["augment"] is None and config["student"] is None
    said = told(capsys)
    for change in ("seed 3 → 4", "objective.cosine.weight 2.7 → —", "trainer.benchmark true → false"):
        assert change in said
    former = runs.last
    assert runs("rerun", str(former.folder), "student=lora", "augment=[noise,scale]") == 0  # a rerun of a rerun
    assert runs.config["student"] == first["student"] and runs.config["augment"] == first["augment"]
    assert runs.config["seed"] == 4 and runs.last.parent == former.folder.name


def test_words_about_what_is_left_out_are_left_out(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    runs.made(*WORDS, "adapter.layers=1", "augment=[noise]", "augment.noise.std=0.1")
    assert runs("rerun", "last", "adapter=spamo", "augment=[scale]") == 0
    said = told(capsys)
    assert "adapter.layers=1 is left out" in said and "augment.noise.std=0.1 is left out" in said
    assert runs.config["adapter"]["dim"] == 64 and list(runs.config["augment"]) == ["scale"]
    words = (runs.last.folder / "overrides.yaml").read_text()
    assert "layers" not in words and "noise" not in words


def test_each_value_of_a_sweep_is_a_run(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    first = runs.made(*WORDS)
    assert runs("rerun", "last", "-m", "seed=4,5") == 0
    assert "seed 3 → 4,5" in told(capsys)
    assert [config["seed"] for config in runs.seen] == [4, 5]
    assert {config["asked"].rerun_of for config in runs.seen} == {first.folder.name}
    assert (runs.last.facts["job"], runs.last.parent) == (1, first.folder.name)


def test_a_job_of_a_named_sweep_starts_no_sweep(runs: Runs, tmp_path: Path) -> None:
    (tmp_path / "own" / "experiment").mkdir(parents=True)
    text = "# @package _global_\nhydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n      seed: 8,9\n"
    (tmp_path / "own" / "experiment" / "seeds.yaml").write_text(text)
    job = runs.made("adapter=keypoint", "experiment=seeds", "seed=9", config_dir="own", sweep="s")
    assert runs("rerun", "last") == 0 and len(runs.seen) == 1, "and its --config-dir is found again"
    assert runs.config["seed"] == 9 and runs.last.id == job.id and runs.last.facts["sweep"] is None
    assert runs.last.facts["config_dir"] == str(tmp_path / "own")


def test_a_folder_of_options_that_is_gone(runs: Runs, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "own" / "experiment").mkdir(parents=True)
    (tmp_path / "own" / "experiment" / "mine.yaml").write_text("# @package _global_\nseed: 11\n")
    runs.made("adapter=keypoint", "experiment=mine", config_dir="own")
    (tmp_path / "own").rename(tmp_path / "moved")
    assert runs("rerun", "last") == 2
    assert f"--config-dir {tmp_path / 'own'}, which is gone" in told(capsys)
    assert runs("rerun", "last", "--config-dir", "moved") == 0 and runs.config["seed"] == 11


def test_what_meant_a_run_means_the_same_one(runs: Runs) -> None:
    begun = runs.made(*WORDS)
    trained = runs.made(*WORDS, "init_from=last")
    runs.made(*WORDS, "seed=4")
    assert runs("rerun", trained.folder.name) == 0
    assert runs.config["init_from"] == begun.folder.name and runs.last.id == trained.id


def test_an_evaluation_is_of_the_same_run(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    trained = runs.made(*WORDS)
    evaluated = runs.made("num_beams=1", "output=scores.json", verb="evaluate")
    runs.made(*WORDS, "seed=4")
    assert runs("rerun", evaluated.id) == 0
    assert runs.config["inputs"] == [trained.folder.name] and runs.config["output"] is None
    assert (runs.last.parent, runs.last.facts["rerun_of"]) == (trained.folder.name, evaluated.folder.name)
    assert runs.last.id == evaluated.id and "output=scores.json is not repeated" in told(capsys)


def test_a_rerun_begins_anew(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    runs.made(*WORDS)
    runs.made(*WORDS, "resume=last")
    assert runs("rerun", "last") == 0
    assert runs.config["resume"] is None and "resume=last is not repeated: this begins anew" in told(capsys)


def test_a_package_is_allowed_by_who_types(
    runs: Runs, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(permission, "_named", set())
    first = runs.made(*WORDS, "allow=[visitors]")
    assert runs("rerun", "last") == 2
    assert "allow it again by allow=[visitors]" in told(capsys) and not permission.permitted()
    assert runs("rerun", "last", "allow=visitors") == 0
    assert permission.permitted() == {"visitors"} and runs.last.id == first.id


CHANGED = (("train", "eval_every: 250", "eval_every: 125"), ("adapter/keypoint", "heads: 4", "heads: 2"))


def test_defaults_that_changed_are_told(
    runs: Runs, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    former = runs.made(*WORDS)
    own = tmp_path / "conf"
    shutil.copytree(os.environ["SONAR_SLT_CONF"], own)
    for name, old, new in CHANGED:
        text = (own / f"{name}.yaml").read_text()
        assert old in text
        (own / f"{name}.yaml").write_text(text.replace(old, new))
    monkeypatch.setenv("SONAR_SLT_CONF", str(own))
    assert runs("rerun", former.id, "name=x") == 0
    said = told(capsys)
    assert "Changed by no word of yours: the defaults are others today" in said and "eval_every 250 → 125" in said
    assert runs.config["eval_every"] == 125 and runs.config["adapter"]["heads"] == 2
    assert runs("rerun", former.id, "as_saved=true", "name=y") == 0
    assert runs.last.id == former.id and "no word of yours" not in told(capsys)


def test_keys_that_are_gone_are_named(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    file = runs.made(*WORDS).folder / "overrides.yaml"
    file.write_text(file.read_text() + "- objective.mse.wight=3\n- adapter.layerz=2\n")
    assert runs("rerun", "last") == 2
    said = told(capsys)
    for part in ("saved what cannot be used any more", "Did you mean objective.mse.weight?", "adapter.layers?"):
        assert part in said
    assert "without=[objective.mse.wight,adapter.layerz]." in said
    assert runs("rerun", "last", "without=[objective.mse.wight,adapter.layerz]") == 0
    assert runs("rerun", "last", "without=[sed]") == 2 and "saved no word about it. Did you mean seed?" in told(capsys)


def test_a_run_of_an_older_version_without_words(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    former = runs.made(*WORDS, "augment=[noise]", "student=frozen")
    (former.folder / "overrides.yaml").write_text("[]\n")
    record = json.loads((former.folder / "record.json").read_text())
    write_json(former.folder / "record.json", {key: value for key, value in record.items() if key != "config_dir"})
    assert runs("rerun", former.id) == 0
    assert saved(runs.last) == saved(former) and runs.last.id == former.id
    assert "saved no words: its config.yaml is repeated as it is" in told(capsys)
    assert runs("rerun", former.folder.name, "adapter=spamo", "seed=9") == 0
    assert runs.config["adapter"]["_target_"].endswith("SpamoAdapter") and "heads" not in runs.config["adapter"]
    assert runs.config["augment"] == saved(former)["augment"] and runs.config["seed"] == 9


REFUSED = {
    (): "Which run? `sonar-slt rerun last`",
    ("a", "b"): "One run at a time, not 2.",
    ("nowhere",): "No run 'nowhere'",
    ("last", "seed=1,2"): "add -m to run each value",
    ("last", "sed=1"): "Unknown key sed. Did you mean seed?",
    ("last", "as_saved=maybe"): "as_saved",
}


def test_what_is_refused(runs: Runs, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    record = runs.made(*WORDS)
    for words, said in REFUSED.items():
        assert runs("rerun", *words) == 2
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1 and not runs.seen
    (record.folder / "overrides.yaml").write_text("- [a\n")
    assert runs("rerun", "last") == 2 and "overrides.yaml cannot be read" in told(capsys)
    (record.folder / "record.json").write_text("{")
    assert runs("rerun", str(record.folder)) == 2 and "cannot be done again" in told(capsys)
    with Run.start(tmp_path / "outputs/runs", verb="bench", name="b", config={}, overrides=[]):
        pass
    assert runs("rerun", "last") == 2 and "is a run of 'bench'" in told(capsys)


VALUES = [None, True, 0, -1, 1e-05, "a", "0012", "it's", "a,b", "", "null", [1, "b", [None]], {"a": [1, "x y"]}]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_is_read_back_as_it_was(value: Any) -> None:
    assert value_of(f"key={spelt(value)}") == value


def test_the_config_is_shown_without_torch_and_nothing_runs(runs: Runs) -> None:
    runs.made(*WORDS)
    lines = [
        "import sys",
        "from sonar_slt.cli import main",
        "code = main(['rerun', 'last', 'seed=8', '--cfg', 'job'])",
        "print('#', code, 'torch' in sys.modules, 'numpy' in sys.modules)",
    ]
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent), "COLUMNS": "80"}
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "# 0 False False"
    assert yaml.safe_load(done.stdout)["seed"] == 8 and "3 → 8" in done.stderr
    assert all(len(line) <= 80 for line in done.stderr.splitlines())
    assert len(all_runs(Path("outputs/runs"))) == 1


@pytest.mark.smoke
def test_in_the_micro_world_it_comes_out_bit_by_bit(
    outputs: Path,
    space_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["sonar-slt"])
    own = {"paths.outputs": outputs, "paths.runs": tmp_path / "runs"}
    words = {
        **MICRO,
        **own,
        "recipe": "null",
        "space.source": space_folder,
        "augment": "[noise]",
        "threads": 1,
        "conclude": "null",
    }
    again = [f"{key}={value}" for key, value in own.items()]
    assert main(["train", *(f"{key}={value}" for key, value in words.items())]) == 0
    assert main(["evaluate", *again, "num_beams=1", "resamples=10", "languages=[deu_Latn]"]) == 0
    for place in (1, 1):  # the training is the second newest of two runs, and so is the evaluation of three
        assert main(["rerun", all_runs(tmp_path / "runs")[place].folder.name, *again]) == 0
    runs = all_runs(tmp_path / "runs")
    for first, second in ((runs[3], runs[1]), (runs[2], runs[0])):
        assert second.facts["rerun_of"] == first.folder.name and second.status == "finished"
        assert first.id == second.id and dict(first.metrics) == dict(second.metrics)
    assert [run.verb for run in runs] == ["evaluate", "train"] * 2
    assert [run.parent for run in runs] == [runs[3].folder.name, runs[3].folder.name, runs[3].folder.name, None]
    looks = [list(read_lines(run.folder / "dev_log.jsonl")) for run in (runs[1], runs[3])]
    assert looks[0] and [*map(timeless, looks[0])] == [*map(timeless, looks[1])]
    weights = [(run.folder / "checkpoints" / "best.ckpt").read_bytes() for run in (runs[1], runs[3])]
    assert loaded(weights[0]) == loaded(weights[1])


def timeless(line: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in line.items() if key != "seconds"}


def loaded(content: bytes) -> dict[str, list[float]]:
    """The weights of a checkpoint, number by number."""
    import io

    import torch

    state = torch.load(io.BytesIO(content), weights_only=True)["state_dict"]
    return {name: weight.flatten().tolist() for name, weight in state.items()}
