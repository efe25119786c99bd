"""Runs are chosen by what they are and what their configs say, sorted by what they reached, and written to files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sonar_slt.errors import UserError
from sonar_slt.runs.listing.export import write_listing
from sonar_slt.runs.listing.order import in_order
from sonar_slt.runs.listing.portrait import portrait
from sonar_slt.runs.listing.selection import Condition, Selection, moment
from sonar_slt.runs.record import Run
from sonar_slt.runs.registry import Record, all_runs


def made(root: Path, name: str, bleu: float | None, *, weight: float = 1.0, **facts: Any) -> Run:
    """A run with a config, a score if it has one, and further facts; a sweep of its own name if it has a job."""
    config = {"seed": 3, "objective": {"ce": {"weight": weight}, "mse": {"weight": 2.0}}, "view": None,
              "languages": {"targets": ["deu_Latn", "fra_Latn"]}, "space": {"folder": "a: b"},
              "floors": True}  # fmt: skip
    verb, parent = facts.pop("verb", "train"), facts.pop("parent", None)
    with Run.start(root, verb=verb, name=name, config=config, overrides=[], parent=parent, facts=facts) as run:
        if bleu is not None:
            ter = {"value": 100 - bleu, "signature": "s"}
            row = {"language": "deu_Latn", "seen": True, "bleu": {"value": bleu, "signature": "s"}, "ter": ter}
            run.update(metrics={"scores": [row]})
    return run


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four trainings and an evaluation, only to be read."""
    return filled(tmp_path_factory.mktemp("outputs"))


def filled(outputs: Path) -> Path:
    """A folder of runs."""
    root = outputs / "runs"
    sweep = str(outputs / "sweeps" / "2020-01-01_00-00-00-000001_sign")
    made(root, "sign", 20.0, choices={"data": "toy"}, sweep=sweep, job=0)
    made(root, "sign", 30.0, weight=0, choices={"data": "phoenix14t"}, sweep=sweep, job=1)
    best = made(root, "signal", 40.0, weight=0, choices={"data": "toy"})
    made(root, "sign", None, verb="evaluate", parent=best.folder.name)
    with pytest.raises(RuntimeError), Run.start(root, verb="train", name="broken", config={}, overrides=[]):
        raise RuntimeError("out of memory")
    return root


def names(root: Path, **asked: Any) -> list[str]:
    found = Selection(**asked).among(all_runs(root), root)
    return [f"{run.name}-{run.verb}-{run.facts.get('job', '')}" for run in found]


def where(*texts: str) -> Sequence[Condition]:
    return [Condition.read(text) for text in texts]


def test_runs_are_chosen_by_what_their_records_say(root: Path) -> None:
    assert len(names(root)) == 5
    assert names(root, status=["failed"]) == ["broken-train-"]
    assert names(root, verb=["evaluate"]) == ["sign-evaluate-"]
    assert names(root, name=["sign"], verb=["train"]) == ["sign-train-1", "sign-train-0"]
    assert len(names(root, name=["sign*", "broken"])) == 5
    assert names(root, swept="last") == names(root, swept="sign") == ["sign-train-1", "sign-train-0"]
    assert len(names(root, since=moment("1h"))) == 5 and names(root, since=moment("2999-01-01")) == []


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("objective.ce.weight=0", 2), ("objective.ce.weight=0.0", 2), ("objective.ce.weight!=0", 2),
        ("objective.ce.weight=1", 2), ("data=toy", 2), ("data!=toy", 1), ("view=null", 4), ("floors=true", 4),
        ("languages.targets=deu_Latn", 4), ("languages.targets=[deu_Latn,fra_Latn]", 4),
        ("languages.targets=eng_Latn", 0), ("space.folder=a*", 4), ("objective=mse", 4), ("objective=nce", 0),
        ("ce.weight=0", 0), ("weight=0", 0), ("seed=3", 4), ("seed=03", 4), ("seed=three", 0),
    ],
)  # fmt: skip
def test_runs_are_chosen_by_what_their_configs_say(root: Path, condition: str, found: int) -> None:
    assert len(names(root, where=where(condition))) == found


def test_a_config_is_read_only_of_a_run_that_fits_otherwise(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sonar_slt.runs.listing import selection

    read: list[str] = []
    original = selection._config
    monkeypatch.setattr(selection, "_config", lambda run: read.append(run.name) or original(run))
    assert len(names(root, name=["signal"], where=where("seed=3"))) == 1 and read == ["signal"]


def test_what_none_has_is_told_with_the_nearest(root: Path) -> None:
    runs = all_runs(root)
    assert "Did you mean signal?" in str(Selection(name=["signall"]).lacking(runs))
    assert "Did you mean evaluate?" in str(Selection(verb=["evalute"]).lacking(runs))
    told = Selection(where=where("objective.ce.wieght=0")).lacking(runs)
    assert told == "where=[objective.ce.wieght=…]: none of the runs has such a key. Did you mean objective.ce.weight?"
    assert Selection(where=where("seed=4")).lacking(runs) is None
    for text in ("seed", "=3", ""):
        with pytest.raises(UserError, match="expected key=value"):
            Condition.read(text)


def test_a_moment_is_an_age_or_a_date() -> None:
    now = datetime(2026, 5, 10, 12, tzinfo=datetime.now().astimezone().tzinfo)
    assert moment("2d", now) == now - timedelta(days=2) and moment("1.5h", now) == now - timedelta(minutes=90)
    assert moment("2026-05-01").astimezone().date().isoformat() == "2026-05-01"
    with pytest.raises(UserError, match=r"since=soon: .* 2d"):
        moment("soon")


def test_the_best_come_first_and_what_has_no_score_last(root: Path) -> None:
    runs = all_runs(root)

    def by(key: str, **how: bool) -> list[Any]:
        return [
            run.metrics["scores"][0]["bleu"]["value"] if run.metrics else None for run in in_order(runs, key, **how)
        ]

    assert by("bleu") == by("ter") == [40.0, 30.0, 20.0, None, None]
    assert by("bleu", reverse=True) == [20.0, 30.0, 40.0, None, None]
    assert [run.name for run in in_order(runs, "name")][:2] == ["broken", "sign"]
    assert in_order(runs, "started") == runs and in_order(runs, "started", reverse=True) == runs[::-1]
    with pytest.raises(UserError, match=r"sort=blue: .*Did you mean bleu"):
        in_order(runs, "blue")


def test_files_hold_every_figure(root: Path, tmp_path: Path) -> None:
    runs = in_order(all_runs(root), "bleu")
    write_listing(runs, tmp_path / "new" / "runs.json")
    write_listing(runs, tmp_path / "runs.csv")
    told = json.loads((tmp_path / "new" / "runs.json").read_text())
    assert told[0]["figures"]["ter"] == 60.0 and told[0]["name"] == "signal" and told[4]["figures"] == {}
    with (tmp_path / "runs.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["bleu"] for row in rows] == ["40.0", "30.0", "20.0", "", ""] and rows[0]["id"] == told[0]["id"]
    with pytest.raises(UserError, match=r"ends in \.json or \.csv"):
        write_listing(runs, tmp_path / "runs.txt")


def test_a_run_is_shown_with_its_kin_and_its_weights(tmp_path: Path) -> None:
    root = filled(tmp_path)
    best = next(run for run in all_runs(root) if run.name == "signal")
    again = made(root, "again", 10.0, rerun_of=best.folder.name, parent=best.folder.name)
    best.checkpoints.mkdir()
    (best.checkpoints / "last.ckpt").write_bytes(b"0" * 2_340_000)
    (best.checkpoints / "note.txt").touch()
    text = told(best, all_runs(root))
    child = next(run for run in all_runs(root) if run.verb == "evaluate")
    lines = {line.split()[0]: line for line in text.splitlines() if line.strip()}
    assert child.id in lines["children"] and again.id in lines["reruns"] and "2.3 MB" in lines["checkpoints"]
    assert "note.txt" not in text
    assert any(line.split()[:2] == ["parent", best.id] for line in told(child, all_runs(root)).splitlines())
    swept = next(run for run in all_runs(root) if run.facts.get("job") == 1)
    assert "000001_sign, job 1" in told(swept, all_runs(root))
    assert "not here any more" in told(child, [])


def told(run: Record, everything: Sequence[Record]) -> str:
    stream = io.StringIO()
    Console(width=140, file=stream, highlight=False).print(portrait(run, everything))
    return stream.getvalue()
