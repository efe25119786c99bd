"""A checkpoint of the reference tools: the same vectors and the same sentences, or one sentence that says why not.

The tools' model is written out here once more, in torch's own layers, and its LoRA is peft's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
from torch import Tensor, nn

from sonar_slt import SentenceSpace
from sonar_slt.adapter import Measure, ReferenceAdapter
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError
from sonar_slt.space import LoraStudent, Student
from sonar_slt.task.reference.checkpoint import read_reference
from sonar_slt.task.reference.start import start_from_reference, weights_for

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # peft asks transformers

LANDMARKS, FRAME, DIM, SPACE = 75, 16, 32, 32
SIZES: dict[str, Any] = {"dim": SPACE, "layers": 2, "heads": 4, "hidden": 48, "vocabulary": 9000}
RANK, ALPHA = 4, 12
TARGETS = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "encoder_attn.v_proj"]
CONFIG = {"T": 128, "clip_frames": 16, "model_name": "mtmlt/sonar-nllb-200-1.3B", "tgt_lang": "spa_Latn", "lr": 3e-4}


def timed(dim: int, layers: int) -> nn.ModuleDict:
    layer = nn.TransformerEncoderLayer(dim, 8, 4 * dim, 0.1, "gelu", batch_first=True, norm_first=True)
    stack = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
    return nn.ModuleDict({"encoder": stack, "layer_norm": nn.LayerNorm(dim)})


class Theirs(nn.Module):
    """The tools' adapter for keypoints, smaller, by the names that its checkpoints have."""

    def __init__(self) -> None:
        super().__init__()
        width = 3 * LANDMARKS
        entry = [nn.LayerNorm(width), nn.Linear(width, FRAME), nn.GELU(), nn.Dropout(0.1), nn.Linear(FRAME, FRAME)]
        self.kp_enc = nn.ModuleDict({"proj": nn.Sequential(*entry), "temporal": timed(FRAME, 3)})
        self.kp_proj = nn.Linear(FRAME, DIM)
        self.keypoint_bias = nn.Parameter(torch.zeros(DIM))
        self.fusion = timed(DIM, 2)
        self.out_norm, self.out_proj = nn.LayerNorm(DIM), nn.Linear(DIM, DIM)

    def forward(self, clip: Tensor) -> Tensor:
        states = self.kp_enc["proj"](clip.flatten(2))
        for half, widen in ((self.kp_enc["temporal"], self.kp_proj), (self.fusion, nn.Identity())):
            states = widen(half["layer_norm"](half["encoder"](states)))
            states = states + self.keypoint_bias if widen is self.kp_proj else states
        pooled: Tensor = self.out_proj(self.out_norm(states.mean(dim=1)))
        return pooled


class Task(nn.Module):
    """What of a sign training the weights go into."""

    def __init__(self, adapter: nn.Module, student: Student) -> None:
        super().__init__()
        self.adapter, self.student = adapter, student


def moved(model: nn.Module) -> None:
    """Let every weight be something else than what it starts as."""
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.requires_grad:
                weight.add_(0.2 * torch.randn(weight.shape, generator=generator))


@pytest.fixture(scope="module")
def tools() -> tuple[Theirs, nn.Linear, Any]:
    """Adapter, bridge, and the decoder with LoRA as the tools ask for it."""
    torch.manual_seed(2)
    adapter, bridge = Theirs(), nn.Linear(DIM, SPACE, bias=False)
    asked = LoraConfig(
        r=RANK,
        lora_alpha=ALPHA,
        lora_dropout=0.05,
        task_type="SEQ_2_SEQ_LM",
        target_modules=("q_proj", "k_proj", "v_proj", "o_proj"),
    )
    decoder = get_peft_model(SentenceSpace.at_random(**SIZES).model, asked)
    for model in (adapter, bridge, decoder):
        moved(model)
    return adapter.eval(), bridge, decoder.eval()


def content(tools: Any, **changes: Any) -> dict[str, Any]:
    """What the tools write, with changes; None leaves a key out."""
    adapter, bridge, decoder = tools
    peft = json.loads(json.dumps(decoder.peft_config["default"].to_dict(), default=str))
    written = {
        "adapter": adapter.state_dict(),
        "bridge": bridge.state_dict(),
        "lora": get_peft_model_state_dict(decoder),
        "lora_config": {**peft, "target_modules": ("q_proj", "k_proj", "v_proj", "o_proj")},
        "config": CONFIG,
        "d_model": SPACE,
        "num_landmarks": LANDMARKS,
        **changes,
    }
    return {key: value for key, value in written.items() if value is not None}


@pytest.fixture
def saved(tools: Any, tmp_path: Path) -> Any:
    def save(**changes: Any) -> Path:
        torch.save(content(tools, **changes), tmp_path / "adapter_final.pt")
        return tmp_path / "adapter_final.pt"

    return save


def measured(landmarks: int = LANDMARKS, dim: int = SPACE) -> Measure:
    sample = Track(torch.zeros(1, 2, landmarks, 3), torch.ones(1, 2, dtype=torch.bool))
    return Measure(
        samples={"points": sample},
        vector_mean=torch.full((dim,), 0.3),
        vector_std=torch.full((dim,), 0.01),
    )


def task(
    *,
    landmarks: int = LANDMARKS,
    space: Mapping[str, Any] | None = None,
    adapter: Mapping[str, Any] | None = None,
    student: Mapping[str, Any] | None = None,
) -> Any:
    """A task that fits the checkpoint, but for what is given."""
    torch.manual_seed(0)
    opened = SentenceSpace.at_random(**{**SIZES, **(space or {})})
    sizes: dict[str, Any] = {"frame_dim": FRAME, "frame_layers": 3, "dim": DIM, "layers": 2, "positions": False}
    reading = ReferenceAdapter(measure=measured(landmarks, opened.dim), **{**sizes, **(adapter or {})})
    lora: dict[str, Any] = {"rank": RANK, "alpha": ALPHA, "targets": TARGETS}
    return Task(reading, LoraStudent(space=opened, **{**lora, **(student or {})})).eval()


def frozen() -> Any:
    made = task()
    made.student = Student(space=SentenceSpace.at_random(**SIZES))
    return made


def other() -> Any:
    made = task()
    made.adapter = nn.Linear(1, 1)
    return made


def filled(made: Any, path: Path) -> Any:
    weights = weights_for(made, read_reference(path))
    assert weights.keys() == {name for name in made.state_dict() if name.startswith(("adapter.", "student."))}
    start_from_reference(made, path, ["adapter", "student"] if len(list(made.student.parameters())) else ["adapter"])
    return made


def clip() -> Tensor:
    generator = torch.Generator().manual_seed(3)
    places = torch.randn(2, 20, LANDMARKS, 2, generator=generator)
    return torch.cat([places, 0.1 + 0.9 * torch.rand(2, 20, LANDMARKS, 1, generator=generator)], dim=-1)


@torch.no_grad()
def test_the_vectors_are_those_of_the_tools(tools: Any, saved: Any) -> None:
    made, points = filled(task(), saved()), clip()
    vectors = made.adapter({"points": Track(points, torch.ones(2, 20, dtype=torch.bool))})
    expected = tools[1](tools[0](points))
    assert expected.std() > 0.1
    torch.testing.assert_close(vectors, expected, rtol=0, atol=1e-5)


@torch.no_grad()
def test_a_part_is_taken_and_the_rest_stays(saved: Any) -> None:
    path, made, before = saved(), task(), task()
    assert list(start_from_reference(made, path, ["adapter.wide", "adapter.bridge"])) == list(
        read_reference(path).notes
    )
    changed = {
        ".".join(name.split(".")[:2])
        for name, weight in made.state_dict().items()
        if not torch.equal(weight, before.state_dict()[name])
    }
    assert changed == {"adapter.wide", "adapter.bridge"}


@torch.no_grad()
def sentence_losses(made: Any, tools: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Of vectors and sentences: what our student makes of them, the tools' decoder, and our teacher."""
    space, vectors = made.student.space, torch.randn(2, SPACE, generator=torch.Generator().manual_seed(6))
    tokens = space.tokens.batch(["hoy llueve", "nada"], ["spa_Latn", "spa_Latn"])
    theirs = torch.stack(
        [
            tools[2](encoder_outputs=(vector[None, None],), labels=ids[mask][None]).loss
            for vector, ids, mask in zip(vectors, tokens.ids, tokens.mask, strict=True)
        ]
    )
    with made.student.as_teacher() as teacher:
        plain = Student(space=teacher).nll(vectors, tokens)
    return made.student.nll(vectors, tokens), theirs, plain


@pytest.mark.parametrize("named", ["without the adapter's name", "with it"])
def test_the_decoder_says_what_it_said_there(named: str, tools: Any, saved: Any) -> None:
    """Although what they learnt of dead projections and of the encoder is not there any more."""
    own = {name: weight for name, weight in tools[2].state_dict().items() if "lora_" in name}
    path = saved() if named.startswith("without") else saved(lora=own)
    ours, theirs, teacher = sentence_losses(filled(task(), path), tools)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)
    assert (ours - teacher).abs().min() > 1e-3


def test_targets_that_the_student_has_beyond_theirs_change_nothing(tools: Any, saved: Any) -> None:
    made = filled(task(student={"targets": [*TARGETS, "self_attn.out_proj", "fc1"]}), saved())
    ours, theirs, _ = sentence_losses(made, tools)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


def test_every_change_of_a_matrix_is_peft_s_own(tools: Any, saved: Any) -> None:
    made = filled(task(), saved())
    for name, pair in made.student.adapters.items():
        theirs = tools[2].get_submodule(f"base_model.model.{name.replace('/', '.')}")
        ours = made.student.space.model.get_submodule(name.replace("/", "."))
        torch.testing.assert_close(ours.get_delta_weight("default"), theirs.get_delta_weight("default"))
        assert pair["b"].weight.any()


def test_a_training_s_state_is_the_same_weights_without_its_optimiser(tools: Any, tmp_path: Path) -> None:
    folder = tmp_path / "adapter_step000500"
    folder.mkdir()
    torch.save(content(tools, optimizer={"state": {}}, step=500, nce_queue=None), folder / "training_state.pt")
    torch.save(content(tools), tmp_path / "adapter_step000500.pt")
    state, plain = read_reference(folder), read_reference(str(tmp_path / "adapter_step000500.pt"))
    assert all(torch.equal(weight, plain.adapter[name]) for name, weight in state.adapter.items())
    assert set(state.notes) - set(plain.notes) == {
        "Dropped: optimizer. A training starts with these weights, it does not go on."
    }


def test_it_tells_its_settings_and_what_was_dropped(saved: Any) -> None:
    imported = read_reference(saved())
    assert imported.settings == {
        **{key: CONFIG[key] for key in ("T", "clip_frames", "model_name", "tgt_lang")},
        **{"rank": RANK, "alpha": ALPHA, "num_landmarks": LANDMARKS, "d_model": SPACE},
    }
    assert imported.targets == TARGETS
    told = " ".join(imported.notes)
    assert "LoRA of 6 projections of the encoder" in told and "LoRA of 4 queries and keys" in told
    assert "o_proj" in told and "adapter.positions=false normalise=frame preparation.layout=mediapipe_75" in told


def test_a_decoder_that_learnt_nothing_fits_every_student(saved: Any) -> None:
    path = saved(lora=None, lora_config=None)
    assert "It has no LoRA: the decoder is the space's own." in read_reference(path).notes
    filled(task(student={"rank": 2}), path)
    filled(frozen(), path)


NAMED = r"space=sonar space\.source=mtmlt/sonar-nllb-200-1\.3B"


@pytest.mark.parametrize(
    ("part", "make", "said"),
    [
        ("adapter", other, r"it wants adapter=reference\."),
        ("adapter", partial(task, landmarks=137), r"preparation\.layout=mediapipe_75 \(its points are 75, here 137\)"),
        ("adapter", partial(task, landmarks=7), r"preparation\.layout=mediapipe_75 \(its points are 75, here 7\)"),
        (
            "adapter",
            partial(task, adapter={"heads": 4, "layers": 1}),
            r"adapter\.layers=2 \(here 1\), adapter\.heads=8 \(",
        ),
        ("adapter", partial(task, space={"dim": 64}), rf"{NAMED} \(its vectors have 32 numbers, here 64\)"),
        ("student", partial(task, space={"layers": 3}), rf"{NAMED} \(its decoder has other layers\)"),
        ("student", partial(task, student={"rank": 8}), r"student\.rank=4 \(here 8\)\."),
        ("student", partial(task, student={"alpha": 4}), r"student\.alpha=12 \(here 4\)\."),
        (
            "student",
            partial(task, student={"targets": ["fc1", *TARGETS[:3]]}),
            r"student\.targets=\[self_attn\.q_proj,self_attn\.k_proj,self_attn\.v_proj,encoder_attn\.v_proj,fc1\] \(",
        ),
        ("student", frozen, r"student=lora student\.rank=4 student\.alpha=12 student\.targets=\[self_attn"),
    ],
)
def test_what_does_not_fit_is_told_with_the_words_that_do(part: str, make: Any, said: str, saved: Any) -> None:
    imported, made = read_reference(saved()), make()
    for asked in ({}, {"parts": [part]}, {"parts": [f"{part}.something"]}):
        with pytest.raises(UserError, match=said):
            weights_for(made, imported, **asked)


def test_what_is_not_asked_for_need_not_fit(saved: Any) -> None:
    imported = read_reference(saved())
    assert {name.split(".")[0] for name in weights_for(frozen(), imported, ["adapter"])} == {"adapter"}
    assert {name.split(".")[0] for name in weights_for(other(), imported, ["student"])} == {"student"}


def without(weights: Mapping[str, Tensor], name: str, **more: Tensor) -> dict[str, Tensor]:
    return {key: weight for key, weight in weights.items() if key != name} | more


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (lambda made: {"bridge": None}, "expected weights as adapter and as bridge"),
        (lambda made: {"adapter": {"x": 3}}, "expected weights as adapter and as bridge"),
        (lambda made: {"adapter": without(made["adapter"], "kp_proj.weight")}, r"lacks widen\.weight"),
        (lambda made: {"adapter": without(made["adapter"], "", extra=torch.ones(1))}, "holds extra, which the tools'"),
        (lambda made: {"adapter": without(made["adapter"], "", **{"vit.x": torch.ones(1)})}, "keypoints and video"),
        (
            lambda made: {"adapter": without(made["adapter"], "", **{"out_norm.weight": torch.ones(3)})},
            r"holds norm\.weight as \(3,\), expected was \(32,\)",
        ),
        (
            lambda made: {"adapter": without(made["adapter"], "", **{"out_norm.bias": torch.full((DIM,), torch.nan)})},
            r"NaN or infinity in 1 of its weights \(norm\.bias\)",
        ),
        (lambda made: {"lora": [1]}, "something else than weights as lora"),
        (lambda made: {"lora": {"decoder.magnitude": torch.ones(1)}}, "no matrix of one plain LoRA"),
        (lambda made: {"lora": dict(list(made["lora"].items())[:1])}, "one half of the LoRA"),
        (lambda made: {"lora_config": {**made["lora_config"], "r": 8}}, r"has rank 8, but its matrices have \[4\]"),
        (lambda made: {"lora_config": {**made["lora_config"], "use_dora": True}}, "a LoRA with use_dora"),
        (lambda made: {"config": date(2026, 1, 1)}, r"it asks for datetime\.date, which could run code"),
    ],
)
def test_a_broken_checkpoint_is_refused_in_one_sentence(changes: Any, said: str, tools: Any, saved: Any) -> None:
    path = saved(**changes(content(tools)))
    with pytest.raises(UserError, match=said) as refused:
        read_reference(path)
    assert str(path) in str(refused.value)


def test_a_file_that_is_cut_short_or_no_checkpoint_is_refused(saved: Any, tmp_path: Path) -> None:
    path = saved()
    for whole, said in ((path.read_bytes()[:-500], "is cut short"), (b"", "is cut short"), (b"hello", "is cut short")):
        path.write_bytes(whole)
        with pytest.raises(UserError, match=said):
            read_reference(path)
    for nothing in (tmp_path / "none.pt", tmp_path):
        with pytest.raises(UserError, match="No checkpoint of the reference tools at"):
            read_reference(nothing)
