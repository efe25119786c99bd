"""What happens to time: frames that show nothing, are lost, out of order or late, whatever a frame is made of."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sonar_slt.augment import Augmentation, FrameDropout, FrameMask, FrameShuffle, TimeWarp
from sonar_slt.data.track import Track

LENGTHS = st.lists(st.integers(1, 30), min_size=1, max_size=6)


def numbered(lengths: list[int], dtype: torch.dtype = torch.float32) -> Track:
    """Clips whose frame `t` is made of the number `t + 1`."""
    mask = torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)
    numbers = (torch.arange(max(lengths)) + 1) * mask
    return Track(numbers[..., None, None].expand(-1, -1, 2, 3).to(dtype), mask)


def shown(part: Augmentation, track: Track, seed: int = 0) -> list[list[int]]:
    """The numbers of the frames that each clip shows."""
    changed = part(track, "points", torch.Generator().manual_seed(seed))
    assert torch.equal(changed.mask, track.mask) and changed.values.dtype is track.values.dtype
    assert torch.equal(changed.values, changed.values[..., :1, :1].expand_as(changed.values))
    assert not changed.values[~track.mask].any()
    return [clip[mask, 0, 0].int().tolist() for clip, mask in zip(changed.values, track.mask, strict=True)]


@given(LENGTHS, st.floats(0, 1), st.integers(0, 99))
def test_a_mask_blackens_its_share_of_a_clip_and_leaves_one_frame(lengths: list[int], ratio: float, seed: int) -> None:
    for length, frames in zip(lengths, shown(FrameMask(ratio=ratio), numbered(lengths), seed), strict=True):
        black = frames.count(0)
        assert black <= length - 1 and abs(black - min(ratio * length, length - 1)) < 1 + 1e-4
        assert [frame for frame in frames if frame] == [t + 1 for t, frame in enumerate(frames) if frame]


@given(LENGTHS, st.floats(0, 1), st.integers(0, 99))
def test_for_a_lost_frame_the_last_one_that_was_not_stands_still(lengths: list[int], share: float, seed: int) -> None:
    for frames in shown(FrameDropout(probability=share), numbered(lengths), seed):
        assert frames[0] == 1
        assert all(now in (t, before) for t, (before, now) in enumerate(pairwise(frames), start=2))


@given(LENGTHS, st.integers(1, 6), st.integers(0, 99))
def test_frames_change_places_within_their_window(lengths: list[int], window: int, seed: int) -> None:
    for length, frames in zip(lengths, shown(FrameShuffle(window=window), numbered(lengths), seed), strict=True):
        for start in range(0, length, window):
            part = frames[start : start + window]
            assert sorted(part) == list(range(start + 1, start + 1 + len(part)))


@given(LENGTHS, st.floats(0, 0.99), st.integers(0, 99))
def test_a_warp_keeps_begin_end_and_order(lengths: list[int], strength: float, seed: int) -> None:
    for length, frames in zip(lengths, shown(TimeWarp(strength=strength), numbered(lengths), seed), strict=True):
        assert frames[0] == 1 and frames[-1] == length
        assert all(before <= now <= before + 2 for before, now in pairwise(frames))  # no speed above 2


def test_a_warp_swings_as_far_as_it_is_set_to() -> None:
    frames = torch.tensor(shown(TimeWarp(strength=0.2), numbered([201] * 100))).double()
    speed = (frames[:, 20:] - frames[:, :-20]) / 20  # over a tenth of the clip
    assert 0.75 < speed.min() < 0.9 and 1.1 < speed.max() < 1.25
    assert ((frames - torch.arange(1, 202)).abs().max(dim=1).values >= 1).double().mean() > 0.9


def test_a_warp_is_the_same_curve_for_tracks_of_other_lengths() -> None:
    part = TimeWarp(strength=0.5)
    long, short = (torch.tensor(shown(part, numbered([length] * 8))).double() - 1 for length in (101, 51))
    assert (long[:, ::2] / 100 - short / 50).abs().max() <= 0.5 / 50 + 0.5 / 100 + 1e-9
    assert (long / 100 - torch.linspace(0, 1, 101)).abs().max() > 0.04


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_in_the_long_run_they_do_what_they_are_set_to(dtype: torch.dtype) -> None:
    track = numbered([24] * 400, dtype)
    black = torch.tensor(shown(FrameMask(ratio=0.2), track)) == 0
    assert 0.195 < black.float().mean() < 0.205  # 4.8 of 24
    each = black.float().mean(dim=0)
    assert each.min() > 0.1 and each.max() < 0.3  # any frame, the first too
    frames = torch.tensor(shown(FrameDropout(probability=0.2), track))
    assert 0.18 < (frames != torch.arange(1, 25))[:, 1:].float().mean() < 0.22
    first = torch.tensor(shown(FrameShuffle(window=3), track))[:, :3]
    orders, counts = first.unique(dim=0, return_counts=True)
    assert len(orders) == 6 and counts.min() > 40  # of 400, each about 67


def test_a_short_clip_loses_its_share_of_frames_too() -> None:
    black = torch.tensor(shown(FrameMask(ratio=0.2), numbered([3] * 2000))) == 0
    assert 0.18 < black.float().mean() < 0.22


def test_a_row_of_features_that_is_not_seen_is_the_mean_row() -> None:
    rows = torch.randn(6, 20, 5, generator=torch.Generator().manual_seed(0)) + torch.arange(5)
    track = Track(rows, torch.ones(6, 20, dtype=torch.bool))
    part = FrameMask(ratio=0.5)
    part.fit(layout=None, samples={"spatial": track})
    changed = part(track, "spatial", torch.Generator().manual_seed(0)).values
    gone = (changed != rows).any(dim=-1)
    assert gone.sum(dim=1).tolist() == [10] * 6
    torch.testing.assert_close(changed[gone], rows.mean(dim=(0, 1)).expand(60, 5))
