"""Two runs side by side: on the screen, for machines, and by paired tests where they are asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sonar_slt.cli import main
from sonar_slt.config.location import PACKAGE
from sonar_slt.runs.record import Run
from sonar_slt.runs.registry import Record, read

pytestmark = pytest.mark.conf

SENTENCES = [
    f"am {day} regnet es im {place}" for day in ("Montag", "Dienstag") for place in ("Norden", "Süden", "Osten")
]


def recorded(root: Path, config: dict[str, Any], wrong: int, *, ids: str = "test", **facts: Any) -> Record:
    """An evaluation that says so many sentences wrongly."""
    with Run.start(root, verb="evaluate", name="x", config=config, overrides=[]) as run:
        (run.folder / "hypotheses").mkdir()
        lines = [
            {"id": f"{ids}-{n}", "hypothesis": "schnee" if n < wrong else said, "references": [said]}
            for n, said in enumerate(SENTENCES)
        ]
        file = run.folder / "hypotheses" / "test.deu_Latn.jsonl"
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        value = 100.0 - 10 * wrong
        bleu = {"value": value, "signature": "s", "interval": [value - 6, value + 6]}
        row = {"language": "deu_Latn", "seen": True, "bleu": bleu, "ids_hash": ids}
        run.update(metrics={"split": "test", "scores": [row], "retrieval_at_1": value}, **facts)
    return read(run.folder)


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Record, Record]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["sonar-slt"])
    monkeypatch.setenv("COLUMNS", "80")
    config = {"seed": 1, "num_beams": 5, "view": None, "paths": {"outputs": "outputs"}, "name": "a"}
    first = recorded(tmp_path / "outputs/runs", config, 1, versions={"torch": "1.0"}, manifest_hash="m1" * 8)
    changed = {**config, "num_beams": 1, "view": {"_target_": "sonar_slt.x.NoFace"}, "name": "b"}
    second = recorded(tmp_path / "outputs/runs", changed, 4, versions={"torch": "2.0"}, manifest_hash="m2" * 8)
    return first, second


def test_what_differs_is_shown_within_80_columns(
    pair: tuple[Record, Record], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", pair[0].id, "last"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    flat = [" ".join(line.split()) for line in lines]
    config, apart = flat.index("Config"), flat.index("Where and how alone")
    assert flat[config + 1 : apart - 1] == ["num_beams 5 → 1", "view._target_ — → sonar_slt.x.NoFace"]
    assert flat[apart + 1] == "name a → b"
    assert "torch 1.0 → 2.0" in flat and "corpus m1m1m1m1m1m1 → m2m2m2m2m2m2" in flat
    assert "German BLEU 90.0 60.0 -30.0 apart" in flat and "retrieval_at_1 90 60 -30" in flat


def test_machines_read_a_file(pair: tuple[Record, Record], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", *(run.folder.name for run in pair), "output=new/difference.json"]) == 0
    found = json.loads(Path("new/difference.json").read_text())
    assert [run["id"] for run in found["runs"]] == [run.id for run in pair]
    assert found["config"]["computed"][0] == {"key": "num_beams", "first": 5, "second": 1, "only": None}
    assert [change["key"] for change in found["config"]["apart"]] == ["name"]
    (score,) = found["scores"]
    assert (score["language"], score["name"], score["difference"], score["overlap"]) == ("deu_Latn", "bleu", -30, False)
    assert "significance" not in found
    assert main(["diff", pair[0].id, pair[1].id, f"output={pair[0].folder}"]) == 2
    assert "expected a file" in capsys.readouterr().err


def test_paired_tests_where_they_are_asked_for(
    pair: tuple[Record, Record], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ["significance=true", "resamples=100", "trials=100", "metrics=[chrf]", "output=d.json"]
    assert main(["diff", pair[0].id, pair[1].id, *words]) == 0
    (row,) = json.loads(Path("d.json").read_text())["significance"]
    chrf = row["scores"]["chrf"]
    assert (row["against"], row["system"]) == tuple(run.folder.name for run in pair)
    assert chrf["delta"] < 0 and 0 <= chrf["randomisation"]["p"] <= 1 and "p randomisation" in capsys.readouterr().out
    recorded(tmp_path / "outputs/runs", {}, 0, ids="other")
    assert main(["diff", pair[0].id, "last", *words]) == 2
    assert "cannot be compared" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [([], "not 0: `sonar-slt diff RUN RUN`"), (["last"], "not 1"), (["last", "nowhere"], "No run 'nowhere'")],
)
def test_what_is_refused(
    pair: tuple[Record, Record], capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["diff", *words]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_a_damaged_run(pair: tuple[Record, Record], capsys: pytest.CaptureFixture[str]) -> None:
    (pair[0].folder / "config.yaml").write_text("- a list\n")
    assert main(["diff", pair[0].id, pair[1].id]) == 2 and "a tree of keys was expected" in capsys.readouterr().err
    (pair[1].folder / "record.json").write_text("{")
    assert main(["diff", pair[0].id, str(pair[1].folder)]) == 2 and "cannot be compared" in capsys.readouterr().err


def test_the_same_work_twice(pair: tuple[Record, Record], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", pair[0].id, pair[0].id]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "Config: nothing that decides a result." in out and "The same id" in out


def test_it_answers_without_torch(pair: tuple[Record, Record]) -> None:
    code = f"import sys; from sonar_slt.cli import main; code = main(['diff', {pair[0].id!r}, 'last']);"
    code += "print(code, [name for name in ('torch', 'numpy', 'transformers') if name in sys.modules])"
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"
