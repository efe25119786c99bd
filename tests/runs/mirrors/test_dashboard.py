"""The dashboard as code: made of what runs logged, refused where it would show nothing, taken by W&B's own package."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sonar_slt.cli import main
from sonar_slt.errors import UserError
from sonar_slt.runs.mirrors.dashboard import dashboard_of, require_sound
from sonar_slt.runs.mirrors.panels import Bars, Dashboard, Importance, Lines, Parallel, Section
from sonar_slt.runs.mirrors.workspace import push, show_dashboard, workspace_of
from sonar_slt.runs.record import Run
from sonar_slt.runs.registry import Record, read

TRAIN = {"loss": 2.0, "cosine": 0.5, "lr": 1e-3, "clips_per_second": 30.0, "waiting": 0.1, "memory_gib": 1.5}
DEV = {"loss": 2.1, "cosine": 0.6, "bleu": 3.0, "bleu_deu_Latn": 4.0, "bleu_tur_Latn": 2.0, "retrieval_at_1": 50.0}
SCORES = [
    {"language": code, "bleu": {"value": 20.0, "signature": "nrefs:1", "interval": [18.0, 22.0]}, "n": 9}
    for code in ("deu_Latn", "tur_Latn")
]


def trained(root: Path, weight: float = 1.0, student: str = "lora", metrics: Mapping[str, Any] = {}) -> Record:
    """The record of a run that logged what a training logs."""
    config = {"seed": 1, "objective": {"cosine": {"weight": weight}}, "student": {"kind": student}}
    words = [f"objective.cosine.weight={weight}", f"student={student}"]
    facts = {"choices": {"student": student, "adapter": "keypoint"}, "sweep": str(root / "sweeps" / "grid")}
    with Run.start(root, verb="train", name="toy", config=config, overrides=words, facts=facts) as run:
        run.log("train", 1, TRAIN)
        run.log("dev", 1, DEV)
        run.show(1, [{"id": "a", "hypothesis": "ja"}])
        run.update(metrics={"mean_bleu": {"trained": 20.0}, "retrieval_at_1": 40.0, "scores": SCORES, **metrics})
    return read(run.folder)


@pytest.fixture
def one(tmp_path: Path) -> Dashboard:
    return dashboard_of([trained(tmp_path)], name="toy")


@pytest.fixture
def sweep(tmp_path: Path) -> Dashboard:
    return dashboard_of([trained(tmp_path, 1.0, "lora"), trained(tmp_path, 2.0, "frozen")], name="grid")


def panels(dashboard: Dashboard, section: str) -> dict[str, Any]:
    (found,) = [each for each in dashboard.sections if each.name == section]
    return {panel.title: panel for panel in found.panels}


class TestOneRun:
    def test_every_figure_that_was_logged_has_a_panel(self, one: Dashboard) -> None:
        shown = {name for section in one.sections for panel in section.panels for name in panel.names}
        assert shown >= {*(f"train/{name}" for name in TRAIN), *(f"dev/{name}" for name in DEV), "samples"}
        assert panels(one, "Terms")["cosine"].y == ("train/cosine", "dev/cosine")
        assert panels(one, "Rates, speed, memory").keys() == {
            "Learning rate", "Clips a second", "Fraction of time spent waiting", "Memory, GiB"
        }  # fmt: skip

    def test_a_score_has_its_interval_and_its_languages(self, one: Dashboard) -> None:
        names = ("bleu/tur_Latn_low", "bleu/tur_Latn", "bleu/tur_Latn_high")
        assert panels(one, "Final scores with 95 % intervals")["BLEU, Turkish (tur_Latn)"] == Bars(
            title="BLEU, Turkish (tur_Latn)", figures=names
        )
        together = panels(one, "Dev scores while training")["BLEU"]
        assert together.y == ("dev/bleu", "dev/bleu_deu_Latn", "dev/bleu_tur_Latn")

    def test_no_sweep_is_shown_of_one_run(self, one: Dashboard) -> None:
        assert "Sweep" not in [section.name for section in one.sections]


class TestASweep:
    def test_swept_keys_stand_side_by_side_with_what_they_are_judged_by(self, sweep: Dashboard) -> None:
        found = panels(sweep, "Sweep")
        columns = [(column.source, column.name) for column in found["Swept keys"].columns]
        assert columns == [
            ("config", "objective.cosine.weight"),
            ("config", "record.choices.student"),
            ("summary", "mean_bleu/trained"),
        ]
        assert isinstance(found["What counts"], Importance) and found["What counts"].target == "mean_bleu/trained"

    def test_the_package_takes_every_panel(self, sweep: Dashboard) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            view = workspace_of(sweep, entity="us", project="toy")._to_model()
        bank = view.spec.section.panel_bank_config.sections
        assert [section.name for section in bank] == [section.name for section in sweep.sections]
        assert [len(section.panels) for section in bank] == [len(section.panels) for section in sweep.sections]
        parallel, importance = (panel.model_dump(by_alias=True) for panel in bank[0].panels)
        accessors = [column["accessor"] for column in parallel["config"]["columns"]]
        assert accessors[0] == "config:objective.value.cosine.weight" and accessors[-1] == "summary:mean_bleu/trained"
        assert importance["viewType"] == "Parameter Importance"
        (lines,) = [panel for panel in bank[1].panels if getattr(panel.config, "chart_title", "") == "cosine"]
        assert lines.config.metrics == ["train/cosine", "dev/cosine"] and lines.config.x_axis == "_step"


class TestWhereItGoes:
    def test_a_file_holds_all_of_it_as_plain_data(self, tmp_path: Path, sweep: Dashboard) -> None:
        runs = [trained(tmp_path / "again", 1.0, "lora"), trained(tmp_path / "again", 2.0, "frozen")]
        target = tmp_path / "deep" / "board.json"
        assert show_dashboard(str(target), runs, name="grid") == str(target)
        assert json.loads(target.read_text("utf-8")) == json.loads(json.dumps(sweep.plain()))

    def test_the_verb_writes_it_for_the_runs_that_are_named(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        runs = [trained(tmp_path / "runs", weight) for weight in (1.0, 2.0)]
        target = tmp_path / "board.json"
        words = ["report", *(run.id for run in runs), f"paths.outputs={tmp_path}", f"dashboard={target}"]
        assert main(words) == 0 and capsys.readouterr().out.strip() == str(target)
        found = json.loads(target.read_text("utf-8"))
        assert found["sections"][0]["name"] == "Sweep"
        assert main([*words, "bundle=a.zip"]) == 2 and "different jobs" in capsys.readouterr().err

    @pytest.mark.parametrize("word", ["board", "a/b/c", "", "us/", "us/to y"])
    def test_other_words_are_refused(self, word: str, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"dashboard=.*FILE\.json"):
            show_dashboard(word, [trained(tmp_path)], name="toy")

    def test_without_an_account_it_is_one_sentence(self, one: Dashboard, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("wandb.login", lambda prompt: False)
        with pytest.raises(UserError, match=r"dashboard=us/toy: .*`wandb login`"):
            push(one, entity="us", project="toy")


class TestUnsound:
    def test_what_was_never_logged_is_refused(self, one: Dashboard) -> None:
        logged = {name for section in one.sections for panel in section.panels for name in panel.names}
        require_sound(one, logged)
        with pytest.raises(UserError, match="train/cosine, which no run has logged"):
            require_sound(one, logged - {"train/cosine"})

    @pytest.mark.parametrize(
        "panel", [Lines(title="a", y=()), Bars(title="a", figures=()), Parallel(title="a", columns=())]
    )
    def test_a_panel_that_shows_nothing_is_refused(self, panel: Any) -> None:
        with pytest.raises(UserError, match="'a' of 's' shows nothing"):
            require_sound(Dashboard(name="n", sections=(Section(name="s", panels=(panel,)),)), ["x"])

    def test_two_panels_or_sections_of_one_name_are_refused(self) -> None:
        panel = Lines(title="a", y=("x",))
        section = Section(name="s", panels=(panel,))
        for wrong in ((replace(section, panels=(panel, panel)),), (section, section)):
            with pytest.raises(UserError, match="two"):
                require_sound(Dashboard(name="n", sections=wrong), ["x"])

    def test_a_run_that_logged_nothing_has_no_dashboard(self, tmp_path: Path) -> None:
        with Run.start(tmp_path, verb="train", name="a", config={}, overrides=[]) as run:
            pass
        with pytest.raises(UserError, match="nothing that could be shown"):
            dashboard_of([read(run.folder)], name="a")
