"""Which frames make an item: every one is in a window, none is behind the end, and the tail is kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonar_slt.features import windows


@given(frames=st.integers(1, 300), window=st.integers(1, 20), stride=st.integers(1, 20))
def test_windows_begin_every_stride_and_cover_the_clip(frames: int, window: int, stride: int) -> None:
    found = windows(frames, window, stride)
    assert found.shape[1] == window
    assert (found[:, 0] == np.arange(len(found)) * stride).all()
    assert (found == np.minimum(found[:, :1] + np.arange(window), frames - 1)).all()
    if stride <= window:
        assert set(found.flatten()) == set(range(frames))
        assert len(windows(frames, window, stride)[:-1]) == 0 or found[-2, -1] < frames - 1, "no window is superfluous"


@pytest.mark.parametrize(("frames", "items"), [(1, 1), (5, 1), (16, 1), (17, 2), (24, 2), (25, 3), (300, 37)])
def test_the_tail_is_kept(frames: int, items: int) -> None:
    found = windows(frames, 16, 8)
    assert len(found) == items
    assert found[-1, -1] == frames - 1


def test_a_clip_without_frames_has_no_windows() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        windows(0, 16, 8)
