"""A decoder behind a bridge: what learns, what is saved, what merging gives, and a training towards such states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from sonar_slt import SentenceSpace
from sonar_slt.errors import UserError
from sonar_slt.space import AttentionPooling, BridgedStudent, LoraStudent
from sonar_slt.space.bridged import readable

pytestmark = pytest.mark.properties

TEXTS = ["Am Montag gibt es in Bayern Regen.", "The north will see fog tomorrow.", "Heute Nebel."]
CODES = ["deu_Latn", "eng_Latn", "deu_Latn"]


def opened(folder: Path, **options: Any) -> Any:
    return SentenceSpace.from_pretrained(folder, **{"dtype": "float64", "pooling": "attention", **options})


def taught(space: Any) -> BridgedStudent:
    """A student that has moved away from its teacher, and from where its bridge began."""
    torch.manual_seed(1)
    learner = BridgedStudent(space=space, rank=4)
    with torch.no_grad():
        for weight in learner.parameters():
            weight.add_(0.3 * torch.randn(weight.shape))
    return learner


def losses(learner: LoraStudent, vectors: Tensor) -> Tensor:
    return learner.nll(vectors, learner.space.tokens.batch(TEXTS, CODES))


class TestTheBridge:
    @pytest.mark.parametrize("pooling", ["mean", "attention"])
    def test_it_begins_as_loud_as_what_the_decoder_is_used_to(self, space_folder: Path, pooling: str) -> None:
        learner = BridgedStudent(space=opened(space_folder, pooling=pooling))
        usual = opened(space_folder, pooling="mean").encode(TEXTS, CODES)
        heard = learner.crossed(learner.space.encode(TEXTS, CODES)).detach()
        assert 0.1 < float(heard.norm() / usual.norm()) < 10

    def test_likelihood_and_words_are_of_the_crossed_vector(self, space_folder: Path) -> None:
        learner = taught(opened(space_folder))
        vectors = learner.space.encode(TEXTS, CODES)
        crossed = learner.loudness * vectors @ learner.bridge.weight.T
        torch.testing.assert_close(losses(learner, vectors), -learner.space.log_likelihood(crossed, TEXTS, CODES))
        asked = {"num_beams": 1, "max_new_tokens": 12}
        assert learner.decode(vectors, CODES, **asked) == learner.space.decode(crossed, CODES, **asked)

    def test_it_learns_with_the_small_matrices_and_the_teacher_stays(self, space_folder: Path) -> None:
        space = opened(space_folder, dtype="float32")
        vectors = space.encode(TEXTS, CODES)
        before = space.log_likelihood(vectors, TEXTS, CODES)
        learner = BridgedStudent(space=space)
        start = learner.bridge.weight.detach().clone()
        optimiser = torch.optim.AdamW(learner.parameters(), lr=0.05)
        first = losses(learner, vectors).sum()
        for _ in range(3):
            optimiser.zero_grad()
            losses(learner, vectors).sum().backward()
            assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in learner.parameters())
            optimiser.step()
        assert losses(learner, vectors).sum() < first
        assert not torch.equal(learner.bridge.weight, start)
        with learner.as_teacher() as teacher:
            assert torch.equal(teacher.log_likelihood(vectors, TEXTS, CODES), before)


class TestSaving:
    @pytest.fixture
    def saved(self, space_folder: Path, tmp_path: Path) -> tuple[Path, BridgedStudent]:
        learner = taught(opened(space_folder))
        learner.save(tmp_path / "student")
        return tmp_path / "student", learner

    def test_it_comes_back_whole(self, saved: Any, space_folder: Path) -> None:
        folder, learner = saved
        again = BridgedStudent.load(folder, space=opened(space_folder))
        vectors = learner.space.encode(TEXTS, CODES)
        assert torch.equal(losses(again, vectors), losses(learner, vectors))
        learner.save(folder)  # in the place of what it saved before
        assert sorted(path.name for path in folder.parent.iterdir()) == ["student"]

    def test_peft_s_part_is_a_lora_student_of_its_own(self, saved: Any, space_folder: Path) -> None:
        folder, learner = saved
        plain = LoraStudent.load(folder / "adapters", space=opened(space_folder))
        vectors = learner.space.encode(TEXTS, CODES)
        torch.testing.assert_close(losses(plain, learner.crossed(vectors)), losses(learner, vectors))

    def test_what_does_not_fit_is_refused(self, saved: Any, space_folder: Path) -> None:
        folder, learner = saved
        bridge = folder / "bridge.safetensors"
        kept = load_file(bridge)
        save_file({"weight": torch.eye(3)}, bridge)
        with pytest.raises(UserError, match="expected a weight of 32 by 32"):
            BridgedStudent.load(folder, space=opened(space_folder))
        bridge.write_bytes(b"nothing")
        with pytest.raises(UserError, match="cannot be read"):
            BridgedStudent.load(folder, space=opened(space_folder))
        bridge.unlink()
        with pytest.raises(UserError, match="it has no bridge"):
            BridgedStudent.load(folder, space=opened(space_folder))
        save_file(kept, bridge)
        (folder / "notes.txt").write_text("mine", encoding="utf-8")
        with pytest.raises(UserError, match=r"notes\.txt"):
            learner.save(folder)
        assert (folder / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_a_merged_space_reads_the_vectors_by_itself(space_folder: Path) -> None:
    learner = taught(opened(space_folder))
    vectors = learner.space.encode(TEXTS, CODES)
    expected, before = losses(learner, vectors), learner.space.fingerprint
    merged = learner.merge()
    torch.testing.assert_close(-merged.log_likelihood(vectors, TEXTS, CODES), expected)
    torch.testing.assert_close(learner.crossed(vectors).detach(), vectors)
    assert merged.fingerprint != before


def test_what_the_space_can_read_is_its_mean(space_folder: Path) -> None:
    mean = opened(space_folder, pooling="mean")
    usual = mean.encode(TEXTS, "deu_Latn")
    assert readable(mean, usual, TEXTS, "deu_Latn") is usual
    other = opened(space_folder, pooling=AttentionPooling(layers=4, take="last"))
    vectors = other.encode(TEXTS, "deu_Latn")
    assert not torch.allclose(vectors, usual)
    found = readable(other, vectors, TEXTS, "deu_Latn")
    assert found is not None
    torch.testing.assert_close(found, usual)
    torch.testing.assert_close(other.encode(TEXTS, "deu_Latn"), vectors)  # the space itself pools as before
    assert readable(opened(space_folder, only="decoder"), vectors, TEXTS, "deu_Latn") is None


@pytest.mark.smoke
def test_a_sign_student_trains_towards_a_decoder_s_states(outputs: Path, space_folder: Path) -> None:
    from sonar_slt.cli.training.training import train
    from tests.conftest import MICRO, composed

    asked = {**MICRO, "space": "toy_decoder_state", "student": "bridged", "recipe": "null"}
    asked |= {"languages.targets": "[deu_Latn]", "languages.unseen": "[tur_Latn]"}
    folder, metrics = train(composed("train", outputs, {**asked, "space.source": str(space_folder)}), [])
    state = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    assert state["student.bridge.weight"].shape == (32, 32)
    assert [entry["language"] for entry in metrics["scores"]] == ["deu_Latn", "tur_Latn"]
