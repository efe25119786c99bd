"""The table of a study says what the runs say, and no study asks for an arm that its command does not train."""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser

from sonar_slt.config.compose import plain
from sonar_slt.config.location import conf_folder
from sonar_slt.errors import UserError
from sonar_slt.runs.provenance.identity import identity

HOME = Path(__file__).parents[2] / "experiments"
sys.path.append(str(HOME))
import evidence  # noqa: E402
import figure  # noqa: E402
import study  # noqa: E402

NAMES = sorted(path.parent.name for path in HOME.glob("*/study.yaml"))
REFERENCE = "Am Montag gibt es im Norden Regen."
QUESTION: dict[str, Any] = {
    "question": "Is one better?",
    "command": "sonar-slt train experiment=study/halves",
    "seeds": [1, 2],
    "languages": {"trained": ["deu_Latn"], "unseen": ["tur_Latn"]},
    "against": "plain",
    "arms": {"plain": {"words": ["student=lora"]}, "bold": {"words": ["student=frozen"]}},
}


def a_study(home: Path, **changes: Any) -> None:
    (home / "halves").mkdir(parents=True, exist_ok=True)
    (home / "halves" / "study.yaml").write_text(yaml.safe_dump({**QUESTION, **changes}, sort_keys=False))


def a_run(
    root: Path, words: list[str], seed: int, right: int, *, bleu: float = 50.0, name: str = "halves", **facts: Any
) -> Path:
    """A finished run of 40 clips, of which the first ``right`` are translated without fault."""
    folder = root / f"2026-01-01_00-00-00-{len(list(root.glob('*'))):06d}_{name}_00000000"
    (folder / "hypotheses").mkdir(parents=True)
    (folder / "overrides.yaml").write_text(yaml.safe_dump([*words, f"seed={seed}", "experiment=study/halves"]))
    scores = []
    for code, value, seen in (("deu_Latn", bleu, True), ("tur_Latn", bleu / 2, False)):
        lines = [
            {"id": f"clip-{i}", "hypothesis": REFERENCE if i < right else "Nein.", "references": [REFERENCE]}
            for i in range(40)
        ]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / "hypotheses" / f"test.{code}.jsonl").write_text(text)
        anchored = seen or code in facts.get("anchors", ())
        scores.append({"language": code, "seen": seen, "anchored": anchored, "bleu": {"value": value}, "n": 40})
    record = {
        "id": "00000000", "verb": "train", "name": name, "status": "finished", "started": "2026-01-01T00:00:00+00:00",
        "seed": seed, "lock_hash": "aaaa", "code": "bbbb", "manifest_hash": "cccc", "space_fingerprint": "dddd",
        "git": {"sha": "eeee", "dirty": False},
        "metrics": {"split": "test", "scores": scores, "retrieval_at_1": 90.0 + seed},
    }  # fmt: skip
    (folder / "record.json").write_text(json.dumps({**record, **facts}))
    return folder


def read(home: Path, runs: Path, *words: str) -> int:
    return study.main(["halves", str(runs), *words], home)


def cells(home: Path, arm: str) -> list[str]:
    rows = (home / "halves" / "table.md").read_text().splitlines()
    return next([cell.strip() for cell in row.split("|")[1:-1]] for row in rows if row.startswith(f"| {arm} |"))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    a_study(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """The bold arm translates ten clips more, of the same forty, with either seed."""
    root = tmp_path / "runs"
    for seed in (1, 2):
        a_run(root, ["student=lora"], seed, right=20, bleu=40.0 + 2 * seed)
        a_run(root, ["student=frozen"], seed, right=30, bleu=60.0)
    return root


def test_the_figures_of_an_arm(home: Path, runs: Path) -> None:
    assert read(home, runs) == 0
    assert cells(home, "plain")[1:5] == ["2", "43.0 ± 1.4", "21.5 ± 0.7", "91.5 ± 0.7"]
    assert cells(home, "plain")[5:] == [""] * 6
    assert cells(home, "bold")[1:4] == ["2", "60.0 ± 0.0", "30.0 ± 0.0"]
    stands = (home / "halves" / "table.md").read_text()
    assert "lock aaaa; code bbbb; corpus cccc; space dddd; commit eeee" in stands and "40 clips" in stands


def test_an_interval_excludes_zero_where_the_difference_is_real(home: Path, runs: Path) -> None:
    read(home, runs)
    found = evidence.collect(evidence.study_of("halves", home), runs, home)
    wrong = evidence.sentence_scores(found["plain"][1].folder, ("deu_Latn",))["clip-39"]
    mean, low, high = evidence.difference(found["bold"], found["plain"], "trained")
    assert mean == pytest.approx((100 - wrong) / 4)
    assert 0 < low < mean < high < 2 * mean
    assert cells(home, "bold")[5:8] == [f"{mean:+.1f}", f"{low:+.1f} to {high:+.1f}", "yes"]


def test_an_interval_includes_zero_where_seeds_disagree(tmp_path: Path, home: Path) -> None:
    """One seed better by ten clips, the other worse by as many: no resample of clips alone would say so."""
    for seed, right in ((1, 30), (2, 10)):
        a_run(tmp_path / "runs", ["student=lora"], seed, right=20)
        a_run(tmp_path / "runs", ["student=frozen"], seed, right=right)
    read(home, tmp_path / "runs")
    assert cells(home, "bold")[7] == "no"
    found = evidence.collect(evidence.study_of("halves", home), tmp_path / "runs", home)
    mean, low, high = evidence.difference(found["bold"], found["plain"], "trained")
    assert mean == pytest.approx(0) and low < -10 and high > 10


def test_the_newest_run_counts_and_a_shortened_one_does_not(home: Path, runs: Path) -> None:
    a_run(runs, ["student=frozen"], 1, right=30, bleu=70.0)
    a_run(runs, ["student=frozen", "trainer.max_steps=5"], 2, right=30, bleu=10.0)
    a_run(runs, ["student=frozen"], 2, right=30, bleu=10.0, status="failed")
    a_run(runs, ["student=frozen", "paths.outputs=/elsewhere"], 2, right=30, bleu=80.0)
    read(home, runs)
    assert cells(home, "bold")[2] == "75.0 ± 7.1"


def test_what_is_missing_or_mixed_is_said(home: Path, runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a_study(home, arms={**QUESTION["arms"], "shy": {"words": ["student=none"]}}, seeds=[1, 2, 3])
    a_run(runs, ["student=lora"], 3, right=20, manifest_hash="another", init_from="an earlier one")
    read(home, runs)
    said = capsys.readouterr().out
    assert "Missing: shy, seed 1, 2, 3." in said and "Missing: bold, seed 3." in said and "Missing: plain" not in said
    assert "Mixed: the runs of plain are of more than one corpus." in said and "Mixed: the runs of bold" not in said
    assert cells(home, "shy")[1] == "0: missing" and "Begun with the weights of an earlier one." in said


def test_what_ae_has_heard_stands_in_a_column_of_its_own(home: Path, runs: Path) -> None:
    for seed in (1, 2):
        a_run(runs, ["student=frozen"], seed, right=30, bleu=60.0, anchors=["tur_Latn"])
    read(home, runs)
    head = (home / "halves" / "table.md").read_text().splitlines()[0]
    assert "BLEU unseen | BLEU unseen, heard by ae" in head
    assert cells(home, "bold")[3:5] == ["", "30.0 ± 0.0"] and cells(home, "plain")[3:5] == ["21.5 ± 0.7", ""]


def test_runs_of_the_same_training_in_another_study_count(home: Path, runs: Path) -> None:
    elsewhere = {**QUESTION, "arms": {"whole": {"words": ["view=all"]}}, "against": "whole"}
    (home / "other").mkdir()
    (home / "other" / "study.yaml").write_text(yaml.safe_dump(elsewhere))
    a_study(home, arms={**QUESTION["arms"], "lent": {"same_as": {"other": "whole"}}})
    a_run(runs, ["view=all"], 1, right=40, bleu=33.0, name="other")
    read(home, runs)
    assert cells(home, "lent")[1:3] == ["1", "33.0"]


def test_a_check_compares_reruns_with_what_is_frozen(
    home: Path, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    read(home, runs)
    assert read(home, runs, "--check") == 1 and "Nothing to compare." in capsys.readouterr().out
    a_run(runs, ["student=frozen"], 1, right=30, bleu=60.05)
    assert read(home, runs, "--check") == 0
    assert "of 2 figures: 0.050 (bold, seed 1, trained)" in capsys.readouterr().out
    a_run(runs, ["student=lora"], 2, right=20, bleu=44.3, lock_hash="other")
    assert read(home, runs, "--check") == 1
    said = capsys.readouterr().out
    assert "0.300 (plain, seed 2, trained)" in said and "Of another lock than the frozen one: plain, seed 2." in said


def test_wrong_input_is_told(home: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"No study 'quarters'.*expected one of halves"):
        evidence.study_of("quarters", home)
    with pytest.raises(UserError, match="No finished run of halves"):
        read(home, tmp_path)
    a_study(home, against="nobody")
    with pytest.raises(UserError, match="no arm is called nobody"):
        evidence.study_of("halves", home)


def test_a_curve_stands_in_the_order_of_its_axis(home: Path, runs: Path) -> None:
    arms = {"bold": {"words": ["student=frozen"], "at": 300}, "plain": {"words": ["student=lora"], "at": 100}}
    a_study(home, arms=arms, axis="clips <all>")
    read(home, runs)
    drawn = (home / "halves" / "plot.svg").read_text()
    assert drawn.index(">100<") < drawn.index(">300<") and "clips &lt;all&gt;" in drawn
    assert drawn.count("<polyline") == 2 and drawn.count("<circle") == 8
    with_bars = figure.bars({"a": {"x": [50.0]}}, {"a": {"x": (1.0, -1.0, 3.0)}}, columns=["x"])
    assert 'width="160.0"' in with_bars


def jobs(name: str) -> list[list[str]]:
    """The words of every job that the lines of the study's command train, as a run's overrides.yaml has them."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

    text = (conf_folder() / "experiment" / "study" / f"{name}.yaml").read_text(encoding="utf-8")
    params = yaml.safe_load(text)["hydra"]["sweeper"]["params"]
    found = []
    for line in evidence.study_of(name).command.splitlines():
        typed = line.split()[2:]
        decided = {word.partition("=")[0] for word in typed}
        swept = [f"{key}={value}" for key, value in params.items() if key not in decided]
        (batch,) = BasicSweeper.split_arguments(OverridesParser.create().parse_overrides([*swept, *typed]), None)
        found += [list(job) for job in batch]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_arm_is_trained_by_the_command_of_its_study(name: str) -> None:
    asked = evidence.study_of(name)
    trained = [(evidence.arm_of(asked, job), job) for job in jobs(name)]
    assert all(arm is not None for arm, _ in trained), "a job that no arm names"
    for arm in asked.arms.values():
        seeds = [word for own, job in trained if own == arm for word in job if word.startswith("seed=")]
        assert sorted(seeds) == [f"seed={seed}" for seed in asked.seeds if arm.words]
        assert arm.words or arm.same_as
        assert arm.at is not None or asked.axis is None


@cache
def work(name: str, title: str) -> str:
    """What a run of an arm computes."""
    words = evidence.study_of(name).arms[title].words
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        return identity("train", plain(compose("train", [f"experiment=study/{name}", *words])))


SAME = [(name, arm.title) for name in NAMES for arm in evidence.study_of(name).arms.values() if arm.same_as]


@pytest.mark.parametrize(("name", "title"), SAME)
def test_an_arm_that_is_said_to_be_the_same_training_elsewhere_is(name: str, title: str) -> None:
    arm = evidence.study_of(name).arms[title]
    others = {work(*other) for other in arm.same_as}
    assert len(others | ({work(name, title)} if arm.words else set())) == 1


def test_every_study_of_the_conf_folder_has_its_question() -> None:
    sweeps = {path.stem for path in (conf_folder() / "experiment" / "study").glob("*.yaml")} - {"toy"}
    assert sweeps == set(NAMES)
    assert all((HOME / name / "README.md").is_file() for name in NAMES)
