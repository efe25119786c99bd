"""Verbs as Hydra apps: what they are given, how they end, what is refused."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from sonar_slt.config import permission
from sonar_slt.errors import UserError

pytestmark = pytest.mark.conf


def test_a_verb_is_given_plain_values_and_the_call(command: Any, seen: Any, tmp_path: Path) -> None:
    assert command("train", "seed=3", "name=mine") == 0
    (config,) = seen
    assert config["seed"] == 3 and type(config["paths"]) is dict and config["logger"] is None
    assert config["asked"].overrides == ["seed=3", "name=mine", "adapter=keypoint"]
    assert (config["asked"].sweep, config["asked"].job) == (None, None)
    assert config["asked"].choices["adapter"] == "keypoint"
    assert list(tmp_path.iterdir()) == [], "the run makes its own folder, Hydra none"
    assert sys.argv == ["sonar-slt"] and "HYDRA_FULL_ERROR" not in os.environ


NASTY = [
    "clip.mp4",
    "a b,c.mp4",
    "it's.mp4",
    'say "hi".mp4',
    "back\\slash\\",
    "\\'",
    "key=value.mp4",
    "-begins.mp4",
    "--multirun",
    "${oc.env:HOME}",
    "\\${x}",
    "\\\\${x}",
    "$HOME",
    "[a,b]",
    "{a:b}",
    "null",
    "true",
    "12e5",
    "0012",
    "~home",
    "+plus",
    "a#b",
    "Ünïcode 手.mp4",
    "tab\there",
    "glob(*)",
    "",
    "@x",
    "a:b",
    "(",
    "%%",
]


def test_inputs_may_hold_anything(command: Any, seen: Any) -> None:
    assert command("evaluate", "seed=2", "--", *NASTY) == 0
    assert seen[0]["inputs"] == NASTY and seen[0]["seed"] == 2


@pytest.mark.parametrize("text", NASTY)
def test_each_input_alone_and_in_a_sweep(command: Any, seen: Any, text: str) -> None:
    assert command("runs", "-m", "limit=1,2", "--", text) == 0  # of all verbs the one with the smallest config
    assert [config["inputs"] for config in seen] == [[text], [text]]


def test_words_without_a_key_are_inputs_wherever_they_stand(command: Any, seen: Any) -> None:
    assert command("evaluate", "first,one.mp4", "seed=2", "second one.mp4") == 0
    assert seen[0]["inputs"] == ["first,one.mp4", "second one.mp4"]
    assert command("evaluate", "inputs=only.mp4") == 0 and seen[1]["inputs"] == ["only.mp4"]
    assert command("evaluate", "inputs=[a,b]", "c") == 2
    assert command("train", "seed") == 2


def test_languages_by_code_or_list_or_name(command: Any, seen: Any) -> None:
    for word in ("languages=deu_Latn", "languages=[deu_Latn]", "languages.targets=[deu_Latn]"):
        assert command("train", word) == 0
        assert command("evaluate", word) == 0
    assert all(config["languages"]["targets"] == ["deu_Latn"] for config in seen)
    assert command("train", "languages=toy") == 0 and len(seen[-1]["languages"]["targets"]) == 4
    seen.clear()
    assert command("train", "-m", "languages=deu_Latn,eng_Latn") == 0
    assert command("train", "-m", "languages=[deu_Latn],[eng_Latn,fra_Latn]") == 0
    found = [config["languages"]["targets"] for config in seen]
    assert found == [["deu_Latn"], ["eng_Latn"], ["deu_Latn"], ["eng_Latn", "fra_Latn"]]


def test_codes_with_commas_alone_are_no_list(command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("train", "languages=deu_Latn,eng_Latn") == 2
    assert "write languages=[deu_Latn,eng_Latn] for several" in capsys.readouterr().err


def test_ids_that_look_like_numbers_stay_text(command: Any, seen: Any) -> None:
    assert command("train", "resume=12e5", "name=0012") == 0
    assert (seen[0]["resume"], seen[0]["name"]) == ("12e5", "0012")


def test_conditions_and_sweeps_are_written_out_for_hydra(command: Any, seen: Any) -> None:
    words = (
        "where=[objective.ce.weight=0,data!=toy,languages.targets=[a,b]]",
        "sweep=last",
        "status=failed",
        "name=12",
    )
    assert command("runs", *words) == 0
    assert seen[0]["where"] == ["objective.ce.weight=0", "data!=toy", "languages.targets=[a,b]"]
    assert (seen[0]["swept"], seen[0]["status"], seen[0]["name"]) == ("last", ["failed"], ["12"])
    assert command("runs", "where=view=null", "limit=null", "since=2d") == 0
    assert (seen[1]["where"], seen[1]["limit"], seen[1]["since"]) == (["view=null"], None, "2d")


def test_values_that_cannot_be_are_told_at_once(command: Any, seen: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("evaluate", "split=tset", "num_beams=0", "languages=[deu_Lat,tur_Latn]", "metrics=[bleu]") == 2
    said = capsys.readouterr().err
    assert "split expects one of train, dev, test, got 'tset'. Did you mean test?" in said
    assert "num_beams expects a whole number from 1 on, got 0." in said
    assert "got [deu_Lat,tur_Latn]. Did you mean deu_Latn (German)?" in said
    assert command("runs", "status=[faild,killed]") == 2
    assert "got [faild,killed]. Did you mean failed?" in capsys.readouterr().err
    assert command("evaluate", "metrics=null") == command("train", "metrics=null") == 2
    told = capsys.readouterr().err
    assert "metrics=[] leaves none" in told and "train has no room metrics" in told
    assert command("evaluate", "languages=deu_Lat") == 2 and "Did you mean deu_Latn?" in capsys.readouterr().err
    assert seen == []


def test_a_room_can_be_emptied(command: Any, seen: Any) -> None:
    assert command("train", "student=null", "experiment=null") == 0
    assert seen[0]["student"] is None


def test_a_wrong_word_ends_with_2_and_a_line_each(command: Any, seen: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("train", "adapter=keypont", "++sed=1") == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2 and seen == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trian"], "Unknown verb trian. Did you mean train?"),
        (["train", "--multrun"], "Unknown option --multrun. Did you mean --multirun?"),
        (["train", "-x"], "comes after --"),
        (["train", "--experimental-rerun", "x"], "would load a pickle"),
        (["train", "--experimental-rer=x"], "Unknown option"),
        (["train", "--config-path", "x"], "SONAR_SLT_CONF"),
        (["train", "-cn", "x"], "not offered"),
        (["train", "--config-dir"], "needs a value"),
        (["train", "--config-dir", "nowhere"], "is no folder"),
        (["train", "--cfg", "everything"], "expected job, hydra or all"),
        (["-sc", "what"], "install=SHELL"),
    ],
)
def test_what_is_refused(command: Any, capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    assert command(*words) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def failing(error: BaseException) -> Any:
    def job(config: dict[str, Any]) -> None:
        raise error

    return job


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UserError("The space lacks xyz_Latn."), 2, "The space lacks xyz_Latn.\n"),
        (KeyboardInterrupt(), 1, "Interrupted.\n"),
        (OSError(errno.ENOSPC, "No space left on device", "/big"), 1, "The disk is full (/big): make room"),
        (RuntimeError("PytorchStreamWriter failed writing file data/0"), 1, "The disk is full: make room"),
    ],
)
def test_an_error_that_has_a_sentence(
    command: Any, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, said: str
) -> None:
    assert command("train", "adapter=keypoint", job=failing(error)) == code
    told = capsys.readouterr().err
    assert told.startswith(said) and told.count("\n") == 1


def test_a_fault_of_ours_keeps_its_traceback(command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("train", job=failing(RuntimeError("boom"))) == 1
    told = capsys.readouterr().err
    assert "Traceback" in told and "RuntimeError: boom" in told


def test_a_sweep_runs_each_job_and_keeps_its_plan(command: Any, seen: Any, tmp_path: Path) -> None:
    assert command("train", "-m", "seed=1,2", "view=all,no_face") == 0
    assert [(config["seed"], config["view"]["_target_"][-6:]) for config in seen] == [
        (1, "ew.All"),
        (1, "NoFace"),
        (2, "ew.All"),
        (2, "NoFace"),
    ]
    assert [config["asked"].job for config in seen] == [0, 1, 2, 3]
    (sweep,) = (tmp_path / "outputs" / "sweeps").iterdir()
    assert {config["asked"].sweep for config in seen} == {str(sweep.relative_to(tmp_path))}
    assert sorted(path.name for path in sweep.iterdir()) == ["jobs", "multirun.yaml"]


def test_sweeps_started_together_share_no_folder(command: Any, seen: Any) -> None:
    for _ in range(3):
        assert command("runs", "-m", "inputs=[a],[b]") == 0
    assert len({config["asked"].sweep for config in seen}) == 3


def test_a_failing_job_stops_no_other(command: Any, seen: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def job(config: dict[str, Any]) -> None:
        if config["seed"] == 1:
            raise RuntimeError("boom")

    assert command("train", "-m", "seed=1,2,3", job=job) == 1
    assert [config["seed"] for config in seen] == [1, 2, 3]
    told = capsys.readouterr().err
    assert "RuntimeError: boom" in told and told.endswith("1 of 3 jobs failed.\n")


def test_a_sweep_of_wrong_inputs_ends_with_2(command: Any) -> None:
    assert command("train", "-m", "seed=1,2", job=failing(UserError("No."))) == 2


def test_an_interrupt_stops_a_sweep(command: Any, seen: Any) -> None:
    assert command("train", "-m", "seed=1,2", job=failing(KeyboardInterrupt())) == 1
    assert len(seen) == 1


def test_a_sweep_may_lie_in_a_yaml(command: Any, seen: Any, tmp_path: Path) -> None:
    (tmp_path / "own" / "experiment").mkdir(parents=True)
    text = "# @package _global_\nhydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n      seed: range(2)\n"
    (tmp_path / "own" / "experiment" / "seeds.yaml").write_text(text)
    assert command("train", "experiment=seeds", "--config-dir", "own", "name=x") == 0
    assert [config["seed"] for config in seen] == [0, 1]


def test_options_may_stand_anywhere(command: Any, seen: Any) -> None:
    assert command("train", "name=x", "-m", "seed=1,2") == 0
    assert len(seen) == 2


def test_allow_reaches_the_builder(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permission, "_named", set())
    assert command("train", "allow=visitors") == 0
    assert permission.permitted() == {"visitors"}


def test_the_config_can_be_looked_at(command: Any, seen: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("train", "--cfg", "job", "--resolve", "seed=5") == 0
    assert "seed: 5" in capsys.readouterr().out
    assert command("train", "--info", "defaults") == 0
    assert "adapter/auto" in capsys.readouterr().out
    assert command("train", "-c", "job", "sed=5") == 2
    assert seen == []
