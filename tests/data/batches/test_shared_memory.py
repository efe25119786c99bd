"""Slots: what a worker leaves is what the training process finds, however many batches that holds and for how long."""

from __future__ import annotations

import gc
import os
import pickle
from collections.abc import Iterator
from itertools import count, islice
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from sonar_slt.data.batches import shared_memory
from sonar_slt.data.batches.batch import ClipBatch, Sentences
from sonar_slt.data.batches.shared_memory import IN_HAND, WAITING, Slots, blank, can_share
from sonar_slt.data.batches.stream import loader
from sonar_slt.data.track import Track
from sonar_slt.space.tokens import TokenBatch

SHAPE, HALF = (2, 3), np.dtype(np.float16)
forked = pytest.mark.skipif(not can_share(), reason="workers are not forked here")


def batch(number: int) -> ClipBatch:
    """Clips that are the batch's number throughout, more of them in some batches."""
    clip = blank((1 + number % 3, 4, 5, 3), HALF)
    clip.fill_(number)
    said = Sentences(TokenBatch(torch.tensor([[number]]), torch.ones(1, 1, dtype=torch.bool)), torch.zeros(1, 2))
    mask = torch.ones(clip.shape[:2], dtype=torch.bool)
    return ClipBatch((f"clip{number}",), {"points": Track(clip, mask)}, said, said)


def points(batch: ClipBatch) -> Tensor:
    return batch.tracks["points"].values


def served(workers: int, *, first: int = 0) -> Iterator[ClipBatch]:
    return iter(loader(batch, lambda: count(first), workers=workers))


def same(found: ClipBatch, number: int) -> bool:
    expected = batch(number)
    return (
        torch.equal(points(found), points(expected))
        and torch.equal(found.tracks["points"].mask, expected.tracks["points"].mask)
        and found.ids == expected.ids
        and torch.equal(found.target.tokens.ids, expected.target.tokens.ids)
        and torch.equal(found.anchor.vectors, expected.anchor.vectors)
    )


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_batches_arrive_as_they_were_made(workers: int) -> None:
    for number, found in enumerate(islice(served(workers), 40)):
        assert same(found, number)


def test_whoever_holds_every_batch_finds_none_of_them_written_over() -> None:
    held = list(islice(served(2), 30))
    gc.collect()
    assert all(same(found, number) for number, found in enumerate(held))


def test_a_part_of_a_batch_keeps_all_of_it() -> None:
    passing = served(1)
    part = points(next(passing))[0, 1:2]
    for _ in range(30):
        next(passing)
    assert torch.equal(part, torch.zeros(1, 5, 3, dtype=torch.float16))


def test_a_pass_that_is_left_early_disturbs_no_other() -> None:
    started = loader(batch, lambda: count(), workers=2)
    first = iter(started)
    kept = [next(first) for _ in range(3)]
    second = iter(started)
    other = [next(second) for _ in range(20)]
    assert all(same(found, number) for number, found in enumerate(other))
    kept += [next(first) for _ in range(20)]
    del first, second
    gc.collect()
    assert all(same(found, number) for number, found in enumerate(kept))


@forked
def test_clips_lie_in_slots_and_slots_are_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    places = [points(found).data_ptr() for found in islice(served(1), 40)]
    assert len(set(places)) <= WAITING + IN_HAND
    monkeypatch.setattr(shared_memory, "can_share", lambda: False)
    monkeypatch.setattr("sonar_slt.data.batches.stream.can_share", lambda: False)
    assert all(same(found, number) for number, found in enumerate(islice(served(1), 40)))


@forked
def test_what_is_larger_than_a_slot_goes_another_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "sonar_slt.data.batches.stream.Slots", lambda workers, tracks: Slots(workers=workers, tracks=tracks, size=130)
    )
    assert all(same(found, number) for number, found in enumerate(islice(served(2), 20)))


def test_a_slot_is_free_again_when_its_last_tensor_is_gone() -> None:
    made = Slots(workers=1, size=64)
    for _ in range(5 * (WAITING + IN_HAND)):
        array = made.array(0, SHAPE, HALF)
        assert array is not None
        array[:] = 7
        told = shared_memory._filled.pop(array.ctypes.data)
        found: Tensor | None = shared_memory.received(told)
        assert found is not None and found.shape == SHAPE and bool((found == 7).all())
        del found
    taken = [made.array(0, SHAPE, HALF) for _ in range(WAITING + IN_HAND + 1)]
    assert taken[-1] is None and all(array is not None for array in taken[:-1])
    assert made.array(0, (33,), HALF) is None
    shared_memory._filled.clear()


def test_a_batch_may_be_pickled_anywhere() -> None:
    again: Any = pickle.loads(pickle.dumps(batch(5)))
    assert same(again, 5)


@forked
def test_a_forked_process_frees_nothing() -> None:
    made = Slots(workers=1, size=64)
    for _ in range(WAITING + IN_HAND):
        assert made.array(0, SHAPE, HALF) is not None
    child = os.fork()
    if not child:
        made._release(0)
        os._exit(0)
    os.waitpid(child, 0)
    assert made.array(0, SHAPE, HALF) is None
    shared_memory._filled.clear()
