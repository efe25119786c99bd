"""Crop, colour and blur: one draw per clip, and what each does to a picture."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from sonar_slt.augment import Augmentations, Blur, Colour, Crop
from sonar_slt.data.track import Track


def still(size: int = 32, clips: int = 1, frames: int = 6) -> Track:
    """Clips whose frames are all the same picture, from a smooth field of colours."""
    x, y = torch.meshgrid(torch.linspace(0, 1, size), torch.linspace(0, 1, size), indexing="ij")
    picture = torch.stack([200 * x + 20, 180 * y + 30, 100 + 100 * x * y]).round().byte()
    return Track(picture.expand(clips, frames, -1, -1, -1).contiguous(), torch.ones(clips, frames, dtype=torch.bool))


def seen(part: Any, track: Track, step: int = 0) -> torch.Tensor:
    return Augmentations({"part": part})({"pictures": track}, seed=3, step=step)["pictures"].values


@pytest.mark.parametrize("part", [Crop(least=0.5), Colour(), Blur(probability=1.0, most=0.1)])
def test_a_clip_is_changed_alike_in_all_its_frames_and_two_clips_are_not(part: Any) -> None:
    changed = seen(part, still(clips=4))
    assert torch.equal(changed, changed[:, :1].expand_as(changed))
    assert len({clip[0].numpy().tobytes() for clip in changed}) == 4


def test_a_crop_is_a_part_of_the_picture_in_its_size() -> None:
    track = still(size=64, clips=64)
    changed = seen(Crop(least=0.5), track).float()
    rise = changed[:, 0, 0, -1, 0] - changed[:, 0, 0, 0, 0]  # red grows from top to bottom by 200
    assert rise.min() > 0.45 * 200 and rise.max() <= 200
    assert 0.68 * 200 < rise.mean() < 0.82 * 200
    assert changed.min() >= track.values.min() and changed.max() <= track.values.max()


def test_colour_keeps_grey_grey_and_only_a_clips_own_mean_decides_its_contrast() -> None:
    grey = Track(torch.full((8, 3, 3, 4, 4), 100, dtype=torch.uint8), torch.ones(8, 3, dtype=torch.bool))
    assert torch.equal(seen(Colour(brightness=0, contrast=1, saturation=1), grey), grey.values)
    brighter = seen(Colour(brightness=0.5, contrast=0, saturation=0), grey)
    assert torch.equal(brighter, brighter[..., :1, :1, :1].expand_as(brighter))
    assert 50 <= brighter.min() < 80 and 120 < brighter.max() <= 150


def test_padding_adds_nothing_to_a_clips_mean() -> None:
    track = still(frames=4)
    long = Track(
        torch.cat([track.values, torch.zeros_like(track.values)], dim=1),
        torch.arange(8).unsqueeze(0) < 4,
    )
    assert torch.equal(seen(Colour(), track), seen(Colour(), long)[:, :4])


def test_without_colour_all_channels_are_alike() -> None:
    part = Colour(brightness=0, contrast=0, saturation=1)
    changed = part.changed(still().values[0], [0.5, 0.5, 0.0]).float()
    assert (changed - changed.mean(dim=1, keepdim=True)).abs().max() <= 1


def test_a_blur_keeps_the_mean_and_lessens_what_is_sharp() -> None:
    board = (torch.arange(32).unsqueeze(1) // 2 + torch.arange(32) // 2) % 2 * 255
    track = Track(board.byte().expand(1, 3, 3, -1, -1).contiguous(), torch.ones(1, 3, dtype=torch.bool))
    changed = seen(Blur(probability=1.0, most=0.1), track).float()
    assert (changed.mean() - board.float().mean()).abs() < 2
    assert changed.std() < 0.9 * board.float().std()


def test_as_many_clips_are_blurred_as_the_probability_says() -> None:
    board = (torch.arange(16).unsqueeze(1) + torch.arange(16)) % 2 * 255
    track = Track(board.byte().expand(500, 1, 3, -1, -1).contiguous(), torch.ones(500, 1, dtype=torch.bool))
    changed = (seen(Blur(probability=0.3), track) != track.values).flatten(1).any(dim=1)
    assert 0.24 < changed.float().mean() < 0.36
