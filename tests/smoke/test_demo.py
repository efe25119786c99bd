"""The demo in the micro world: everything in a row, nothing twice, and a summary for machines."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from sonar_slt.cli import demo
from sonar_slt.cli.command.asked import Asked
from sonar_slt.runs.registry import all_runs, read
from tests.conftest import MICRO, composed

pytestmark = pytest.mark.smoke


@pytest.fixture
def config(tmp_path: Path, space_folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The demo's config, with trainings of a few steps in a space that is there already."""
    outputs = tmp_path / "outputs"
    shutil.copytree(space_folder, outputs / "spaces" / "micro")
    scores = read(space_folder.parent).metrics["space"]
    (outputs / "spaces" / "micro" / "recipe.json").write_text(json.dumps({"scores": scores}), encoding="utf-8")
    micro = MICRO | {"recipe": "null", "space.source": str(outputs / "spaces" / "micro")}

    def small(verb: str, words: list[str]) -> dict[str, Any]:
        said = dict(word.split("=", 1) for word in words if not word.startswith("paths."))
        return composed(verb, outputs, {**said, **(micro if verb == "train" else {})})

    monkeypatch.setattr(demo, "_composed", small)
    return composed("demo", outputs, {})


def test_the_demo_ends_with_a_summary_and_does_nothing_twice(
    config: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    demo.run(dict(config), Asked())
    said = capsys.readouterr().out
    outputs = Path(config["paths"]["outputs"])
    summary = json.loads((outputs / "demo" / "summary.json").read_text("utf-8"))
    assert summary["bleu"]["trained"].keys() == {"deu_Latn", "eng_Latn", "fra_Latn", "spa_Latn"}
    assert summary["bleu"]["unseen"].keys() == summary["ceiling"].keys() - summary["bleu"]["trained"].keys()
    assert 0 <= summary["retrieval_at_1"] <= 100 and summary["seconds"] > 0
    assert Path(summary["report"]).is_file() and (Path(summary["run"]) / "checkpoints" / "last.ckpt").is_file()
    assert said.count("reference") >= demo.SAMPLES and "Next (" in said and "Turkish" in said
    runs = {run.folder for run in all_runs(Path(config["paths"]["runs"]))}
    assert {read(folder).verb for folder in runs} == {"train", "evaluate"}
    demo.run(dict(config), Asked())
    again = capsys.readouterr().out
    assert "Trained already" in again and "Evaluated already" in again
    assert {run.folder for run in all_runs(Path(config["paths"]["runs"]))} == runs


def test_an_interrupted_training_is_gone_on_with(
    config: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sonar_slt.task.sign import SignTranslation

    plain = SignTranslation.training_step

    def interrupted(self: Any, batch: Any, number: int) -> Any:
        if self.trainer.global_step == 4:
            raise KeyboardInterrupt
        return plain(self, batch, number)

    monkeypatch.setattr(SignTranslation, "training_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        demo.run(dict(config), Asked())
    monkeypatch.setattr(SignTranslation, "training_step", plain)
    demo.run(dict(config), Asked())
    assert "Going on with run" in capsys.readouterr().out
    trainings = [run for run in all_runs(Path(config["paths"]["runs"])) if run.verb == "train"]
    assert [run.status for run in trainings] == ["finished", "killed"] and trainings[0].parent == trainings[
        1
    ].folder.name
