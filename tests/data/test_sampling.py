"""Which frames are read: in order, none twice, at least one, and always the same ones where nothing is drawn."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonar_slt.data.sampling import All, Every, Jitter, Uniform, Window
from sonar_slt.errors import UserError

pytestmark = pytest.mark.properties

WAYS = [
    All(limit=None),
    All(limit=7),
    Every(step=1),
    Every(step=3),
    Uniform(frames=5),
    Window(frames=5),
    Jitter(frames=5),
]
FIVE = [Uniform(frames=5), Window(frames=5), Jitter(frames=5), All(limit=5)]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{type(way).__name__}-{vars(way)}")
@given(frames=st.integers(1, 300), seed=st.none() | st.integers(0, 50))
def test_frames_are_read_in_order_and_no_more_than_told(way: Any, frames: int, seed: int | None) -> None:
    read = way(frames, None if seed is None else Random(seed))
    assert len(read) and read[0] >= 0 and read[-1] < frames and (np.diff(read) > 0).all()
    assert len(read) <= way.longest(np.array([frames], np.int32))[0]
    if seed is None:
        assert len(read) == way.longest(np.array([frames], np.int32))[0]
        assert (way(frames) == read).all()


@pytest.mark.parametrize("way", FIVE, ids=lambda way: type(way).__name__)
@pytest.mark.parametrize("frames", [1, 4, 5, 6, 9, 300])
def test_so_many_frames_are_read_where_there_are_so_many(way: Any, frames: int) -> None:
    for random in (None, Random(3)):
        assert len(way(frames, random)) == min(5, frames)


def test_evenly_means_from_the_first_to_the_last() -> None:
    assert Uniform(frames=5)(9).tolist() == [0, 2, 4, 6, 8]
    assert Uniform(frames=1)(9).tolist() == [4]
    assert Uniform(frames=4)(10).tolist() == [0, 3, 6, 9]
    assert All(limit=3)(4).tolist() == np.linspace(0, 3, 3).round().astype(int).tolist() == [0, 2, 3]


def test_every_starts_at_a_random_one_of_the_first() -> None:
    assert Every(step=3)(8).tolist() == [0, 3, 6]
    assert {int(Every(step=3)(8, Random(seed))[0]) for seed in range(30)} == {0, 1, 2}
    assert Every(step=3)(1, Random(1)).tolist() == [0], "a clip of one frame keeps it"


def test_a_window_moves_while_training_and_lies_in_the_middle_elsewhere() -> None:
    assert Window(frames=4)(10).tolist() == [3, 4, 5, 6]
    starts = {int(Window(frames=4)(10, Random(seed)).min()) for seed in range(100)}
    assert starts == set(range(7))


def test_jitter_takes_one_frame_of_each_part() -> None:
    drawn = np.array([Jitter(frames=4)(12, Random(seed)) for seed in range(60)])
    assert (drawn // 3 == np.arange(4)).all()
    assert all(set(column) == {3 * part, 3 * part + 1, 3 * part + 2} for part, column in enumerate(drawn.T.tolist()))
    assert Jitter(frames=4)(12).tolist() == [1, 4, 7, 10]


@pytest.mark.parametrize(("way", "key"), [(All, "limit"), (Every, "step"), (Uniform, "frames"), (Window, "frames")])
def test_less_than_one_frame_is_refused(way: Any, key: str) -> None:
    with pytest.raises(UserError, match=f"sampling.{key}=0"):
        way(**{key: 0})
