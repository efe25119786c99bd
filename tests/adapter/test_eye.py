"""An eye sees every real frame, nothing else, and the same in portions as at once."""

from __future__ import annotations

import pytest
import torch

from sonar_slt.adapter.eye import Eye, fitted
from sonar_slt.adapter.learning import Frozen, Whole
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError
from tests.adapter.tiny import pictures, videomae, vit, wider


@torch.no_grad()
def test_a_row_is_what_the_backbone_makes_of_that_frame_alone() -> None:
    eye, track = Eye(backbone=vit(), learning=Frozen()), pictures(1, 7, 4)
    seen = eye(track)
    assert seen.rows.shape == (3, 7, eye.width) and torch.equal(seen.mask, track.mask)
    for clip, frame in ((0, 0), (1, 6), (2, 3)):
        alone = eye.backbone(track.values[clip, frame].unsqueeze(0), torch.zeros(1, 1, dtype=torch.long))
        torch.testing.assert_close(seen.rows[clip, frame], alone[0])
    assert not seen.rows[~seen.mask].any()


@torch.no_grad()
def test_windows_of_a_clip_never_reach_into_the_next() -> None:
    eye, track = Eye(backbone=videomae(), learning=Frozen()), pictures(40, 5)
    seen = eye(track)
    assert seen.mask.sum(dim=1).tolist() == [4, 1]
    alone = eye(Track(track.values[1:, :5], track.mask[1:, :5]))
    torch.testing.assert_close(seen.rows[1, 0], alone.rows[0, 0])
    torch.testing.assert_close(seen.times[0], torch.tensor([8.0, 16.0, 24.0, 32.0]) / 40)
    assert seen.times[1, 0] == 0.5


@pytest.mark.parametrize("made", [vit, videomae])
def test_portions_give_the_same_rows_and_the_same_gradients(made: object) -> None:
    assert callable(made)
    track, found = pictures(41, 3, 20), []
    for frames in (10_000, 16):
        eye = Eye(backbone=made(), learning=Whole(), frames=frames)
        rows = eye(track).rows
        rows.square().sum().backward()
        found.append((rows.detach(), [weight.grad for weight in eye.parameters() if weight.grad is not None]))
    torch.testing.assert_close(found[0][0], found[1][0])
    assert len(found[0][1]) == len(found[1][1]) > 10
    for whole, portions in zip(found[0][1], found[1][1], strict=True):
        torch.testing.assert_close(whole, portions, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_padding_is_not_looked_at() -> None:
    eye, track, asked = Eye(backbone=vit(), learning=Frozen()), pictures(3, 2), []
    eye.backbone.register_forward_pre_hook(lambda _, given: asked.append(given[0].shape[0]))
    eye(wider(track, 50, filled=9))
    assert asked == [5]


def test_pictures_of_another_size_are_brought_to_the_backbones() -> None:
    track = pictures(2, side=40)
    assert fitted(track.values[0], 40) is not None and torch.equal(fitted(track.values[0], 40), track.values[0])
    plain = torch.full((2, 3, 40, 24), 77, dtype=torch.uint8)
    assert torch.equal(fitted(plain, 16), torch.full((2, 3, 16, 16), 77, dtype=torch.uint8))
    ramp = torch.arange(0, 256, 4).byte().expand(1, 3, 64, 64)
    assert (fitted(ramp, 16)[0, 0, 0].float().diff() - 16).abs().max() <= 2
    with torch.no_grad():
        assert Eye(backbone=vit(), learning=Frozen())(track).rows.isfinite().all()


def test_at_least_one_picture_at_a_time() -> None:
    with pytest.raises(UserError, match="frames=0"):
        Eye(backbone=vit(), learning=Frozen(), frames=0)
