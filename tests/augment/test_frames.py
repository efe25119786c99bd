"""What happens to time: frames that are black, lost, or out of order, whatever a frame is made of."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sonar_slt.augment import Augmentation, FrameDropout, FrameMask, FrameShuffle
from sonar_slt.data.track import Track

LENGTHS = st.lists(st.integers(1, 30), min_size=1, max_size=6)


def numbered(lengths: list[int], dtype: torch.dtype = torch.float32) -> Track:
    """Clips whose frame `t` is made of the number `t + 1`."""
    mask = torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)
    numbers = (torch.arange(max(lengths)) + 1) * mask
    return Track(numbers[..., None, None].expand(-1, -1, 2, 3).to(dtype), mask)


def shown(part: Augmentation, track: Track, seed: int = 0) -> list[list[int]]:
    """The numbers of the frames that each clip shows."""
    changed = part(track, torch.Generator().manual_seed(seed))
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
