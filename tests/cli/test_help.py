"""Help, completion, version; and that all of it, and a typo's answer, is quick and without torch."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sonar_slt.config.location import PACKAGE, conf_folder, verbs

pytestmark = pytest.mark.conf

BOUND = 0.8  # seconds; the promise to users


def test_the_overview_has_a_line_for_each_verb(command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["--help"], ["-h"]):
        assert command(*words) == 0
        lines = capsys.readouterr().out.splitlines()
        for verb in verbs():
            assert any(line.split()[:1] == [verb] and len(line.split()) > 3 for line in lines)
    assert {"train", "evaluate", "demo", "check", "runs"} <= set(verbs())


@pytest.mark.parametrize("verb", verbs())
def test_a_page_shows_rooms_options_keys_and_examples(
    command: Any, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    assert command(verb, "--help") == 0
    page = capsys.readouterr().out
    assert f"sonar-slt {verb}" in page.partition("Examples")[2]
    assert "Keys" in page and "Options" in page
    if verb == "train":
        assert "* auto" in page and "keypoint" in page and "text_space" in page and "seed=" in page
        assert page.partition("Examples")[2].count("sonar-slt train") >= 3


def test_a_page_shows_the_users_own_options(command: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "experiment" / "folder").mkdir(parents=True)
    (tmp_path / "experiment" / "mine.yaml").write_text("# @package _global_\n# What I try.\nseed: 3\n")
    (tmp_path / "experiment" / "folder" / "deep.yaml").write_text("# @package _global_\n# More of it.\nseed: 4\n")
    assert command("train", "--help", "--config-dir", str(tmp_path)) == 0
    page = capsys.readouterr().out
    assert "mine" in page and "What I try." in page
    lines = [line.split() for line in page.splitlines()]
    assert lines.index(["folder/"]) < lines.index(["folder/deep", "More", "of", "it."])


def test_the_shell_is_told_verbs_rooms_and_options(
    command: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command("-sc", "install=bash") == 0
    assert capsys.readouterr().out.rstrip().endswith("hydra_bash_completion sonar-slt")
    for line, answer in {
        "sonar-slt ": "train",
        "sonar-slt tr": "train",
        "sonar-slt train adap": "adapter=",
        "sonar-slt train adapter=": "adapter=keypoint",
        "sonar-slt train adapter=spamo pooling@adapter.pooling=m": "pooling@adapter.pooling=mean",
        "sonar-slt train experiment=pa": "experiment=paper/csl_mono",
        "sonar-slt train seed=3 experiment=paper/phoenix_mo": "experiment=paper/phoenix_mono",
        "sonar-slt train trainer.max_st": "trainer.max_steps=",
    }.items():
        monkeypatch.setenv("COMP_LINE", line)
        assert command("-sc", "query=bash") == 0
        assert answer in capsys.readouterr().out.split()


def test_the_shell_is_told_runs_sweeps_and_choices(
    command: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "outputs" / "runs" / "2026-01-01_00-00-00-000001_toy_3f2a9c01").mkdir(parents=True)
    (tmp_path / "outputs" / "sweeps" / "2026-01-01_00-00-00-000001_rates").mkdir(parents=True)
    (tmp_path / "mine" / "2026-01-02_00-00-00-000001_toy_3faaaaaa").mkdir(parents=True)
    for line, answer in {
        "sonar-slt evaluate run=3f": ["run=3f2a9c01"],
        "sonar-slt evaluate paths.runs=mine run=3f": ["run=3faaaaaa"],
        "sonar-slt train resume=": ["resume=last", "resume=3f2a9c01"],
        "sonar-slt runs show ": ["last", "3f2a9c01"],
        "sonar-slt runs sh": ["show"],
        "sonar-slt rerun 3": ["3f2a9c01"],
        "sonar-slt runs sweep=2": ["sweep=2026-01-01_00-00-00-000001_rates"],
        "sonar-slt runs status=f": ["status=finished", "status=failed"],
        "sonar-slt evaluate metrics=[bleu,chrf_": ["metrics=[bleu,chrf_pp"],
        "sonar-slt evaluate lang": ["languages."],
        "sonar-slt train --multi": ["--multirun"],
        "sonar-slt nothing ": [],
    }.items():
        monkeypatch.setenv("COMP_LINE", line)
        assert command("-sc", "query=bash") == 0
        assert capsys.readouterr().out.split() == answer, line


@pytest.mark.parametrize("verb", verbs())
def test_a_page_fits_a_narrow_terminal(
    command: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert command(verb, "--help") == 0
    page, _, examples = capsys.readouterr().out.partition("\nExamples\n")
    assert [line for line in page.splitlines() if len(line) > 80] == []
    assert examples.count(f"sonar-slt {verb}") >= (2 if verb == "demo" else 3)


FAST = {
    "overview": (["--help"], 0),
    "page": (["train", "--help"], 0),
    "version": (["--version"], 0),
    "key": (["train", "objective.mze.weight=1"], 2),
    "option": (["train", "adapter=keypont"], 2),
    "many": (["train", "adapter=keypont", "++trainer.max_stps=3", "sed=1", "seed=a"], 2),
    "verb": (["trian"], 2),
    "config": (["train", "--cfg", "job"], 0),
}


def test_answers_come_without_torch() -> None:
    """One process gives them all, and has nothing heavy in the end."""
    heavy = ("torch", "transformers", "pytorch_lightning", "numpy", "wandb")
    lines = [
        "import sys",
        "from sonar_slt.cli import main",
        "codes = []",
        f"for words in {[words for words, _ in FAST.values()]!r}:",
        "    sys.argv = ['sonar-slt', *words]",
        "    codes.append(main())",
        f"print(codes, [name for name in {heavy!r} if name in sys.modules])",
    ]
    last = run(["-c", "\n".join(lines)]).stdout.splitlines()[-1]
    assert last == f"{[code for _, code in FAST.values()]} []"


TIMES = 3
"""On a machine that takes longer than BOUND: so many times what Hydra itself takes there for the same config."""


@pytest.mark.parametrize("name", FAST)
def test_an_answer_comes_in_time(name: str) -> None:
    words, code = FAST[name]
    seconds = []
    for _ in range(5):  # the best of a few counts, in processor time: other tests keep the machine busy
        begun = spent()
        done = run(["-m", "sonar_slt", *words])
        seconds.append(spent() - begun)
        assert done.returncode == code and "Traceback" not in done.stderr
        if seconds[-1] <= BOUND or seconds[-1] <= TIMES * least():
            return
    raise AssertionError(f"{min(seconds):.2f} s, where Hydra itself takes {least():.2f} s")


@cache
def least() -> float:
    """Processor seconds that Hydra takes here to import and to compose `train`, with no check of ours."""
    lines = [
        "from hydra import compose, initialize_config_dir",
        f"with initialize_config_dir({str(conf_folder())!r}, version_base='1.3'):",
        "    compose('train')",
    ]
    seconds = []
    for _ in range(3):
        begun = spent()
        assert run(["-c", "\n".join(lines)]).returncode == 0
        seconds.append(spent() - begun)
    return min(seconds)


def spent() -> float:
    """Processor seconds of all ended children of this process."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(words: list[str]) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    command = [sys.executable, *words]
    return subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)
