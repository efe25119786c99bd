"""Teacher and student over one copy of the weights: what moves, what is saved, what comes back, what merging gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, inject_adapter_in_model, set_peft_model_state_dict
from peft.tuners.lora import LoraLayer
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from sonar_slt import SentenceSpace
from sonar_slt.errors import UserError
from sonar_slt.space import LoraStudent, student
from sonar_slt.space.likelihood import plain_states, sentence_nll
from sonar_slt.space.tokens import decoder_inputs

pytestmark = pytest.mark.properties

TEXTS = ["Am Montag gibt es in Bayern Regen.", "The north will see fog tomorrow.", "Heute Nebel."]
CODES = ["deu_Latn", "eng_Latn", "deu_Latn"]


def taught(space: Any, **options: Any) -> LoraStudent:
    """A student that has moved away from its teacher."""
    torch.manual_seed(1)
    learner = LoraStudent(space=space, **{"rank": 4, **options})
    with torch.no_grad():
        for weight in learner.parameters():
            weight.add_(0.3 * torch.randn(weight.shape))
    return learner


def small(learner: LoraStudent) -> dict[str, Tensor]:
    return {name: weight.detach().clone() for name, weight in learner.named_parameters()}


def nll(space: Any) -> Tensor:
    vectors = torch.randn(3, space.dim, generator=torch.Generator().manual_seed(2))
    return sentence_nll(space.model, vectors.to(space.model.dtype), space.tokens.batch(TEXTS, CODES))


def rewritten(folder: Path, *, settings: Any = None, weights: Any = None) -> None:
    """Change what a saved folder says."""
    config, stored = folder / "adapter_config.json", folder / "adapter_model.safetensors"
    config.write_text(json.dumps({**json.loads(config.read_text("utf-8")), **(settings or {})}), "utf-8")
    if weights:
        save_file(weights(load_file(stored)), stored)


class TestOneCopy:
    def test_a_fresh_student_is_the_teacher(self, space: Any) -> None:
        before = nll(space)
        LoraStudent(space=space)
        torch.testing.assert_close(nll(space), before)

    def test_only_the_small_matrices_move_and_the_teacher_stays_bit_for_bit(self, space: Any) -> None:
        vectors, before = space.encode(TEXTS, CODES), nll(space)
        base = {name: weight.clone() for name, weight in space.model.named_parameters()}
        held = list(space.model.parameters())
        learner = LoraStudent(space=space)
        owned = [weight for weight in learner.parameters() if weight.requires_grad]
        assert {id(w) for w in owned} == {id(w) for w in space.model.parameters() if w.requires_grad}
        optimiser = torch.optim.AdamW(owned, lr=0.05)
        for _ in range(3):
            optimiser.zero_grad()
            learner.nll(vectors, space.tokens.batch(TEXTS, CODES)).sum().backward()
            assert all(weight.grad is not None for weight in owned)
            optimiser.step()
        assert not torch.allclose(nll(space), before, rtol=1e-3)
        with learner.as_teacher() as teacher, learner.as_teacher():
            assert torch.equal(nll(teacher), before)
            assert torch.equal(teacher.encode(TEXTS, CODES), vectors)
        with learner.as_teacher() as teacher:
            with learner.as_teacher():
                pass
            assert torch.equal(nll(teacher), before)  # leaving an inner block does not wake the student
        assert not torch.allclose(nll(space), before, rtol=1e-3)
        assert all(torch.equal(weight, kept) for weight, kept in zip(held, base.values(), strict=True))

    def test_teacher_and_student_are_one_copy_in_memory(self, space: Any) -> None:
        def storages() -> dict[int, int]:
            held = [*space.model.parameters(), *space.model.buffers()]
            return {w.untyped_storage().data_ptr(): w.untyped_storage().nbytes() for w in held}

        pointers = {id(weight): weight.data_ptr() for weight in space.model.parameters()}
        before = storages()
        learner = LoraStudent(space=space)
        assert all(w.data_ptr() == pointers[id(w)] for w in space.model.parameters() if id(w) in pointers)
        assert len(pointers) == sum(id(w) in pointers for w in space.model.parameters())
        assert sum(storages().values()) == sum(before.values()) + sum(4 * w.numel() for w in learner.parameters())
        with learner.as_teacher() as teacher:
            assert teacher.model is learner.space.model
            assert sum(storages().values()) == sum(before.values()) + sum(4 * w.numel() for w in learner.parameters())

    @pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
    def test_small_matrices_are_float32_over_a_base_of_half_precision(self, space_folder: Path, dtype: Any) -> None:
        space = SentenceSpace.from_pretrained(space_folder, dtype=dtype)
        before, named = nll(space), space.vector_id
        learner = taught(space)
        assert {weight.dtype for weight in learner.parameters()} == {torch.float32}
        assert {w.dtype for w in space.model.parameters() if not w.requires_grad} == {dtype}
        vectors, tokens = torch.randn(3, space.dim), space.tokens.batch(TEXTS, CODES)
        learner.nll(vectors, tokens).sum().backward()
        assert all(w.grad is not None and w.grad.isfinite().all() for w in learner.parameters())
        assert not torch.allclose(nll(space), before, rtol=1e-2) and space.vector_id == named
        with learner.as_teacher() as teacher:
            assert torch.equal(nll(teacher), before)

    def test_what_learns_is_the_same_before_in_and_after_a_block(self, space: Any) -> None:
        learner = taught(space)
        frozen = learner.adapters[next(iter(learner.adapters))].requires_grad_(False)
        before = {name: weight.requires_grad for name, weight in learner.named_parameters()}
        assert set(before.values()) == {True, False}
        with learner.as_teacher():
            assert {name: weight.requires_grad for name, weight in learner.named_parameters()} == before
        assert {name: weight.requires_grad for name, weight in learner.named_parameters()} == before
        learner.nll(torch.randn(3, space.dim), space.tokens.batch(TEXTS, CODES)).sum().backward()
        assert all(weight.grad is None for weight in frozen.parameters())
        assert all((weight.grad is not None) == before[name] for name, weight in learner.named_parameters())

    def test_a_second_student_over_the_same_space_is_refused(self, space: Any) -> None:
        learner = taught(space)
        expected = nll(space)
        with pytest.raises(UserError, match="has a LoRA student already"):
            LoraStudent(space=space)
        assert torch.equal(nll(space), expected)
        LoraStudent(space=learner.merge())


class TestTargets:
    def test_query_and_key_of_the_cross_attention_are_dead_and_left_out(self, space: Any) -> None:
        learner = LoraStudent(space=space)
        assert learner.adapters and all("/decoder/" in name for name in learner.adapters)
        assert not [name for name in learner.adapters if "encoder_attn/q_proj" in name or "encoder_attn/k_proj" in name]
        space.model.requires_grad_(True)
        vectors, tokens = space.encode(TEXTS, CODES), space.tokens.batch(TEXTS, CODES)
        inputs = decoder_inputs(tokens, space.tokens.end)
        plain_states(space.model.model.decoder, vectors, inputs).square().sum().backward()
        attention = space.model.model.decoder.layers[0].encoder_attn
        assert attention.q_proj.weight.grad.abs().max() < 1e-6 < attention.v_proj.base_layer.weight.grad.abs().max()
        assert attention.k_proj.weight.grad.abs().max() < 1e-6

    def test_other_targets_may_be_chosen(self, space: Any) -> None:
        learner = LoraStudent(space=space, targets=("fc1", "encoder_attn.v_proj"))
        assert {name.rpartition("/")[2] for name in learner.adapters} == {"fc1", "v_proj"}
        assert not [name for name in learner.adapters if "self_attn" in name]

    def test_every_small_matrix_gets_the_gradient_of_transformers_own_pass(self, space: Any) -> None:
        space.model.double()
        learner = taught(space, targets=(*student.LIVE_PROJECTIONS, "fc1", "fc2"))
        owned, tokens = list(learner.parameters()), space.tokens.batch(TEXTS, CODES)
        vectors = torch.randn(3, space.dim, dtype=torch.float64)
        states = plain_states(space.model.model.decoder, vectors, decoder_inputs(tokens, space.tokens.end))
        losses = functional.cross_entropy(space.model.lm_head(states)[tokens.mask], tokens.ids[tokens.mask])
        plain = torch.autograd.grad(losses, owned)
        shares = tokens.mask.sum(dim=1).double() / tokens.mask.sum()
        ours = torch.autograd.grad((learner.nll(vectors, tokens) * shares).sum(), owned)
        for found, expected in zip(ours, plain, strict=True):
            assert expected.any()
            torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-12)

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            ({"targets": ("encoder_attn.q_proj",)}, "'encoder_attn.q_proj' means .* dead"),
            ({"targets": ("self_attn.v_proj", "k_proj")}, "'k_proj' means .* dead"),
            ({"targets": ("self_attn.w_proj",)}, "'self_attn.w_proj' is no projection"),
            ({"targets": ("embed_tokens",)}, "'embed_tokens' is no projection"),
            ({"targets": ()}, r"targets \(\)"),
            ({"targets": "fc1"}, "targets 'fc1'"),
            ({"targets": (1,)}, "names of projections"),
            ({"rank": 0}, "rank 0"),
            ({"rank": "x"}, "rank 'x'"),
            ({"rank": True}, "rank True"),
            ({"rank": 2.0}, "rank 2.0"),
            ({"alpha": "x"}, "alpha 'x'"),
            ({"alpha": 0}, "alpha 0"),
            ({"alpha": float("nan")}, "alpha nan"),
            ({"dropout": 2}, "dropout 2"),
            ({"dropout": 1}, "dropout 1"),
            ({"dropout": -0.5}, "dropout -0.5"),
            ({"dropout": "a lot"}, "dropout 'a lot'"),
        ],
    )
    def test_what_makes_no_student_is_refused_before_anything_is_touched(
        self, space: Any, options: Any, says: str
    ) -> None:
        names = [name for name, _ in space.model.named_modules()]
        with pytest.raises(UserError, match=says):
            LoraStudent(space=space, **options)
        assert [name for name, _ in space.model.named_modules()] == names
        assert not any(weight.requires_grad for weight in space.model.parameters())


class TestSaving:
    @pytest.fixture
    def saved(self, space_folder: Path, tmp_path: Path) -> tuple[Path, LoraStudent]:
        learner = taught(SentenceSpace.from_pretrained(space_folder), alpha=12, dropout=0.25)
        learner.save(tmp_path / "run" / "adapters")
        return tmp_path / "run" / "adapters", learner.eval()

    def test_only_the_adapters_are_saved(self, saved: Any) -> None:
        folder, learner = saved
        assert sorted(path.name for path in folder.parent.iterdir()) == ["adapters"]
        assert sorted(path.name for path in folder.iterdir()) == ["adapter_config.json", "adapter_model.safetensors"]
        stored = load_file(folder / "adapter_model.safetensors")
        assert sum(w.numel() for w in stored.values()) == sum(w.numel() for w in learner.parameters())
        settings = json.loads((folder / "adapter_config.json").read_text("utf-8"))
        assert settings["base_model_name_or_path"] == learner.space.name
        assert settings["auto_mapping"]["base_fingerprint"] == learner.space.fingerprint

    def test_every_weight_comes_back_bit_for_bit(self, saved: Any, space: Any) -> None:
        folder, learner = saved
        again = LoraStudent.load(folder, space=space).eval()
        kept, found = small(learner), small(again)
        assert kept.keys() == found.keys() and len(kept) == 12
        assert all(torch.equal(kept[name], found[name]) for name in kept)
        assert torch.equal(nll(space), nll(learner.space))
        assert all(weight.requires_grad for weight in again.parameters())
        dropouts = {layer.lora_dropout["default"].p for layer in space.model.modules() if isinstance(layer, LoraLayer)}
        assert dropouts == {0.25}

    @pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")  # peft asks transformers by it
    def test_peft_opens_it_over_the_same_base(self, saved: Any, space: Any) -> None:
        folder, learner = saved
        model = PeftModel.from_pretrained(space.model, folder).eval()
        adapted = [name for name, layer in space.model.named_modules() if isinstance(layer, LoraLayer)]
        assert {name.replace(".", "/") for name in adapted} == set(learner.adapters)
        assert model.peft_config["default"].r == 4
        assert torch.equal(nll(space), nll(learner.space))

    def test_peft_sets_its_weights_too(self, saved: Any, space: Any) -> None:
        folder, learner = saved
        inject_adapter_in_model(LoraConfig.from_pretrained(folder), space.model)
        result = set_peft_model_state_dict(space.model, load_file(folder / "adapter_model.safetensors"))
        assert not result.unexpected_keys and not [name for name in result.missing_keys if "lora" in name]
        space.model.eval()
        assert torch.equal(nll(space), nll(learner.space))

    def test_saving_again_replaces_the_adapters_and_nothing_else(self, saved: Any, space: Any) -> None:
        folder, learner = saved
        with torch.no_grad():
            next(learner.parameters()).zero_()
        learner.save(folder)
        assert not next(LoraStudent.load(folder, space=space).parameters()).any()
        (folder / "notes.txt").write_text("mine")
        with pytest.raises(UserError, match="folder of their own"):
            learner.save(folder)
        assert (folder / "notes.txt").exists() and len(list(folder.parent.iterdir())) == 1

    def test_a_failed_save_leaves_what_was_there(self, saved: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        folder, learner = saved
        before = (folder / "adapter_model.safetensors").read_bytes()

        def full(*_: Any, **__: Any) -> None:
            raise OSError("no space left on device")

        monkeypatch.setattr(LoraConfig, "save_pretrained", full)
        with torch.no_grad():
            next(learner.parameters()).zero_()
        with pytest.raises(OSError, match="no space left"):
            learner.save(folder)
        assert (folder / "adapter_model.safetensors").read_bytes() == before
        assert [path.name for path in folder.parent.iterdir()] == ["adapters"]

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"weights": lambda kept: dict(list(kept.items())[1:])}, "1 weights are missing"),
            ({"weights": lambda kept: {**kept, "base_model.model.x.lora_A.weight": torch.ones(1)}}, "1 are too many"),
            ({"weights": lambda kept: {name: weight[:, :3].clone() for name, weight in kept.items()}}, "has shape"),
            ({"settings": {"target_modules": ["encoder_attn.q_proj"]}}, "dead"),
            ({"settings": {"target_modules": ".*q_proj"}}, "describes no LoRA"),
            ({"settings": {"target_modules": []}}, r"targets \[\]"),
            ({"settings": {"target_modules": ["fc1", 2]}}, "names of projections"),
            ({"settings": {"r": "4"}}, "rank '4'"),
            ({"settings": {"lora_alpha": None}}, "alpha None"),
            ({"settings": {"lora_dropout": [0.1]}}, r"dropout \[0.1\]"),
            ({"settings": {"auto_mapping": ["base_fingerprint"]}}, "auto_mapping"),
            ({"settings": {"use_rslora": True}}, "use_rslora=True"),
            ({"settings": {"bias": "lora_only"}}, "bias='lora_only'"),
            ({"settings": {"fan_in_fan_out": True}}, "fan_in_fan_out"),
            ({"settings": {"layer_replication": [[0, 1], [0, 1]]}}, "layer_replication"),
            ({"settings": {"alora_invocation_tokens": [5]}}, "alora_invocation_tokens"),
            ({"settings": {"init_lora_weights": "pissa"}}, "init_lora_weights='pissa'"),
            ({"settings": {"init_lora_weights": "pissa_niter_4"}}, "init_lora_weights"),
            ({"settings": {"init_lora_weights": "olora"}}, "init_lora_weights='olora'"),
            ({"settings": {"init_lora_weights": "loftq", "loftq_config": {"bits": 4}}}, "loftq_config.*init_lora"),
            ({"settings": {"an_option_of_tomorrow": {"on": True}}}, "an_option_of_tomorrow"),
            ({"settings": {"r": 5}}, "has shape"),
            ({"settings": {"auto_mapping": {"base_fingerprint": "of another"}}}, "learnt over"),
        ],
    )
    def test_what_does_not_fit_is_refused_before_anything_is_touched(
        self, saved: Any, space: Any, change: Any, says: str
    ) -> None:
        folder, _ = saved
        rewritten(folder, **change)
        with pytest.raises(UserError, match=says):
            LoraStudent.load(folder, space=space)
        LoraStudent(space=space)  # still free

    def test_another_base_is_taken_when_asked_for(self, saved: Any, space: Any) -> None:
        folder, learner = saved
        rewritten(folder, settings={"auto_mapping": {"base_fingerprint": "of another"}})
        again = LoraStudent.load(folder, space=space, same_base=False)
        assert all(torch.equal(weight, small(learner)[name]) for name, weight in small(again).items())

    def test_settings_that_say_nothing_about_the_vectors_are_taken(self, saved: Any, space: Any) -> None:
        folder, learner = saved
        harmless = {"task_type": "SEQ_2_SEQ_LM", "init_lora_weights": "gaussian", "revision": "main"}
        rewritten(folder, settings={**harmless, "an_option_of_tomorrow": None, "alpha_pattern": {}})
        again = LoraStudent.load(folder, space=space)
        assert all(torch.equal(weight, small(learner)[name]) for name, weight in small(again).items())

    def test_a_list_is_no_config(self, saved: Any, space: Any) -> None:
        folder, _ = saved
        (folder / "adapter_config.json").write_text("[1, 2]", "utf-8")
        with pytest.raises(UserError, match="describes no LoRA"):
            LoraStudent.load(folder, space=space)

    def test_broken_folders_are_one_sentence(self, saved: Any, space: Any) -> None:
        folder, _ = saved
        with pytest.raises(UserError, match="No adapters"):
            LoraStudent.load(folder.parent, space=space)
        with (folder / "adapter_model.safetensors").open("r+b") as file:
            file.truncate(100)
        with pytest.raises(UserError, match="cannot be read"):
            LoraStudent.load(folder, space=space)


class TestMerging:
    def test_merging_is_exact(self, space: Any) -> None:
        space.model.double()
        learner = taught(space, targets=(*student.LIVE_PROJECTIONS, "fc1", "fc2"))
        assert {weight.dtype for weight in learner.parameters()} == {torch.float64}
        vectors = torch.randn(3, space.dim, dtype=torch.float64)
        before = learner.space.log_likelihood(vectors, TEXTS, CODES)
        with learner.as_teacher() as teacher:
            assert not torch.allclose(teacher.log_likelihood(vectors, TEXTS, CODES), before, rtol=1e-2)
        said = learner.decode(vectors, CODES, num_beams=2, max_new_tokens=12)
        merged = learner.merge()
        torch.testing.assert_close(merged.log_likelihood(vectors, TEXTS, CODES), before, rtol=1e-10, atol=1e-10)
        assert merged.decode(vectors, CODES, num_beams=2, max_new_tokens=12) == said

    @pytest.mark.parametrize(
        ("dtype", "tolerance"), [("float32", 1e-5), ("bfloat16", 2e-2)], ids=["float32", "bfloat16"]
    )
    def test_in_lower_precision_it_is_exact_but_for_rounding(
        self, space_folder: Path, dtype: str, tolerance: float
    ) -> None:
        learner = taught(SentenceSpace.from_pretrained(space_folder, dtype=dtype))
        before = nll(learner.space)
        torch.testing.assert_close(nll(learner.merge()), before, rtol=tolerance, atol=tolerance)

    def test_what_comes_out_is_an_ordinary_space(self, space: Any, space_folder: Path, tmp_path: Path) -> None:
        plain = SentenceSpace.from_pretrained(space_folder)
        learner = taught(space)
        former = space.fingerprint
        merged = learner.merge()
        names = [(name, type(module)) for name, module in plain.model.named_modules()]
        assert [(name, type(module)) for name, module in merged.model.named_modules()] == names
        assert not any(isinstance(module, LoraLayer) for module in merged.model.modules())
        assert not hasattr(merged.model, "peft_config") and not any(w.requires_grad for w in merged.model.parameters())
        assert merged.model.state_dict().keys() == plain.model.state_dict().keys()
        assert merged.fingerprint != former == plain.fingerprint
        merged.save(tmp_path / "merged")
        again = SentenceSpace.from_pretrained(tmp_path / "merged")
        assert again.fingerprint == merged.fingerprint and torch.equal(nll(again), nll(merged))
        assert torch.equal(again.encode(TEXTS, CODES), plain.encode(TEXTS, CODES))  # the encoder is the teacher's

    def test_a_merged_student_has_neither_teacher_nor_adapters(self, space: Any, tmp_path: Path) -> None:
        learner = taught(space)
        merged = learner.merge()
        assert learner.space is merged and not list(learner.parameters())
        with pytest.raises(UserError, match="no teacher any more"), learner.as_teacher():
            pass
        with pytest.raises(UserError, match="no adapters to save"):
            learner.save(tmp_path / "adapters")
        assert not list(tmp_path.iterdir())
        with pytest.raises(UserError, match="no adapters to merge"):
            learner.merge()

    def test_whoever_holds_the_space_sees_that_it_changed(self, space: Any, space_folder: Path, tmp_path: Path) -> None:
        former, vectors_of, named = space.fingerprint, space.vector_id, space.name
        merged = taught(space).merge()
        assert merged is space and space.fingerprint != former and space.vector_id != vectors_of
        second = taught(space)
        second.save(tmp_path / "second")
        settings = json.loads((tmp_path / "second" / "adapter_config.json").read_text("utf-8"))
        assert settings["auto_mapping"]["base_fingerprint"] == space.fingerprint
        assert settings["base_model_name_or_path"] != named
        with pytest.raises(UserError, match="learnt over"):
            LoraStudent.load(tmp_path / "second", space=SentenceSpace.from_pretrained(space_folder))

    def test_broken_weights_are_not_merged(self, space: Any) -> None:
        learner = taught(space)
        with torch.no_grad():
            next(learner.parameters())[0, 0] = float("nan")
        base = {name: w.clone() for name, w in space.model.named_parameters() if "lora" not in name}
        with pytest.raises(UserError, match="1 adapter weights hold NaN"):
            learner.merge()
        now = dict(space.model.named_parameters())
        assert all(torch.equal(now[name], weight) for name, weight in base.items())


def test_a_plain_student_owns_nothing(space: Any) -> None:
    plain = student.Student(space=space)
    assert not list(plain.parameters()) and isinstance(plain, nn.Module)
    with plain.as_teacher() as teacher:
        assert teacher is space
