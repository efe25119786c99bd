"""Sweeps whose values are chosen by trials: what is asked, what is kept, what goes on, what is refused."""

from __future__ import annotations

import json
import math
import random
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sonar_slt.config.compose import floorplan
from sonar_slt.config.location import conf_folder
from sonar_slt.config.search import search_of
from sonar_slt.errors import UserError
from sonar_slt.sweeper.goal import figure
from sonar_slt.sweeper.random import Random
from sonar_slt.sweeper.space import Choice, Number, Space
from sonar_slt.sweeper.study import Study
from sonar_slt.sweeper.sweeper import Sweeper
from sonar_slt.sweeper.tpe import Tpe

pytestmark = pytest.mark.conf

SPACE: Space = {"lr": Number(low=1e-5, high=1e-1, log=True), "kind": Choice(("a", "[b,c]", "null"))}
SPACE["n"] = Number(low=1, high=20, step=1, whole=True)
KINDS = {"a": 0.0, "[b,c]": 1.0, "null": 2.0}


def hill(lr: float, kind: str, n: int) -> float:
    """Highest, and 0, at lr=0.001, kind=a, n=13."""
    return -((math.log10(lr) + 3) ** 2) - abs(n - 13) / 5 - KINDS[kind]


def reached(words: tuple[str, ...]) -> float:
    given = dict(word.split("=", 1) for word in words)
    return hill(float(given["lr"]), given["kind"], int(given["n"]))


def tried(sweeper: Sweeper, folder: Path, most: int = 1000) -> list[tuple[str, ...]]:
    """Up to `most` batches; the words of all trials that count, in their order."""
    study = Study(folder, {"q": 1}, SPACE, sweeper)
    while most and (batch := study.ask()):
        for trial in batch:
            study.tell(trial.number, reached(trial.words))
        most -= 1
    return [trial.words for trial in study.trials]


def test_it_finds_the_top_sooner_than_chance(tmp_path: Path) -> None:
    found = []
    for seed in (1, 2, 3):
        trials = tried(Tpe(n_trials=20, startup=6, seed=seed), tmp_path / str(seed))
        found.append(max(map(reached, trials)))
        study = Study(tmp_path / str(seed), {"q": 1}, SPACE, Tpe(n_trials=20, seed=seed))
        assert study.best is not None and reached(study.best.words) == study.best.value == found[-1]
        assert sum(study.importance().values()) == pytest.approx(1.0) and study.importance().keys() == SPACE.keys()
    chance = random.Random(0)
    draws = [
        max(hill(10 ** chance.uniform(-5, -1), chance.choice([*KINDS]), chance.randint(1, 20)) for _ in range(20))
        for _ in range(400)
    ]
    assert sum(found) / 3 > sum(draws) / 400 + 0.1


@pytest.mark.parametrize("kind", [Tpe, Random])
def test_a_study_that_was_interrupted_is_the_one_that_was_not(kind: Callable[..., Sweeper], tmp_path: Path) -> None:
    made = {"startup": 3} if kind is Tpe else {}
    whole = tried(kind(n_trials=8, seed=1, **made), tmp_path / "whole")
    tried(kind(n_trials=8, seed=1, **made), tmp_path / "parts", most=5)
    left = Study(tmp_path / "parts", {"q": 1}, SPACE, kind(n_trials=8, seed=1, **made))
    (asked,) = left.ask()
    left.leave()  # its values are the next ones to be tried
    assert asked.words == whole[5]
    assert tried(kind(n_trials=8, seed=1, **made), tmp_path / "parts") == whole
    assert tried(kind(n_trials=8, seed=2, **made), tmp_path / "other", most=2) != whole[:2]


def test_minimising_ends_at_the_other_end(tmp_path: Path) -> None:
    study = Study(tmp_path / "down", {"q": 1}, SPACE, Random(n_trials=4, direction="minimize"))
    while batch := study.ask():
        study.tell(batch[0].number, reached(batch[0].words))
    assert study.best is not None and study.best.value == min(trial.value for trial in study.trials if trial.value)
    assert Random(metric="dev/loss").maximises is False and Random(metric="chrf").maximises is True


DIES = """
import os, sys
from pathlib import Path
from sonar_slt.sweeper.random import Random
from sonar_slt.sweeper.space import Number
from sonar_slt.sweeper.study import Study
study = Study(Path(sys.argv[1]), {"q": 1}, {"x": Number(low=0, high=1)}, Random(n_trials=5))
print(study.ask()[0].words[0], flush=True)
os.kill(os.getpid(), 9)
"""


def test_what_a_killed_process_had_begun_is_tried_again_and_several_share_a_study(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    done = subprocess.run([sys.executable, "-c", DIES, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == -9
    one, other = (Study(folder, {"q": 1}, {"x": Number(low=0, high=1)}, Random(n_trials=5, n_jobs=2)) for _ in range(2))
    first, second = one.ask(), other.ask()
    assert first[0].words == (done.stdout.strip(),) and not {t.number for t in first} & {t.number for t in second}
    one.tell(first[1].number, None, "boom")
    for study, trial in ((other, second[1]), (one, first[0]), (other, second[0])):
        study.tell(trial.number, 1.0)
    (last,) = one.ask()
    assert other.ask() == [], "what runs elsewhere counts, and so does what failed"
    one.tell(last.number, float("nan"))
    assert [trial.reason for trial in other.trials] == [None, "boom", None, None, "its value is nan"]


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("x=a,b", Choice(("a", "b"))),
        ("x=[a,b],null,'c d'", Choice(("[a,b]", "null", "'c d'"))),
        ("+x=choice(1,2.5)", Choice(("1", "2.5"))),
        ("x=range(1,5)", Number(low=1, high=4, step=1, whole=True)),
        ("x=range(10,0,-3)", Number(low=1, high=10, step=3, whole=True)),
        ("x=range(0,1,0.25)", Number(low=0.0, high=0.75, step=0.25)),
        ("x=interval(0,1)", Number(low=0.0, high=1.0)),
        ("x=int(interval(2,64))", Number(low=2, high=64, whole=True)),
        ("x=tag(log,interval(1e-5,1e-3))", Number(low=1e-5, high=1e-3, log=True)),
        ("x=tag(log,range(1,100))", Number(low=1, high=99, whole=True, log=True)),
        ("trainer=glob(defa*)", Choice(("default",))),
    ],
)
def test_a_space_is_said_in_hydras_words(word: str, kind: Choice | Number) -> None:
    found = search_of([word, "name=me", "sweeper=tpe", "sweeper.n_trials=3", "launcher=joblib"], {}, floorplan())
    assert found.fixed == ("name=me",) and list(found.space.values()) == [kind]


def test_a_word_wins_over_a_named_sweep() -> None:
    found = search_of(["x=interval(0,2)", "y=3"], {"x": "1,2", "y": "4,5", "z": "range(3)"}, floorplan())
    assert found.typed == {"x": "interval(0,2)", "z": "range(3)"} and found.fixed == ("y=3",)
    assert Number(low=0, high=1).word("x", 0.1234567891) == "x=0.123457"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("seed=1,2", "the luckiest seed"),
        ("x=interval(2,1)", "the lower end comes first"),
        ("x=tag(log,interval(0,1))", "both ends are above 0"),
        ("x=tag(log,range(1,9,2))", "has no steps"),
        ("x=tag(log,choice(1,2))", "only a range or an interval"),
        ("x=range(3,3)", "nothing to choose"),
    ],
)
def test_a_space_that_makes_no_sense_is_refused(word: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as refused:
        search_of([word], {}, floorplan())
    assert str(refused.value).startswith(word)


SWEEP = ("train", "-m", "name=mine", "sweeper=random", "eval_every=1,2", "threads=int(interval(1,1000))")


@pytest.fixture
def few_rooms(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """`train` with its own keys and hardly a room, which is composed in no time."""
    conf, whole = tmp_path_factory.mktemp("conf"), conf_folder()
    keys = (whole / "train.yaml").read_text().partition("\n\n")[2]
    chosen = {"launcher": "basic", "sweeper": "null", "paths": "default", "languages": "toy"}
    defaults = "".join(f"  - {room}: {option}\n" for room, option in chosen.items())
    (conf / "train.yaml").write_text(f"defaults:\n  - _self_\n{defaults}  - sweep: null\n\n{keys}")
    for room in chosen:
        shutil.copytree(whole / room, conf / room)
    (conf / "sweep").mkdir()
    text = "# @package _global_\nhydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n      eval_every: range(5,9)\n"
    (conf / "sweep" / "looks.yaml").write_text(text)
    monkeypatch.setenv("SONAR_SLT_CONF", str(conf))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["eval_every=interval(1,2)"], "has no end of values: add sweeper=tpe"),
        (["sweeper=tpe", "eval_every=3"], "has nothing to choose"),
        (["sweeper=tpe", "eval_every=1,2", "sweeper.n_trails=3"], "Did you mean sweeper.n_trials?"),
        (["sweeper=random", "eval_every=1,2", "sweeper.n_trials=0"], "sweeper.n_trials=0: expected a number from 1."),
        (["sweeper=random", "eval_every=1,2", "sweeper.study_name=../x"], "expected letters"),
    ],
)
def test_a_command_that_makes_no_sense_is_answered_in_a_sentence(
    few_rooms: None, command: Any, seen: Any, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert command("train", "-m", *words) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1 and seen == [] and not Path("outputs").exists()


def test_without_optuna_the_extra_is_named(
    few_rooms: None, command: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    monkeypatch.delitem(sys.modules, "sonar_slt.sweeper.study", raising=False)
    assert command("train", "-m", "sweeper=tpe", "eval_every=1,2") == 2
    told = capsys.readouterr().err
    assert told == "sweeper=tpe needs optuna, which is not installed: pip install 'sonar-slt[tune]'.\n"


def test_a_search_ends_with_a_command_and_goes_on(
    few_rooms: None, command: Any, seen: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def job(config: dict[str, Any]) -> float:
        if len(seen) == 2:
            raise RuntimeError("boom")
        return config["eval_every"] + float(config["threads"])

    assert command(*SWEEP, "sweeper.n_trials=3", job=job) == 1, "a job failed"
    out, err = capsys.readouterr()
    (study,) = (tmp_path / "outputs" / "studies").iterdir()
    assert "RuntimeError: boom" in err and "Trial 1: failed, RuntimeError: boom" in err
    best = max((one for one in (seen[0], seen[2])), key=job)
    chosen = f"eval_every={best['eval_every']} threads={best['threads']}"
    assert f"sonar-slt train name=mine {chosen}\n" in out
    rows = (study / "trials.csv").read_text().splitlines()
    assert len(rows) == 4 and rows[0] == "trial,value,eval_every,threads,run,reason"
    assert [config["asked"].job for config in seen] == [0, 1, 2]
    assert {config["asked"].sweep for config in seen} == {str(study.relative_to(tmp_path))}
    assert all("sweeper" not in " ".join(config["asked"].overrides) for config in seen)
    assert all(config["sweeper"] is None for config in seen), "its record is that of any run"
    statuses = [json.loads((study / "jobs" / f"{n}.json").read_text())["status"] for n in range(3)]
    assert statuses == ["finished", "failed", "finished"]

    assert command(*SWEEP, "sweeper.n_trials=3", job=job) == 0 and len(seen) == 3, "there are enough"
    assert command(*SWEEP, "sweeper.n_trials=4", job=job) == 0 and len(seen) == 4
    assert [study] == list((tmp_path / "outputs" / "studies").iterdir())
    named = "sweeper.study_name=" + study.name
    assert command(*SWEEP, "sweeper.n_trials=4", "conclude=test", named, job=job) == 2
    assert "asks something else: conclude was None and is test" in capsys.readouterr().err


def test_a_job_without_a_value_and_an_interrupt_end_the_search(
    few_rooms: None, command: Any, seen: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def stopped(config: dict[str, Any]) -> None:
        raise KeyboardInterrupt

    assert command(*SWEEP, "sweeper.n_trials=2", job=lambda config: None) == 2
    assert "sweeper.metric" in capsys.readouterr().err
    assert command(*SWEEP, "sweeper.n_trials=2", job=stopped) == 1
    values = [config["threads"] for config in seen]
    assert len(values) == 2 and values[0] == values[1], "tried again, as nothing was learned"


def test_a_named_sweep_may_be_the_space(
    few_rooms: None, command: Any, seen: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("train", "sweep=looks", "sweeper=tpe", "sweeper.n_trials=1", "name=looked")
    assert command(*words, job=lambda config: 1.0) == 0
    (config,) = seen
    assert config["eval_every"] in range(5, 9) and config["asked"].job == 0
    pasted = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("sonar-slt train"))
    assert shlex.split(pasted)[-2:] == [f"eval_every={config['eval_every']}", "hydra.mode=RUN"]


def test_another_figure_of_the_runs_can_be_searched_for(
    few_rooms: None, command: Any, seen: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from sonar_slt.cli.command.entries import note_run
    from sonar_slt.runs.record import Run

    def job(config: dict[str, Any]) -> None:
        facts = config.pop("asked").facts
        begun = Run.start(Path("outputs/runs"), verb="train", name="x", config=config, overrides=[], facts=facts)
        with begun as run:
            note_run(facts, run.folder)
            run.update(metrics={"misses": config["eval_every"]})

    asked = [*SWEEP, "sweeper.n_trials=2", "sweeper.seed=3", "sweeper.direction=minimize"]
    assert command(*asked, "sweeper.metric=misses", job=job) == 0
    out = capsys.readouterr().out
    assert f"Best: {min(config['eval_every'] for config in seen)}, trial" in out
    run = next(Path("outputs/runs").iterdir()).name
    assert run in "".join(path.read_text() for path in Path("outputs/studies").glob("*/trials.csv"))
    with pytest.raises(UserError, match=r"has no such figure\. Did you mean misses\?"):
        figure(Path("outputs/runs"), run, "mises")


def test_the_options_say_the_defaults_of_their_classes() -> None:
    for name, kind in (("tpe", Tpe), ("random", Random)):
        text = yaml.safe_load((conf_folder() / "sweeper" / f"{name}.yaml").read_text())
        assert text.pop("_target_") == f"{kind.__module__}.{kind.__name__}"
        assert kind.__init__.__kwdefaults__ == text  # type: ignore[misc]
