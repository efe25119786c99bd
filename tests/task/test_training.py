"""What people need of a training beside its steps: starts, stops, averages, frozen parts, and what is not finite."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from sonar_slt.cli.training.training import train
from sonar_slt.config.assembly import assemble
from sonar_slt.data.batches.batch import ClipBatch
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError
from sonar_slt.runs.registry import read
from sonar_slt.task.callbacks.checkpoints import Best
from sonar_slt.task.checkpoint import learnt
from sonar_slt.task.judging.dev_look import DevLook
from sonar_slt.task.sign import SignTranslation
from tests.conftest import MICRO, composed

pytestmark = pytest.mark.smoke

EVERYTHING = {
    "objective": "[semantic,mse,cosine,ce,ae,nce]",
    "objective.nce.queue": 16,
    "augment": "[frame_mask,frame_dropout,noise,frame_shuffle]",
    "callbacks": "[ema,early_stopping]",
    "adapter.dropout": 0.1,
    "student.dropout": 0.1,
    "schedule": "linear",
    "task.backbone_rate": 1e-4,
    "task.label_smoothing": 0.1,
    "task.checkpointing": "true",
    "languages.spoken": "[deu_Latn]",
    "languages.weights": "{deu_Latn:3}",
    "conclude": "null",
}
"""All that has a state, or draws numbers, at once."""


@pytest.fixture
def configured(outputs: Path, space_folder: Path) -> Any:
    """The config of a micro training with some words more."""

    def made(**changes: Any) -> dict[str, Any]:
        words = {**MICRO, "recipe": "null", "space.source": str(space_folder), "conclude": "null"}
        return composed("train", outputs, words | {key.replace("__", "."): value for key, value in changes.items()})

    return made


def checkpoint(folder: Path, name: str = "last") -> dict[str, Any]:
    return torch.load(folder / "checkpoints" / f"{name}.ckpt", weights_only=True)


def logged(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "train_log.jsonl").read_text("utf-8").splitlines()]


def newest(folder: Path) -> Path:
    return max(folder.parent.iterdir(), key=lambda path: path.name)


def test_a_training_with_everything_goes_on_exactly_from_its_last_look(
    configured: Any, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed without a word, it is still what it would have been: queue, average, patience, dropout and all."""
    config = configured(**{key.replace(".", "__"): value for key, value in EVERYTHING.items()})
    folder, _ = train(config, [])
    plain = SignTranslation.training_step

    def killed(self: Any, batch: Any, number: int) -> Any:
        if self.trainer.global_step == 4:
            raise RuntimeError("the power is gone")
        return plain(self, batch, number)

    monkeypatch.setattr(SignTranslation, "training_step", killed)
    with pytest.raises(RuntimeError, match="power"):
        train(config, [])
    stopped = read(newest(folder))
    assert stopped.status == "failed" and checkpoint(stopped.folder)["global_step"] == 3
    monkeypatch.setattr(SignTranslation, "training_step", plain)
    again, _ = train(config, [], parent=stopped)
    whole, resumed = checkpoint(folder), checkpoint(again)
    assert "objective.terms.nce.queue" in whole["state_dict"] and whole["averaged"]
    for part in ("state_dict", "averaged"):
        assert whole[part].keys() == resumed[part].keys()
        for name, weight in whole[part].items():
            assert torch.equal(weight, resumed[part][name]), name
    assert _same(whole["callbacks"], resumed["callbacks"])
    assert _same(whole["optimizer_states"], resumed["optimizer_states"])
    assert _same(whole["lr_schedulers"], resumed["lr_schedulers"])


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


@pytest.fixture(scope="module")
def first(request: pytest.FixtureRequest) -> Path:
    """A finished run to begin with."""
    outputs, space = request.getfixturevalue("outputs"), request.getfixturevalue("space_folder")
    words = {**MICRO, "recipe": "null", "space.source": str(space), "conclude": "null", "seed": 5}
    return train(composed("train", outputs, words), [])[0]


class TestStart:
    def test_everything_is_taken_over(self, configured: Any, first: Path) -> None:
        config = configured(init_from=first.name, trainer__max_steps=1, task__learning_rate=0, task__student_rate=0)
        folder, _ = train(config, [])
        begun, former = checkpoint(folder)["state_dict"], learnt(checkpoint(first, "best"))
        assert all(torch.equal(begun[name], weight) for name, weight in former.items())
        assert read(folder).facts["init_from"] == first.name

    def test_the_papers_three_ways_with_the_visual_block(self, configured: Any, first: Path) -> None:
        former = learnt(checkpoint(first, "best"))

        def moved(block: str) -> tuple[bool, bool, bool]:
            config = configured(init_from=first.name, visual_block=block, trainer__max_steps=1)
            state = checkpoint(train(config, [])[0])["state_dict"]
            fresh = assemble(config).task.state_dict()
            name = "adapter.head.project.weight"
            lora = next(key for key in state if key.startswith("student.") and key.endswith("a.weight"))
            near = bool((state[name] - former[name]).abs().max() < 0.01)
            return near, torch.equal(state[name], former[name]), bool((state[lora] - fresh[lora]).abs().max() < 0.01)

        assert moved("scratch") == (False, False, True)
        assert moved("pretrained") == (True, False, True)
        assert moved("frozen") == (True, True, True)

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            ({"adapter__dim": 16}, r"has adapter\.\S+ as \(.*here it is"),
            ({"adapter__layers": 2}, "has no adapter.layers.1"),
            ({"init_parts": "[adapter.tail]"}, "adapter.tail, which this training does not have"),
            ({"init_from": "nobody"}, "nobody"),
            ({"task__frozen": "[decoder]"}, "task.frozen names decoder"),
            ({"task__frozen": "[adapter,student]"}, "Nothing is left that learns"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, configured: Any, first: Path, words: Any, told: str) -> None:
        with pytest.raises(UserError, match=told):
            train(configured(**{"init_from": first.name, **words}), [])

    def test_another_space_or_corpus_is_refused_by_its_fingerprint(self, configured: Any, first: Path) -> None:
        record = json.loads((first / "record.json").read_text("utf-8"))
        for name in ("space_fingerprint", "manifest_hash"):
            (first / "record.json").write_text(json.dumps({**record, name: "0123"}), "utf-8")
            if name == "space_fingerprint":
                with pytest.raises(UserError, match=r"space_fingerprint was 0123 .* is"):
                    train(configured(init_from=first.name), [])
            with pytest.raises(UserError, match=f"{name} was 0123 .* cannot be gone on with"):
                train(configured(), [], parent=read(first))
        (first / "record.json").write_text(json.dumps(record), "utf-8")


class TestNotFinite:
    def test_a_clip_of_nan_is_left_out_told_and_the_others_are_learnt_from(
        self, configured: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plain, hit = ClipBatch.shown, []

        def shown(self: ClipBatch, tracks: Any) -> ClipBatch:
            values = tracks["points"].values.clone()
            if "train" in self.ids[0] and len(hit) in (0, 1):
                values[1] = float("nan")
            hit.append(self.ids[1])
            return plain(self, {"points": Track(values, tracks["points"].mask)})

        monkeypatch.setattr(ClipBatch, "shown", shown)
        folder, metrics = train(configured(), [])
        events = [line for line in logged(folder) if line.get("event") == "skipped"]
        assert {clip for event in events for clip in event["ids"]} == set(hit[:2])
        assert {event["term"] for event in events} == {"mse", "cosine", "ce"}
        assert metrics["skipped"] == {"mse": 2, "cosine": 2, "ce": 2}
        assert all(weight.isfinite().all() for weight in checkpoint(folder)["state_dict"].values())
        assert [line["loss"] for line in logged(folder) if line.get("split") == "train"].count(None) == 0

    def test_a_gradient_that_is_not_finite_moves_nothing(
        self, configured: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plain = SignTranslation.on_before_optimizer_step

        def broken(self: Any, optimizer: Any) -> None:
            next(weight for weight in self.parameters() if weight.grad is not None).grad.fill_(float("inf"))
            plain(self, optimizer)

        monkeypatch.setattr(SignTranslation, "on_before_optimizer_step", broken)
        config = configured(trainer__max_steps=2)
        folder, metrics = train(config, [])
        fresh = assemble(config).task
        for name, weight in fresh.named_parameters():
            assert torch.equal(weight, checkpoint(folder)["state_dict"][name]), name
        assert metrics["skipped"] == {"gradient": 2}
        assert len(next(line["ids"] for line in logged(folder) if line.get("term") == "gradient")) == 4


def test_the_average_is_what_is_kept_as_best(configured: Any) -> None:
    folder, _ = train(configured(callbacks="[ema]", monitor="dev/loss", callbacks__ema__decay=0.5), [])
    state = checkpoint(folder, "best")
    evaluated = learnt(state)
    apart = [name for name, weight in state["state_dict"].items() if not torch.equal(weight, evaluated[name])]
    assert apart and set(state["averaged"]) <= set(evaluated)


def test_a_training_that_gets_no_better_ends(configured: Any) -> None:
    words = {"callbacks": "[early_stopping]", "callbacks__early_stopping__least": 1e9, "eval_every": 1}
    folder, _ = train(configured(**words, callbacks__early_stopping__patience=2), [])
    assert checkpoint(folder)["global_step"] == 3  # the first look is a best one, two more are not


@pytest.mark.parametrize(
    ("monitor", "values", "told"),
    [
        ("dev/bleu_deu_Latn", (1.0, 2.0, 2.0, 1.5), (True, True, False, False)),
        ("dev/loss", (2.0, 1.0, 1.0, float("nan")), (True, True, False, None)),
        ("dev/other", (1.0,), (True,)),
    ],
)
def test_better_is_more_bleu_and_less_loss(monitor: str, values: Any, told: Any) -> None:
    best = Best(monitor)
    assert tuple(best.improved({monitor: value}) for value in values) == told
    assert best.improved({"dev/nothing": 1.0}) is None
    latest = Best(monitor, ties=True)
    assert [latest.improved({monitor: value}) for value in (0.0, 0.0)] == [True, True]


def test_a_figure_that_is_never_measured_cannot_be_monitored(configured: Any) -> None:
    with pytest.raises(UserError, match="monitor=dev/blue is not in the dev log"):
        train(configured(monitor="dev/blue", trainer__max_steps=1), [])


def test_a_dev_figure_that_is_no_number_is_no_best_and_ends_nothing(
    configured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DevLook, "taken", lambda *_, **__: ({"loss": float("nan")}, []))
    folder, _ = train(configured(monitor="dev/loss"), [])
    assert checkpoint(folder)["global_step"] == 6 and not (folder / "checkpoints" / "best.ckpt").exists()


def test_frames_out_of_order_land_elsewhere(configured: Any) -> None:
    made = assemble(configured())
    track = made.data.batch(0).to("cpu").tracks["points"]
    backwards = Track(track.values.flip(1), track.mask.flip(1))
    with torch.no_grad():
        there, back = (made.task.eval()({"points": one}) for one in (track, backwards))
    assert (there - back).abs().amax(dim=1).min() > 1e-6


def test_activations_that_are_computed_again_give_the_same_gradient(configured: Any) -> None:
    gradients = []
    for again in ("false", "true"):
        made = assemble(configured(task__checkpointing=again, adapter__layers=2))
        batch = made.data.batch(0).to("cpu")
        torch.manual_seed(0)
        z = made.task(batch.tracks)
        sum(values.sum() for values in made.task.nll(batch, z).values()).backward()
        gradients.append({name: w.grad for name, w in made.task.named_parameters() if w.grad is not None})
    assert gradients[0].keys() == gradients[1].keys() and len(gradients[0]) > 10
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name], rtol=1e-5, atol=1e-7)


class TestLanguages:
    def test_weights_say_how_often_a_language_is_drawn(self, configured: Any) -> None:
        data = assemble(configured(languages__weights="{deu_Latn:30}")).data
        german = data.space.tokens.language_id("deu_Latn")
        drawn = [int(row[0]) for n in range(40) for row in data.batch(n).target.tokens.ids]
        assert 0.8 < drawn.count(german) / len(drawn) < 1.0

    def test_what_is_said_may_be_drawn_apart_from_where_to_land(self, configured: Any) -> None:
        data = assemble(configured(languages__spoken="[fra_Latn]", languages__targets="[deu_Latn]")).data
        batch = data.batch(1)
        french = data.space.tokens.language_id("fra_Latn")
        assert (batch.target.tokens.ids[:, 0] == french).all()
        german = [row for row in data.rows["train"] if row.id in batch.ids]
        texts = [text for row in german for text in row.texts["deu_Latn"]]
        known = data.space.encode(texts, "deu_Latn")
        nearest = torch.cdist(batch.target.vectors, known).amin(dim=1)
        assert (nearest < 1e-4 * known.norm(dim=1).mean()).all()

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            ({"languages__weights": "{tur_Latn:1}"}, "languages.weights names tur_Latn"),
            ({"languages__weights": "{deu_Latn:0}"}, "languages.weights.deu_Latn=0"),
            ({"languages__targets": "[zho_Hans]"}, "zho_Hans"),
            ({"languages__targets": "[deu_Latn]", "+data__languages": "[tur_Latn]"}, "deu_Latn"),
            ({"objective__mse__weight": 0, "objective": "[mse]"}, "Every loss weight is 0"),
            ({"task__label_smoothing": 1.0}, "task.label_smoothing=1.0"),
        ],
    )
    def test_what_cannot_be_trained_is_refused_before_the_first_step(
        self, configured: Any, words: Any, told: str
    ) -> None:
        with pytest.raises(UserError, match=told):
            train(configured(**words), [])


def test_a_part_that_is_left_out_reads_no_track(configured: Any) -> None:
    """Pictures are drawn, or extracted, for those who look at them."""
    config = configured()
    config["adapter"] = composed("train", Path(config["paths"]["outputs"]), {"adapter": "points"})["adapter"]
    assert list(assemble(config).data.batch(0).tracks) == ["points"]
