"""The order of clips: a function of seed and number, each clip once an epoch, budgets kept, corpora mixed by weight."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonar_slt.data.batches.drawing import Drawing
from sonar_slt.errors import UserError

pytestmark = pytest.mark.properties


def lengths(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 400, count).astype(np.int32)


def drawing(count: int = 100, **options: object) -> Drawing:
    return Drawing(**{"pools": [np.arange(count)], "lengths": lengths(count), "size": 8, **options})  # type: ignore[arg-type]


def epochs(made: Drawing, number: int) -> list[list[int]]:
    """The rows of the first epochs, batch after batch."""
    total, epoch, batch = sum(made.shares), [[]], 0
    while len(epoch) <= number:
        epoch[-1] += made.batch(batch).tolist()
        batch += 1
        if len(epoch[-1]) >= total:
            epoch.append([])
    return epoch[:number]


@given(
    count=st.integers(1, 200),
    size=st.integers(1, 40),
    frames=st.none() | st.integers(1, 3000),
    seed=st.integers(0, 5),
)
def test_every_clip_once_an_epoch_within_the_budget(count: int, size: int, frames: int | None, seed: int) -> None:
    made = drawing(count, size=size, frames=frames, seed=seed)
    first, second = epochs(made, 2)
    assert sorted(first) == sorted(second) == list(range(count))
    seen, number = 0, 0
    while seen < 2 * count:
        batch = made.batch(number)
        assert 1 <= len(batch) <= size
        assert frames is None or len(batch) == 1 or len(batch) * made.lengths[batch].max() <= frames
        seen, number = seen + len(batch), number + 1


@given(seed=st.integers(0, 20), numbers=st.lists(st.integers(0, 120), min_size=1, max_size=6))
def test_a_batch_depends_on_seed_and_number_alone(seed: int, numbers: list[int]) -> None:
    for frames in (None, 1500):
        walked = drawing(seed=seed, frames=frames)
        expected = {number: walked.batch(number).tolist() for number in range(121)}
        fresh = drawing(seed=seed, frames=frames)
        assert [fresh.batch(number).tolist() for number in numbers] == [expected[number] for number in numbers]


def test_epochs_and_seeds_differ() -> None:
    made = drawing(seed=1)
    first, second = epochs(made, 2)
    assert first != second and epochs(drawing(seed=2), 1)[0] != first


def test_batches_hold_clips_of_similar_length() -> None:
    made = drawing(2000, size=16)
    padded = real = 0
    for number in range(125):
        batch = made.lengths[made.batch(number)]
        padded, real = padded + len(batch) * int(batch.max()), real + int(batch.sum())
    chance = np.concatenate([lengths(2000)[i : i + 16].max(keepdims=True) * 16 for i in range(0, 2000, 16)]).sum()
    assert real / padded > 0.85 > lengths(2000).sum() / chance + 0.2, "chance alone would leave far more padding"


def test_a_budget_is_used_well() -> None:
    made = drawing(2000, size=64, frames=4000)
    used = [len(batch) * int(made.lengths[batch].max()) for batch in map(made.batch, range(80))]
    assert np.mean(used) > 0.8 * 4000


def mixed(weights: list[float] | None, seed: int = 0) -> Drawing:
    pools = [np.arange(0, 300), np.arange(300, 400), np.arange(400, 420)]
    return Drawing(pools=pools, lengths=lengths(420), weights=weights, size=8, seed=seed)


def test_corpora_are_drawn_as_their_weights_say() -> None:
    made = mixed([1, 1, 2])
    assert made.shares == [105, 105, 210]
    drawn = [row for rows in epochs(made, 6) for row in rows]
    assert Counter(np.searchsorted([300, 400], drawn, side="right").tolist()) == {0: 630, 1: 630, 2: 1260}
    assert set(drawn) == set(range(420)), "every clip of the largest comes in its turn"
    counts = Counter(row for row in drawn if row >= 400)
    assert set(counts.values()) == {63}, "1,260 draws of 20 clips"
    small = Counter(row for row in drawn if row < 300)
    assert max(small.values()) - min(small.values()) <= 1


def test_without_weights_every_clip_counts_alike() -> None:
    assert sorted(epochs(mixed(None), 1)[0]) == list(range(420))


def test_a_weight_that_leaves_a_corpus_out_is_refused() -> None:
    with pytest.raises(UserError, match="corpus number 3 would get none"):
        mixed([1000, 1000, 1])


@given(sizes=st.lists(st.integers(1, 50), min_size=1, max_size=5), data=st.data())
def test_shares_are_whole_and_complete(sizes: list[int], data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.floats(0.5, 2), min_size=len(sizes), max_size=len(sizes)))
    borders = np.cumsum([0, *sizes])
    pools = [np.arange(a, b) for a, b in pairwise(borders)]
    made = Drawing(pools=pools, lengths=lengths(sum(sizes)), weights=weights)
    exact = np.array(weights) / sum(weights) * sum(sizes)
    assert sum(made.shares) == sum(sizes) and (abs(np.array(made.shares) - exact) < 1 + 1e-9).all()


@pytest.mark.parametrize("wrong", [{"size": 0}, {"frames": 0}])
def test_a_batch_without_room_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UserError, match="room for a clip"):
        drawing(**wrong)
