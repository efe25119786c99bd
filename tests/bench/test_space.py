"""The measurements measure: both ways give the same, and what is reported is what was timed."""

from __future__ import annotations

import time
from typing import Any

import pytest
import torch

from sonar_slt import SentenceSpace
from sonar_slt.bench.decoding import bench_decoding
from sonar_slt.bench.encoding import plain_encoding
from sonar_slt.bench.memory import RESET, peak
from sonar_slt.bench.sentences import LONGEST, SHORTEST, lengths, random_rows
from sonar_slt.bench.space import Amounts, bench_space
from sonar_slt.bench.student import our_step, plain_step
from sonar_slt.bench.timing import Comparison, Footprint, Machine, Work, compare
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
    assert "3 of 3 the same" in times[1].note


def test_ends_are_forced_and_sentences_are_of_the_stated_lengths() -> None:
    asked = lengths(12)
    assert int(asked.min()) == SHORTEST and int(asked.max()) == LONGEST
    assert sorted(len(row) for row in random_rows(opened(), 12)) == sorted(asked.tolist())
    result = bench_decoding(opened(dtype="float64"), Machine(1e9, 1e9), count=4, rounds=1)
    assert result.note == "4 of 4 the same"


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


@pytest.mark.skipif(not RESET.exists(), reason="the system does not say what a process held at its peak")
def test_a_peak_is_what_was_held_and_not_what_is_left() -> None:
    found = peak(lambda: torch.ones(50_000_000).sum())
    assert 0.95 * 2e8 < found < 1.3 * 2e8
    assert peak(lambda: None) < 0.2 * 2e8


def test_a_ratio_is_that_of_the_times() -> None:
    result = compare("sleep", lambda: time.sleep(0.02), lambda: time.sleep(0.01), rounds=3, limit=0.005)
    assert result.ratio == pytest.approx(2, rel=0.3) and result.of_limit == pytest.approx(0.5, rel=0.3)
    assert Machine(operations=10, bytes=5).limit(Work(operations=20, bytes=20)) == 4
