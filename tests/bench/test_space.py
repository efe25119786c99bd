"""The measurements measure: both ways give the same, and what is reported is what was timed."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from torch import Tensor

from sonar_slt import SentenceSpace
from sonar_slt.bench.memory import RESET, peak
from sonar_slt.bench.space.decoding import decoding
from sonar_slt.bench.space.encoding import plain_encoding
from sonar_slt.bench.space.sentences import LONGEST, SHORTEST, lengths, random_batch, random_rows
from sonar_slt.bench.space.shortlist import bench_shortlist
from sonar_slt.bench.space.space import Amounts, bench_space
from sonar_slt.bench.space.student import our_step, plain_step
from sonar_slt.bench.timing import Comparison, Footprint, Machine, Work, compared, in_turn
from sonar_slt.space import LoraStudent

SIZES = {"dim": 32, "layers": 2, "heads": 2, "hidden": 64, "vocabulary": 9000}


def opened(**changes: Any) -> SentenceSpace:
    return SentenceSpace.at_random(**{**SIZES, **changes})


def test_everything_is_measured_in_both_precisions() -> None:
    results = list(bench_space(opened, Amounts(encoded=6, decoded=3, trained=3, rounds=1), torch.device("cpu")))
    times = [result for result in results if isinstance(result, Comparison)]
    peaks = [result for result in results if isinstance(result, Footprint)]
    assert len(times) == 9 and len(peaks) == 2
    assert all(result.plain > 0 and result.ours > 0 and result.of_limit for result in times)
    assert all(result.plain > 0 and result.ours > 0 for result in peaks)
    assert "3 of 3 the same" in times[3].note


def test_ends_are_forced_and_sentences_are_of_the_stated_lengths() -> None:
    asked = lengths(12)
    assert int(asked.min()) == SHORTEST and int(asked.max()) == LONGEST
    assert sorted(len(row) for row in random_rows(opened(), 12)) == sorted(asked.tolist())
    ways = decoding(opened(dtype="float64"), Machine(1e9, 1e9), count=4)
    ways.plain(), ways.ours()
    assert ways.agreement() == "4 of 4 the same"


def test_the_plain_loop_encodes_what_we_encode() -> None:
    space = opened(dtype="float64")
    rows = random_rows(space, 40)
    torch.testing.assert_close(plain_encoding(space, rows), space.encode_rows(rows), rtol=1e-10, atol=1e-12)


def test_both_training_steps_move_the_same_weights_alone() -> None:
    for ours in (True, False):
        student = LoraStudent(space=opened())
        before = [weight.clone() for weight in student.space.model.parameters()]
        if ours:
            loss = our_step(student, torch.zeros(3, student.space.dim), 3)()
        else:
            loss = plain_step(student.space, student, 3)()
        assert loss == loss and loss > 0
        moved = [
            name
            for (name, weight), kept in zip(student.space.model.named_parameters(), before, strict=True)
            if not torch.equal(weight, kept)
        ]
        assert moved and all("lora" in name for name in moved)


def learnt(*, ours: bool, count: int = 6) -> tuple[float, dict[str, Tensor]]:
    """The loss of one training step, and the gradients of the small matrices, in float64."""
    student = LoraStudent(space=opened(dtype="float64"))
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weight in student.parameters():
            weight.copy_(0.1 * torch.randn(weight.shape, generator=generator))
        cached = student.space.embed(random_batch(student.space, count))
    step = our_step(student, cached, count) if ours else plain_step(student.space, student, count)
    return step(), {name: weight.grad for name, weight in student.named_parameters() if weight.grad is not None}


def test_both_training_steps_learn_the_same() -> None:
    (plain_loss, plain_slopes), (our_loss, our_slopes) = learnt(ours=False), learnt(ours=True)
    assert our_loss == pytest.approx(plain_loss, rel=1e-10)
    assert our_slopes and all(slope.any() for slope in our_slopes.values())
    torch.testing.assert_close(our_slopes, plain_slopes, rtol=1e-7, atol=1e-12)


@pytest.mark.skipif(not RESET.exists(), reason="the system does not say what a process held at its peak")
def test_a_peak_is_what_was_held_and_not_what_is_left() -> None:
    found = peak(lambda: torch.ones(50_000_000).sum())
    assert 0.95 * 2e8 < found < 1.3 * 2e8
    assert peak(lambda: None) < 0.2 * 2e8


def test_a_ratio_is_that_of_neighbours() -> None:
    result = compared("act", [4.0, 100.0, 6.0], [2.0, 50.0, 2.0], limit=1.0)
    assert (result.plain, result.ours, result.ratio, result.of_limit) == (6.0, 2.0, 2.0, 0.5)
    done: list[str] = []
    times = in_turn([lambda: done.append("a"), lambda: done.append("b")], rounds=2)
    assert done == ["a", "b", "a", "b"] and len(times) == 2 and all(len(column) == 2 for column in times)
    assert Machine(operations=10, bytes=5).limit(Work(operations=20, bytes=20)) == 4


def test_a_shortlist_is_reported_with_its_size_and_what_it_changes(space: Any) -> None:
    texts = ["Am Montag gibt es in Bayern Regen.", "Heute Nebel."]
    result = bench_shortlist(space, "deu_Latn", texts, texts, rounds=1)
    listed, whole = re.findall(r"[\d,]+(?= of| words)", result.note)[:2]
    assert 5 < int(listed) < int(whole.replace(",", "")) == space.model.config.vocab_size
    assert result.note.endswith("of 2 sentences the same")
