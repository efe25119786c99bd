"""Every command in the README and in docs/ is one that the command line understands."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sonar_slt.cli import main
from sonar_slt.cli.command.arguments import overrides, separate
from sonar_slt.cli.command.asked import Asked
from sonar_slt.cli.command.entries import note_run
from sonar_slt.config.compose import examine, floorplan
from sonar_slt.config.location import verbs
from sonar_slt.runs.record import Run
from sonar_slt.runs.registry import all_runs

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md")), *sorted((ROOT / "experiments").glob("**/*.md"))]
PAGES.remove(ROOT / "docs" / "add-your-own.md")  # its commands want its files: tests/test_add_your_own.py has both
CODE = re.compile(r"^```\w*\n(.*?)^```|((?:^ {4}\S.*\n(?:^ {4}.*\n)*)+)", re.MULTILINE | re.DOTALL)
REPEATED = ("rerun",)
"""Verbs whose words are those of another verb, which the run that they name decides."""


def commands(page: Path) -> Iterator[str]:
    """The commands of a page's code blocks, each in one line; what stands before `sonar-slt` is the shell's."""
    for fenced, indented in CODE.findall(page.read_text(encoding="utf-8")):
        for line in (fenced or indented).replace("\\\n", " ").splitlines():
            if (found := re.search(r"(?:^|\s)sonar-slt (.*)", line)) and not re.match(r"\s*(#|pip |hf )", line):
                yield found[1].strip()


def found() -> dict[str, str]:
    """Each command with the first page that has it."""
    return {line: page.relative_to(ROOT).as_posix() for page in reversed(PAGES) for line in commands(page)}


def test_the_pages_have_commands() -> None:
    assert {"README.md", "docs/start.md", "docs/sweeps.md", "docs/clusters.md", "docs/score.md"} <= set(
        found().values()
    )
    assert len(found()) > 100


@pytest.mark.conf
@pytest.mark.parametrize("line", found())
def test_a_documented_command_is_understood(line: str) -> None:
    words = shlex.split(re.split(r"\s(?:\||&&|>|2>)\s", line)[0], comments=True)
    if not words or words[0].startswith("-"):
        return
    verb, *rest = words
    assert verb in verbs(), line
    arguments = separate(verb, [word.replace("…", "") for word in rest if word not in ("…", "...")])
    if verb in REPEATED or arguments.help or "VERB" in line:
        return
    problems = examine(verb, overrides(verb, arguments, floorplan()), multirun=arguments.multirun).problems
    assert not problems, (line, problems)


ELSEWHERE = ("launcher=", "debug=", "significance=")
"""Commands that start processes, or need a real training: the tests of launchers, presets and `diff` run such ones."""


def cheap(config: dict[str, Any], asked: Asked) -> float:
    """A training or an evaluation that leaves a run with scores and does nothing else."""
    value = 10.0 * float(config.get("seed", 1))
    score = {"value": value, "signature": "nrefs:1", "interval": [value - 1, value + 1]}
    entry = {"bleu": score, "chrf": score, "n": 5, "ids_hash": "a", "references": "human"}
    codes = (("deu_Latn", True), ("eng_Latn", True), ("tur_Latn", False))
    with Run.start(
        Path(config["paths"]["runs"]),
        verb="train" if "objective" in config else "evaluate",
        name=str(config.get("name", "sign")),
        config=config,
        overrides=asked.overrides,
        facts=asked.facts,
    ) as current:
        note_run(asked.facts, current.folder)
        current.log("dev", 1, {"loss": 1 / value})
        scores = [{"language": code, "name": code, "seen": seen, **entry} for code, seen in codes]
        current.update(metrics={"scores": scores, "mean_bleu": {"trained": value}, "retrieval_at_1": value})
    return value


@pytest.mark.smoke
def test_the_commands_about_sweeps_run_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sonar_slt.cli.train.run", cheap)
    monkeypatch.setattr("sonar_slt.cli.evaluate.run", cheap)
    monkeypatch.setattr(sys, "argv", ["sonar-slt"])
    ran = 0
    compared = ["train", "-m", "objective=[mse],[mse,ce]", "seed=1,2"]  # what the page's table is of
    for line in (line for page in ("sweeps.md", "runs.md") for line in commands(ROOT / "docs" / page)):
        if any(word in line for word in ELSEWHERE) or "outputs/debug" in line:
            continue
        known = [run.id for run in all_runs(Path("outputs/runs")) if run.verb == "train"]
        if "3f2a" in line:
            line = line.replace("3f2a", known[0]).replace("99cb", known[-1])
        words = shlex.split(line.replace("n_trials=30", "n_trials=2"), comments=True)
        if words[0] == "table" and compared:
            assert main(compared) == 0
            compared = []
        assert main(words) == 0, line
        ran += 1
    assert ran >= 20
    assert all(Path(name).is_file() for name in ("sweep.csv", "sweep.svg", "difference.json"))
