"""Training a sign student in the micro world: what moves, what is kept, and that going on is exact."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from sonar_slt.cli.training.training import train
from sonar_slt.config.assembly import assemble
from sonar_slt.errors import UserError
from sonar_slt.runs.registry import read
from sonar_slt.task.checkpoint import load

pytestmark = pytest.mark.smoke


@pytest.fixture(scope="module")
def trained(request: pytest.FixtureRequest) -> tuple[Path, dict[str, Any], dict[str, Any]]:
    """A finished micro run, its metrics and its config."""
    from tests.conftest import MICRO, composed

    outputs, space = request.getfixturevalue("outputs"), request.getfixturevalue("space_folder")
    config = composed("train", outputs, {**MICRO, "recipe": "null", "space.source": str(space)})
    return *train(config, ["seed=1"]), config


def weights(folder: Path, name: str = "last") -> dict[str, Any]:
    return torch.load(folder / "checkpoints" / f"{name}.ckpt", weights_only=True)


def test_the_run_folder_is_whole(trained: Any) -> None:
    folder, metrics, _ = trained
    record = read(folder)
    assert record.status == "finished" and record.verb == "train" and record.seed == 1
    assert (
        record.manifest_hash
        and record.space_fingerprint
        and record.metrics["mean_bleu"].keys() == {"trained", "unseen"}
    )
    for name in ("config.yaml", "overrides.yaml", "metrics.csv", "train_log.jsonl", "dev_log.jsonl", "report.html"):
        assert (folder / name).stat().st_size > 0, name
    steps = [json.loads(line) for line in (folder / "train_log.jsonl").read_text("utf-8").splitlines()]
    assert [line["split"] for line in steps] == ["train"] * 3 + ["dev"] + ["train"] * 3 + ["dev"]
    told = {"loss", "mse", "cosine", "ce", "ae", "lr", "gradient", "clips_per_second", "waiting"}
    assert told <= steps[0].keys()
    looks = [json.loads(line) for line in (folder / "dev_log.jsonl").read_text("utf-8").splitlines()]
    assert looks == [line for line in steps if line["split"] == "dev"]
    real = {f"{name}_{code}" for name in ("bleu", "chrf") for code in ("deu_Latn", "rus_Cyrl")}
    assert {"loss", "mse", "cosine", "ce", "ae", "bleu", "chrf", "bleu_unseen", "retrieval_at_1"} | real <= looks[
        0
    ].keys()
    samples = [json.loads(line) for line in (folder / "samples.jsonl").read_text("utf-8").splitlines()]
    assert {sample["step"] for sample in samples} == {3, 6} and all(sample["references"] for sample in samples)
    lines = (folder / "hypotheses" / "dev.tur_Latn.jsonl").read_text("utf-8").splitlines()
    assert (
        len(lines) == 6
        and {"id", "language", "hypothesis", "references", "seen", "cosine"} <= json.loads(lines[0]).keys()
    )
    assert [entry["seen"] for entry in metrics["scores"]] == [True] * 4 + [False] * 2


def test_a_checkpoint_holds_what_learns_and_nothing_else(trained: Any) -> None:
    folder, _, config = trained
    task = assemble(config).task
    assert all(weight.requires_grad for weight in task.parameters())
    names = set(task.state_dict())
    assert not [name for name in names if "embed" in name or "lm_head" in name]  # nothing of the frozen base
    for kind in ("last", "best"):
        assert weights(folder, kind)["state_dict"].keys() == names
    size = sum(w.numel() for w in weights(folder)["state_dict"].values())
    assert size < sum(w.numel() for w in task.parameters()) + sum(
        w.numel() for w in task.student.space.model.parameters()
    )


def test_the_teacher_is_bit_identical_after_training(trained: Any, sign_config: Any, space: Any) -> None:
    folder, _, config = trained
    made = assemble(config)
    load(made.task, folder / "checkpoints" / "last.ckpt")
    sentences = [row.texts["deu_Latn"][0] for row in made.data.rows["test"]]
    with made.task.student.as_teacher() as teacher:
        assert torch.equal(teacher.encode(sentences, "deu_Latn"), space.encode(sentences, "deu_Latn"))
        after = teacher.log_likelihood(space.encode(sentences, "deu_Latn"), sentences, "deu_Latn")
    assert torch.equal(after, space.log_likelihood(space.encode(sentences, "deu_Latn"), sentences, "deu_Latn"))


def test_what_learns_has_learnt_and_comes_back_whole(trained: Any) -> None:
    folder, _, config = trained
    made = assemble(config)
    before = {name: w.clone() for name, w in made.task.named_parameters()}
    load(made.task, folder / "checkpoints" / "last.ckpt")
    saved = weights(folder)["state_dict"]
    for name, weight in made.task.named_parameters():
        assert torch.equal(weight, saved[name]), name
    moved = [name for name, w in made.task.named_parameters() if not torch.equal(w, before[name])]
    assert any("adapters" in name for name in moved) and any(name.startswith("adapter.") for name in moved)


def test_a_foreign_checkpoint_is_refused(trained: Any, tmp_path: Path) -> None:
    folder, _, config = trained
    state = weights(folder)
    state["state_dict"].pop(next(name for name in state["state_dict"] if "adapters" in name))
    torch.save(state, tmp_path / "broken.ckpt")
    with pytest.raises(UserError, match="does not fit"):
        load(assemble(config).task, tmp_path / "broken.ckpt")


@pytest.mark.parametrize("together", [1, 2])
def test_going_on_equals_never_having_stopped(trained: Any, together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a step takes the gradients of several batches together."""
    folder, _, config = trained
    if together > 1:
        config = {**config, "trainer": {**config["trainer"], "accumulate_grad_batches": together}}
        folder, _ = train(config, [])
    from sonar_slt.task.sign import SignTranslation

    plain = SignTranslation.training_step

    def interrupted(self: Any, batch: Any, number: int) -> Any:
        if self.trainer.global_step == 3 and number % together == 0:
            signal.raise_signal(signal.SIGINT)  # in the midst of a step, which is still taken
        return plain(self, batch, number)

    monkeypatch.setattr(SignTranslation, "training_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(config, [])
    monkeypatch.setattr(SignTranslation, "training_step", plain)
    stopped = max(folder.parent.iterdir(), key=lambda path: path.name)
    assert read(stopped).status == "killed" and weights(stopped)["global_step"] == 4
    again, _metrics = train(config, [], parent=read(stopped))
    assert read(again).parent == stopped.name
    whole, resumed = weights(folder), weights(again)
    assert resumed["global_step"] == whole["global_step"] == 6
    for name, weight in whole["state_dict"].items():
        assert torch.equal(weight, resumed["state_dict"][name]), name
    first = [json.loads(line) for line in (folder / "train_log.jsonl").read_text("utf-8").splitlines()]
    second = [json.loads(line) for line in (again / "train_log.jsonl").read_text("utf-8").splitlines()]
    kept = ("split", "step", "loss")
    assert [[line[key] for key in kept] for line in second] == [
        [line[key] for key in kept] for line in first[-len(second) :]
    ]


class TestBatches:
    def test_a_batch_is_a_function_of_seed_and_number(self, sign_config: Any) -> None:
        first, second = assemble(sign_config).data, assemble(sign_config).data
        for number in (7, 0, 3, 7):
            one, two = first.batch(number), second.batch(number)
            assert one.ids == two.ids and torch.equal(one.tracks["points"].values, two.tracks["points"].values)
            assert torch.equal(one.target.tokens.ids, two.target.tokens.ids)
        other = assemble({**sign_config, "data": {**sign_config["data"], "seed": 2}}).data
        assert [other.batch(n).ids for n in range(6)] != [first.batch(n).ids for n in range(6)]

    def test_an_epoch_shows_every_clip_once(self, sign_config: Any) -> None:
        data = assemble(sign_config).data
        for epoch in (0, 1):
            seen = [clip for number in range(6) for clip in data.batch(6 * epoch + number).ids]
            assert sorted(seen) == sorted(row.id for row in data.rows["train"])

    def test_every_vector_is_the_teachers_own(self, sign_config: Any) -> None:
        data = assemble(sign_config).data
        batch = data.batch(2)
        texts = data.space.tokens.text(batch.target.tokens.ids)
        codes = [data.space.tokens.tokenizer.convert_ids_to_tokens(int(row[0])) for row in batch.target.tokens.ids]
        assert set(codes) <= set(data.targets)
        torch.testing.assert_close(batch.target.vectors, data.space.encode(texts, codes), rtol=1e-4, atol=1e-6)

    def test_a_language_without_references_is_left_out_or_refused(self, sign_config: Any) -> None:
        data = assemble(sign_config).data
        data.rows["dev"] = [
            replace(row, texts={code: said for code, said in row.texts.items() if code != "tur_Latn"})
            for row in data.rows["dev"]
        ]
        assert data.scorable("dev") == ["deu_Latn", "eng_Latn", "fra_Latn", "spa_Latn", "rus_Cyrl"]
        with pytest.raises(UserError, match="tur_Latn"):
            data.require("dev", ["tur_Latn"])

    def test_no_unseen_language_is_ever_drawn(self, sign_config: Any) -> None:
        data = assemble(sign_config).data
        unseen = {data.space.tokens.language_id(code) for code in data.unseen}
        drawn = {
            int(row[0])
            for n in range(40)
            for part in ("target", "anchor")
            for row in getattr(data.batch(n), part).tokens.ids
        }
        assert unseen and not unseen & drawn


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_training_on_a_gpu_ends_with_hypotheses(sign_config: Any) -> None:
    trainer = {**sign_config["trainer"], "accelerator": "gpu"}
    folder, metrics = train({**sign_config, "trainer": trainer}, [])
    assert read(folder).device == "cuda:0" and len(metrics["scores"]) == 6
