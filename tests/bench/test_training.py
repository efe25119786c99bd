"""The measurements of training measure the same work: one clip, one text, one loss and one gradient in both ways."""

from __future__ import annotations

import time
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from torch import Tensor

from sonar_slt import SentenceSpace
from sonar_slt.bench.memory import RESET
from sonar_slt.bench.report import plain_numbers, show
from sonar_slt.bench.timing import Comparison, Footprint, Machine, Share
from sonar_slt.bench.training import step as signing
from sonar_slt.bench.training.loop import stepping
from sonar_slt.bench.training.reference import repeated
from sonar_slt.bench.training.step import Corpus, apart_at_most, bench_step, unavoidable
from sonar_slt.bench.training.utterances import FRAMES, SIZE, TOKENS, recorded, served
from sonar_slt.bench.training.waiting import AHEAD, bench_waiting
from sonar_slt.cli.bench import SUBJECTS
from sonar_slt.config.assembly import assemble
from sonar_slt.data.batches.batch import ClipBatch
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError
from sonar_slt.space import LoraStudent
from tests.conftest import composed

CPU = torch.device("cpu")
SPACE = {"dim": 32, "layers": 2, "heads": 2, "hidden": 64, "vocabulary": 9000}
SIZES = {"frame_dim": 8, "frame_layers": 1, "frame_heads": 2, "dim": 16, "layers": 1, "heads": 2}
NAMES = {
    "frames.0": "frame.0",
    "frames.1": "frame.1",
    "frames.3": "frame.4",
    "frames.4.norm": "narrow.norm",
    "frames.5": "widen",
    "frames.6.norm": "wide.norm",
    "ending.0": "norm",
    "ending.1": "project",
    "ending.2": "bridge",
    **{
        f"frames.{number}.layers.0.{theirs}": f"{stack}.layers.0.{ours}"
        for number, stack in ((4, "narrow"), (6, "wide"))
        for theirs, ours in {
            "self_attn.in_proj": "attention.mix",
            "self_attn.out_proj": "attention.out",
            "norm1": "before_attention",
            "norm2": "before_hidden",
            "linear1": "hidden.0",
            "linear2": "hidden.2",
        }.items()
    },
}
"""The parts of the plain adapter, and the same parts of ours."""


def fast(*_: Any, **__: Any) -> Machine:
    return Machine(1e12, 1e11)


def tiny(bench: Any, *given: Any, sizes: Any, **options: Any) -> Any:
    """The same measurement with a small adapter; the command's has the reference's sizes."""
    assert sizes == {}
    return bench(*given, sizes=SIZES, **options)


def opened(**changes: Any) -> SentenceSpace:
    return SentenceSpace.at_random(**{**SPACE, **changes})


def corpus(folder: Path, space: SentenceSpace, batches: int = 1) -> Corpus:
    prepared, cache = recorded(folder / "corpus", space, batches * SIZE), folder / "vectors"
    data = served(prepared, space, cache)
    return Corpus(prepared, cache, [data.batch(number) for number in range(batches)], SIZES)


@pytest.mark.skipif(not RESET.exists(), reason="the system does not say what a process held at its peak")
def test_a_step_is_measured_in_memory_and_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Machine, "measured", fast)
    monkeypatch.setattr(signing, "bench_step", partial(tiny, bench_step))
    sizes = {f"large.{name}": size for name, size in {**SPACE, "vocabulary": 20_000}.items()}
    config = composed("bench", tmp_path, {"rounds": 1, "stepped": 2, "adapter": "keypoint", **sizes})
    (tmp_path / "bench").mkdir()
    peaks, times = SUBJECTS["step"](config)
    assert isinstance(peaks, Footprint) and isinstance(times, Comparison)
    assert peaks.plain > peaks.ours > 2**20, "two copies, and the scores of every word"
    assert times.plain > 0 and times.ours > 0
    assert times.of_limit is not None and 0 < times.of_limit < 1
    assert times.name.startswith("2 training steps of 8 clips of 40 to 250 frames") and "float32" in times.name
    assert float(times.note.rpartition(" at most")[0].split()[-1]) < 1e-4, "losses of the same vectors"


def test_clips_and_texts_are_of_the_stated_lengths(tmp_path: Path) -> None:
    batches = corpus(tmp_path, opened(), 3).batches
    frames = [int(length) for batch in batches for length in batch.tracks["points"].mask.sum(1)]
    tokens = [int(length) for batch in batches for length in batch.target.tokens.mask.sum(1)]
    assert (min(frames), max(frames)) == FRAMES and (min(tokens), max(tokens)) == TOKENS
    assert len(set(frames)) > 20 and len(set(tokens)) > 15
    assert {id for batch in batches for id in batch.ids}.isdisjoint({"clip000000", "clip000001"})
    spans = [batch.tracks["points"].mask.sum(1) for batch in batches]
    assert all(int(span.max() - span.min()) < 80 for span in spans), "clips of similar length come together"


def test_a_repeated_frame_stands_where_padding_was() -> None:
    values = torch.arange(1.0, 25).view(2, 4, 1, 3) * torch.tensor([[1.0] * 4, [1, 1, 0, 0]]).view(2, 4, 1, 1)
    mask = values.flatten(2).any(2)
    stood = repeated(Track(values, mask), 6)
    assert torch.equal(stood[:, :2], values[:, :2]) and torch.equal(stood[0, :4], values[0])
    assert all(torch.equal(stood[0, place], values[0, 3]) for place in (4, 5))
    assert all(torch.equal(stood[1, place], values[1, 1]) for place in range(2, 6))


def full(batch: ClipBatch) -> ClipBatch:
    """Its clips without their padding: cut to the shortest."""
    track = batch.tracks["points"]
    shortest = int(track.mask.sum(1).min())
    return batch.shown({"points": Track(track.values[:, :shortest].double(), track.mask[:, :shortest])})


def test_both_steps_learn_the_same_from_clips_without_padding(tmp_path: Path) -> None:
    """The whole step in float64, from the points to the gradient of every weight, LoRA switched on."""
    space = opened(dtype="float64")
    made = corpus(tmp_path, space)
    task = made.task(space).double()
    student, ours = task.student, task.adapter
    assert isinstance(student, LoraStudent)
    training = made.plain(space, student)
    plain = training.adapter.double()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weight in student.parameters():
            weight.copy_(0.1 * torch.randn(weight.shape, generator=generator))
        for name, weight in plain.named_parameters():
            part, _, kind = name.replace("in_proj_", "in_proj.").rpartition(".")
            weight.copy_(ours.get_parameter(f"{NAMES[part]}.{kind}"))
    ours.positions, ours.vector_mean[:], ours.vector_std[:] = False, 0.0, 1.0  # type: ignore[assignment, operator, index]
    batch = full(made.batches[0])
    assert (plain(batch.tracks["points"].values) - ours(batch.tracks)).abs().max() < 1e-10
    assert apart_at_most(task, training, batch) < 1e-5, "the cache keeps float32"
    kept = {name: weight.detach().clone() for name, weight in student.named_parameters()}
    stepping(task)(batch)
    slopes = gradients(student, ours)
    with torch.no_grad():
        for name, weight in student.named_parameters():
            weight.copy_(kept[name])
    training.step(batch.tracks["points"].values, batch.target.tokens)
    theirs = gradients(student, plain)
    assert slopes.keys() == theirs.keys() and len(slopes) > 40
    for name, slope in slopes.items():
        torch.testing.assert_close(theirs[name], slope, rtol=1e-4, atol=1e-7, msg=name)


def gradients(student: LoraStudent, adapter: torch.nn.Module) -> dict[str, Tensor]:
    """What every weight was told, by our names."""
    found = {f"student.{name}": weight.grad for name, weight in student.named_parameters()}
    for name, weight in adapter.named_parameters():
        part, _, kind = name.replace("in_proj_", "in_proj.").rpartition(".")
        found[f"adapter.{NAMES.get(part, part)}.{kind}"] = weight.grad
    return {name: slope for name, slope in found.items() if slope is not None}


def test_a_difference_between_the_losses_is_seen(tmp_path: Path) -> None:
    space = opened()
    made = corpus(tmp_path, space)
    task = made.task(space)
    assert isinstance(task.student, LoraStudent)
    training = made.plain(opened(seed=1), task.student)
    assert apart_at_most(task, training, made.batches[0]) > 0.01, "another teacher"


def test_what_cannot_be_avoided_grows_with_the_weights_and_with_what_is_real(tmp_path: Path) -> None:
    space = opened()
    made = corpus(tmp_path, space, 2)
    adapter = made.plain(space, LoraStudent(space=opened())).adapter
    first, both = (unavoidable(made.batches[:count], space, adapter).operations for count in (1, 2))
    track, tokens = made.batches[1].tracks["points"], made.batches[1].target.tokens
    layers = 2 * (4 * 33 * 32 + 33 * 64 + 65 * 32 + 4 * 32) + 9000 * 32  # their biases and norms are counted, too
    frames = 3 * 543 * 8 + 8 * 8 + 12 * 8 * 8 + 8 * 16 + 12 * 16 * 16
    assert both - first == 8 * int(tokens.mask.sum()) * layers + 6 * int(track.mask.sum()) * frames


def test_too_little_memory_is_said_before_the_second_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "available", lambda device: 2**20)
    with pytest.raises(UserError, match=r"two copies of .* GiB are left: .*large\.layers"):
        next(iter(bench_step(opened, tmp_path, batches=1, rounds=1, device=CPU, sizes=SIZES)))


def test_the_likelihood_is_measured(sign_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Machine, "measured", fast)
    (result,) = SUBJECTS["likelihood"]({**sign_config, "rounds": 1})
    assert isinstance(result, Comparison) and result.plain > 0 and result.ours > 0


@pytest.mark.parametrize("workers", [0, 1])
def test_waiting_is_what_batches_cost_and_no_more(
    sign_config: dict[str, Any], workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = assemble(sign_config).task
    task.data.make_ready()
    before = [weight.clone() for weight in task.parameters()]
    found = bench_waiting(task, workers=workers, steps=3)
    assert 0 < found.part < found.whole and f"{workers} workers" in found.name
    assert any(not torch.equal(a, b) for a, b in zip(before, task.parameters(), strict=True)), "steps were taken"
    if not workers:
        monkeypatch.setattr(task.data, "batch", partial(late, task.data.batch))
        slow = bench_waiting(task, workers=0, steps=3)
        assert 3 * 0.05 <= slow.part < (3 + AHEAD) * 0.05, "three batches count, and not those before them"


def test_a_share_is_shown_and_kept() -> None:
    shown, share = StringIO(), Share("waiting for 60 batches", 0.02, 1.6, "at worst 3 ms")
    show(Console(file=shown, width=120), [share])
    assert "waiting for 60 batches" in shown.getvalue() and "1.2%" in shown.getvalue()
    assert "at worst 3 ms" in shown.getvalue() and plain_numbers([share])["shares"][0]["part"] == 0.02


def late(batch: Any, number: int) -> ClipBatch:
    """A batch that takes its time."""
    time.sleep(0.05)
    made: ClipBatch = batch(number)
    return made
