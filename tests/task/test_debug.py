"""The short ways to look at a training: each runs, each in its own folder, and each tells the truth."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from sonar_slt.cli.training.training import train
from sonar_slt.config.compose import examine
from sonar_slt.config.location import conf_folder
from sonar_slt.errors import UserError
from sonar_slt.objective.mse import MseTerm
from sonar_slt.runs.registry import read
from sonar_slt.task.callbacks.limit import Limit
from sonar_slt.task.callbacks.overfit import Overfit
from sonar_slt.task.callbacks.profile.profile import Profile
from sonar_slt.task.callbacks.profile.stopwatch import LOOK, SAVING, Stopwatch
from tests.conftest import MICRO, MICRO_SPACE, composed

pytestmark = pytest.mark.smoke

PRESETS = sorted(file.stem for file in (conf_folder() / "debug").glob("*.yaml"))
SHORT = {"callbacks.profile.warm_up": 1, "callbacks.profile.timed": 3, "callbacks.profile.traced": 1}
QUICK = {"task.judged": 0, "monitor": "dev/loss", "conclude": "null"}
PROFILED = {"debug": "profile", **SHORT, **QUICK, "trainer.max_steps": 6, "eval_every": 2}
OVERFIT = {"debug": "overfit", "trainer.max_steps": 40, "eval_every": 40, "task.learning_rate": 0.01}


@pytest.fixture
def configured(outputs: Path, space_folder: Path) -> Any:
    """The config of a micro sign training with some words more."""

    def made(words: dict[str, Any]) -> dict[str, Any]:
        return composed("train", outputs, {**MICRO, "recipe": "null", "space.source": str(space_folder), **words})

    return made


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """What a run has learnt in the end."""
    state: dict[str, torch.Tensor] = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    return state


@pytest.mark.parametrize("words", [["experiment=reference_tools"], ["experiment=toy_space"]])
@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_goes_with_any_task_and_experiment(preset: str, words: list[str]) -> None:
    found = examine("train", [*words, "callbacks=[ema]", f"debug={preset}"], complete=False)
    assert found.problems == []
    assert found.config["paths"]["runs"] == f"outputs/debug/{preset}"
    assert found.config["logger"] is None and "ema" in found.config["callbacks"]


def test_the_presets_are_those_of_the_docs() -> None:
    assert PRESETS == ["fast", "limit", "overfit", "profile"]


def test_fast_is_one_batch_in_a_folder_apart(configured: Any, outputs: Path) -> None:
    folder, _ = train(configured({"debug": "fast"}), [])
    assert folder.parent == outputs / "debug" / "fast" and read(folder).status == "finished"
    state = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    assert state["global_step"] == 1


class TestOverfit:
    def test_a_handful_is_learnt_by_heart(self, configured: Any, capsys: pytest.CaptureFixture[str]) -> None:
        noisy = {"augment": "[noise]", "adapter.dropout": 0.5, "student.dropout": 0.5, "task.label_smoothing": 0.2}
        folder, _ = train(configured({**OVERFIT, **noisy, "callbacks.overfit.beside": "[ae,ce]"}), [])
        told = read(folder).metrics["overfit"]
        assert told["learnt"] and {"mse", "cosine", "ce", "ae"} == told["terms"].keys()
        assert "Learnt by heart, 4 in 40 steps" in capsys.readouterr().err
        looks = [json.loads(line) for line in (folder / "dev_log.jsonl").read_text("utf-8").splitlines()]
        last = told["terms"]["mse"]["last"]
        assert looks[-1]["mse"] == pytest.approx(last, rel=0.5), "it is looked at what was learnt, as it was learnt"

    def test_a_frozen_adapter_is_called_broken(self, configured: Any, capsys: pytest.CaptureFixture[str]) -> None:
        """Its student may learn to say the sentences all the same: that is no sign of an encoder."""
        folder, _ = train(configured({**OVERFIT, "task.frozen": "[adapter]"}), [])
        told = read(folder).metrics["overfit"]
        assert not told["learnt"] and told["terms"]["mse"]["first"] == told["terms"]["mse"]["last"]
        assert told["terms"]["ce"]["last"] < told["terms"]["ce"]["first"]
        said = " ".join(capsys.readouterr().err.split())
        assert "Not learnt by heart, 4 in 40 steps" in said and "Nothing learns in adapter." in said

    def test_a_part_that_no_gradient_reaches_is_named(self, configured: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        plain = MseTerm.forward
        monkeypatch.setattr(MseTerm, "forward", lambda self, landing: plain(self, landing).detach().requires_grad_())
        words = {"objective.ce.weight": 0, "objective.cosine.weight": 0, "trainer.max_steps": 2, "eval_every": 2}
        folder, _ = train(configured({**OVERFIT, **words}), [])
        said = read(folder).metrics["overfit"]["said"]
        assert "No gradient reaches adapter." in said and "mse fell by 0%" in said


def test_a_space_can_be_tried_too_and_profiled_meanwhile(outputs: Path) -> None:
    words = {"experiment": "toy_space", **MICRO_SPACE, "debug": "overfit", "callbacks": "[profile]", **SHORT}
    folder, _ = train(composed("train", outputs, {**words, "trainer.max_steps": 6}), [])
    told = read(folder).metrics["overfit"]
    assert not told["learnt"] and {"translation", "denoising"} <= told["terms"].keys()
    assert told["terms"]["translation"]["last"] < told["terms"]["translation"]["first"]
    parts = {one["part"] for one in json.loads((folder / "profile.json").read_text("utf-8"))["parts"]}
    assert {"forward: model.model.encoder", "forward: decoder", "forward: objective", "backward"} < parts


def test_limit_goes_to_the_very_end_with_fewer_clips(configured: Any, outputs: Path) -> None:
    words = {"debug": "limit", "callbacks.limit.clips": 4, "conclude": "test", "languages.unseen": "[]"}
    folder, metrics = train(configured({**words, "trainer.max_steps": 2, "eval_every": 2}), [])
    assert folder.parent == outputs / "debug" / "limit" and (folder / "report.html").is_file()
    ids = [json.loads(line)["id"] for line in (folder / "hypotheses" / "test.deu_Latn.jsonl").read_text().splitlines()]
    assert len(ids) == 4 and ids == sorted(ids) and metrics["scores"][0]["n"] == 4
    look = json.loads((folder / "dev_log.jsonl").read_text("utf-8").splitlines()[-1])
    assert "bleu" in look and "retrieval_at_1" in look, "the split that is left is a whole one"


class TestProfile:
    def test_a_profile_says_where_the_time_went(self, configured: Any, capsys: pytest.CaptureFixture[str]) -> None:
        began = time.perf_counter()
        folder, _ = train(configured(PROFILED), [])
        spent = time.perf_counter() - began
        found = json.loads((folder / "profile.json").read_text("utf-8"))
        parts = {one["part"]: one for one in found["parts"]}
        expected = {"adapter", "decoder", "objective", "the rest"}
        assert {f"forward: {name}" for name in expected} < parts.keys()
        assert {"backward", "optimiser", "waiting for data", "teacher's vectors", "logging", "callbacks"} < parts.keys()
        assert sum(one["share"] for one in found["parts"]) == pytest.approx(1)
        assert 0 < sum(one["ms"] for one in found["parts"]) == pytest.approx(found["step_ms"]["mean"], rel=0.05)
        assert 3 * found["step_ms"]["mean"] < 1e3 * spent
        assert {one["what"]: one["times"] for one in found["beside"]} == {LOOK: 1, SAVING: 2}
        assert any(one["name"].startswith("aten::") for one in found["operators"]) and len(found["operators"]) == 12
        sizes = found["memory_mib"]
        assert sizes["optimiser"] == pytest.approx(2 * sizes["weights that learn"], rel=0.01)
        said, page = capsys.readouterr().err, (folder / "profile.md").read_text("utf-8")
        for text in (said, page):
            assert "A training step" in text and "forward: adapter" in text and "aten::" in text
        trace = json.loads((folder / "trace.json").read_text("utf-8"))
        names = {str(event.get("name")) for event in trace["traceEvents"]}
        assert {"forward: decoder", "teacher's vectors", "aten::addmm"} < names
        plain, _ = train(configured({**QUICK, "trainer.max_steps": 6, "eval_every": 6}), [])
        learnt, watched = (weights(one) for one in (plain, folder))
        assert learnt.keys() == watched.keys()
        assert all(torch.equal(weight, watched[name]) for name, weight in learnt.items()), "it changes nothing"

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
    def test_on_a_gpu_its_kernels_are_counted(self, configured: Any) -> None:
        folder, _ = train(configured({**PROFILED, "trainer.accelerator": "gpu"}), [])
        found = json.loads((folder / "profile.json").read_text("utf-8"))
        assert found["device"].startswith("cuda") and found["memory_mib"]["gpu memory"] > 0
        assert any(
            event.get("cat") == "kernel" for event in json.loads((folder / "trace.json").read_text())["traceEvents"]
        )


def test_own_seconds_of_nested_actions_add_up() -> None:
    moments = iter(range(100))
    watch = Stopwatch(lambda: float(next(moments)))
    watch.start("before it counts")
    watch.count()  # 0
    watch.stop("before it counts")
    watch.start("[Strategy]X.training_step")  # 1
    watch.enter("forward: adapter")  # 2
    watch.enter("forward: adapter.head")  # within another: not told apart
    watch.stop("forward: adapter.head")
    watch.stop("forward: adapter")  # 3
    watch.stop("[Strategy]X.training_step")  # 4
    watch.enter("forward: adapter")  # computed again for the gradient
    watch.looking = True
    watch.start("[Strategy]X.validation_step")  # 5
    watch.stop("[Strategy]X.validation_step")  # 6
    watch.halt()
    assert watch.seconds["forward: adapter"] == 1 and watch.seconds["forward: the rest"] == 2
    assert watch.seconds[LOOK] == 2 and sum(watch.seconds.values()) == 6


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda: Overfit(fall=1.0), "callbacks.overfit.fall=1.0: expected"),
        (lambda: Limit(clips=0), "callbacks.limit.clips=0: expected"),
        (lambda: Profile(timed=0), "callbacks.profile: .*timed=0"),
    ],
)
def test_what_makes_no_sense_is_refused(made: Any, told: str) -> None:
    with pytest.raises(UserError, match=told):
        made()


def test_a_training_that_is_too_short_is_refused(configured: Any) -> None:
    with pytest.raises(UserError, match=re.escape("looks at 29 batches and trainer.max_steps=6 has 6")):
        train(configured({"callbacks": "[profile]"}), [])
    with pytest.raises(UserError, match=r"trainer\.log_every_n_steps=1"):
        train(configured({"callbacks": "[overfit]", "trainer.log_every_n_steps": 3}), [])
