"""What happens to points, and to features: noise in units of what they are, mirror, rotation, scale, a lost hand."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
import torch

from sonar_slt.augment import Augmentation, LostHand, Mirror, Noise, Rotation, Scale
from sonar_slt.augment.noise import shoulder_widths
from sonar_slt.data.layouts import LAYOUTS, MEDIAPIPE_75, OPENPOSE_137, SIGNING
from sonar_slt.data.normalise import ByFrame, BySigner
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError

LEFT, RIGHT = SIGNING.parts["left_hand"], SIGNING.parts["right_hand"]


def signed(clips: int = 4, frames: int = 30, missing: float = 0.2, normalise: Any = BySigner()) -> Track:  # noqa: B008
    """Clips of a skeleton that moves, with some points missing; the shoulders are always seen."""
    random = np.random.default_rng(0)
    points = random.normal(size=(clips, frames, SIGNING.points, 3)).astype(np.float32)
    points[..., 2] = random.uniform(0.1, 1, points.shape[:-1]) * (random.random(points.shape[:-1]) >= missing)
    right, left = SIGNING.shoulders
    points[:, :, right] = (-1.5, 0, 1)
    points[:, :, left] = (1.5, 0, 1)
    values = np.stack([normalise(clip, SIGNING) for clip in points])
    return Track(torch.from_numpy(values), torch.ones(clips, frames, dtype=torch.bool))


def applied(part: Augmentation, track: Track, name: str = "points", seed: int = 0) -> torch.Tensor:
    part.fit(layout=SIGNING, samples={name: track})
    return part(track, name, torch.Generator().manual_seed(seed)).values


@pytest.mark.parametrize("part", [Noise(), Mirror(probability=1.0), Rotation(), Scale()])
def test_missing_points_stay_missing_and_confidence_stays(part: Augmentation) -> None:
    track = signed()
    changed = applied(part, track)
    confidence = track.values[..., 2]
    if isinstance(part, Mirror):
        confidence = confidence[:, :, list(SIGNING.mirror)]
    assert torch.equal(changed[..., 2], confidence)
    assert (confidence == 0).any() and not changed[confidence == 0].any()


@pytest.mark.parametrize("normalise", [BySigner(), ByFrame()])
def test_noise_is_measured_in_the_clips_own_shoulders(normalise: Any) -> None:
    track = signed(clips=6, frames=40, normalise=normalise)
    seen = track.values[..., 2] > 0
    right, left = SIGNING.shoulders
    width = (track.values[:, :, right] - track.values[:, :, left])[..., :2].norm(dim=-1).median(dim=1).values
    off = (applied(Noise(std=0.04), track) - track.values)[..., :2] / width.view(-1, 1, 1, 1)
    per_clip = torch.stack([one[there].std() for one, there in zip(off, seen, strict=True)])
    assert per_clip.min() > 0.039 and per_clip.max() < 0.041
    assert off[seen].mean().abs() < 1e-3
    assert torch.allclose(width, torch.ones(6)) == isinstance(normalise, BySigner)


def test_a_clip_without_shoulders_has_the_spread_of_its_points() -> None:
    track = signed()
    hidden = track.values.clone()
    hidden[:, :, SIGNING.shoulders[0]] = 0
    again = np.stack([BySigner()(clip.numpy(), SIGNING) for clip in hidden])
    torch.testing.assert_close(shoulder_widths(torch.from_numpy(again), SIGNING.shoulders), torch.ones(4))


def test_noise_on_features_is_measured_in_each_ones_deviation() -> None:
    deviations = torch.tensor([0.01, 1.0, 30.0])
    rows = torch.randn(8, 400, 3, generator=torch.Generator().manual_seed(1)) * deviations
    track = Track(rows, (torch.arange(400) < 300).expand(8, 400))
    off = (applied(Noise(std=0.1), track, "motion") - rows)[:, :300].flatten(0, 1) / deviations
    assert ((off.std(dim=0) - 0.1).abs() < 0.006).all() and (off.mean(dim=0).abs() < 0.01).all()


def test_a_mirror_changes_the_hands_and_twice_is_as_before() -> None:
    track, part = signed(), Mirror(probability=1.0)
    once = applied(part, track)
    expected = track.values[:, :, RIGHT] * torch.tensor([-1.0, 1.0, 1.0])
    assert torch.equal(once[:, :, LEFT], expected)
    assert torch.equal(applied(part, Track(once, track.mask)), track.values)


@pytest.mark.parametrize("normalise", [BySigner(), ByFrame()])
def test_a_mirror_is_what_the_other_camera_would_have_seen(normalise: Any) -> None:
    """Coordinates are around the signer, so mirroring after normalising is mirroring before."""
    random = np.random.default_rng(3)
    points = random.uniform(0, 100, size=(12, SIGNING.points, 3)).astype(np.float32)
    picture = points[:, list(SIGNING.mirror)] * (-1, 1, 1) + np.float32((100, 0, 0))
    before = torch.from_numpy(normalise(picture.astype(np.float32), SIGNING))
    track = Track(torch.from_numpy(normalise(points, SIGNING)).unsqueeze(0), torch.ones(1, 12, dtype=torch.bool))
    torch.testing.assert_close(applied(Mirror(probability=1.0), track)[0], before, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=list(LAYOUTS))
def test_a_mirror_knows_every_layout(layout: Any) -> None:
    track = Track(torch.rand(2, 5, layout.points, 3), torch.ones(2, 5, dtype=torch.bool))
    part = Mirror(probability=1.0)
    part.fit(layout=layout, samples={"points": track})
    once = part(track, "points", torch.Generator())
    assert torch.equal(part(once, "points", torch.Generator()).values, track.values)
    assert torch.equal(once.values[:, :, layout.shoulders[0], 1], track.values[:, :, layout.shoulders[1], 1])


def test_points_and_pictures_of_a_clip_are_mirrored_together() -> None:
    points = signed(clips=40, frames=2)
    pictures = Track(torch.arange(8).byte().expand(40, 2, 3, 8, 8).contiguous(), points.mask)
    part = Mirror()
    turned = (applied(part, points) != points.values).flatten(1).any(dim=1)
    flipped = applied(part, pictures, "pictures")[:, 0, 0, 0, 0] == 7
    assert torch.equal(turned, flipped) and 8 < turned.sum() < 32


def test_features_cannot_be_mirrored() -> None:
    track = signed()
    with pytest.raises(UserError, match=r"augment\.mirror cannot mirror spatial features"):
        Mirror().fit(layout=SIGNING, samples={"points": track, "spatial": Track(track.values[..., 0], track.mask)})


def distances(points: torch.Tensor) -> torch.Tensor:
    pairs = list(combinations(range(0, SIGNING.points, 9), 2))
    first, second = (points[:, :, list(side), :2] for side in zip(*pairs, strict=True))
    return (first - second).norm(dim=-1)


def test_a_rotation_keeps_distances_and_turns_each_clip_by_its_own_angle() -> None:
    track = signed(clips=200, frames=3, missing=0.0)
    changed = applied(Rotation(degrees=10.0), track)
    torch.testing.assert_close(distances(changed), distances(track.values), atol=1e-4, rtol=1e-4)
    shoulder = changed[:, :, SIGNING.shoulders[1]]
    angle = torch.rad2deg(torch.atan2(shoulder[..., 1], shoulder[..., 0]))  # it lay to the right, level with 0, 0
    torch.testing.assert_close(angle, angle[:, :1].expand(-1, 3), atol=1e-3, rtol=0)
    assert -10.01 < angle.min() < -8 and 8 < angle.max() < 10.01 and angle[:, 0].unique().numel() > 190


def test_a_scale_changes_all_distances_of_a_clip_by_one_factor() -> None:
    track = signed(clips=200, frames=3, missing=0.0)
    factors = (distances(applied(Scale(share=0.15), track)) / distances(track.values)).flatten(1)
    torch.testing.assert_close(factors, factors[:, :1].expand_as(factors), atol=1e-3, rtol=0)
    assert 0.849 < factors.min() < 0.88 and 1.12 < factors.max() < 1.151


def test_one_hand_is_lost_for_one_stretch_and_nothing_else() -> None:
    track = signed(clips=400, frames=30, missing=0.0)
    gone = (applied(LostHand(probability=0.5, longest=0.34), track)[..., 2] == 0) & (track.values[..., 2] > 0)
    left, right = gone[:, :, LEFT].all(dim=2), gone[:, :, RIGHT].all(dim=2)
    assert not (left.any(dim=1) & right.any(dim=1)).any()
    assert torch.equal(left.sum() * 21 + right.sum() * 21, gone.sum())
    lost = left | right
    long = lost.sum(dim=1)
    assert long.max() == 10 and 160 < (long > 0).sum() < 240 and long.unique().numel() == 11
    assert ((lost[:, 1:] & ~lost[:, :-1]).sum(dim=1) + lost[:, 0] <= 1).all()  # in one piece
    assert lost.any(dim=0).all()  # anywhere, begin and end too
    assert left.any(dim=1).sum() > 40 and right.any(dim=1).sum() > 40


def test_a_clip_too_short_for_it_keeps_its_hands() -> None:
    track = signed(clips=100, frames=2)
    assert torch.equal(applied(LostHand(probability=1.0), track), track.values)


@pytest.mark.parametrize("layout", [MEDIAPIPE_75, OPENPOSE_137])
def test_hands_are_found_in_other_layouts(layout: Any) -> None:
    track = Track(torch.ones(50, 20, layout.points, 3), torch.ones(50, 20, dtype=torch.bool))
    part = LostHand(probability=1.0)
    part.fit(layout=layout, samples={"points": track})
    gone = (part(track, "points", torch.Generator().manual_seed(0)).values == 0).all(dim=-1).flatten(0, 1).any(dim=0)
    hands = [number for hand in ("left_hand", "right_hand") for number in range(layout.points)[layout.parts[hand]]]
    assert gone.nonzero().squeeze(1).tolist() == sorted(hands)
