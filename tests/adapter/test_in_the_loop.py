"""Adapters with pictures in the loop: order, padding, lengths, and parts that are left out."""

from __future__ import annotations

import pytest
import torch

from sonar_slt.adapter import Adapter
from sonar_slt.adapter.moments import Moments, centred, together
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError
from tests.adapter.tiny import adapter, measure, pictures, points, tracks, wider

MOTION = "eye@adapter.motion=motion"
CHOICES = {
    "visual": ("adapter=visual",),
    "visual_as_it_is": ("adapter=visual", "features@adapter.eye.backbone=vit_tiny_random", "adapter.centred=false"),
    "visual_lora": ("adapter=visual", "learning@adapter.eye.learning=lora"),
    "multimodal": ("adapter=multimodal",),
    "all_parts": ("adapter=multimodal", MOTION),
    "motion_alone": ("adapter=multimodal", MOTION, "adapter.points=null", "adapter.spatial=null"),
    "points_alone": ("adapter=multimodal", "adapter.spatial=null"),
}


@pytest.fixture(params=CHOICES, scope="module")
def made(request: pytest.FixtureRequest) -> Adapter:
    return adapter(*CHOICES[request.param]).eval()


@torch.no_grad()
def test_padding_and_neighbours_change_nothing(made: Adapter) -> None:
    lengths = (1, 5, 17, 40)
    clips = {name: wider(track, 23, filled=1) for name, track in tracks(*lengths).items()}
    both = made(clips)
    for place, length in enumerate(lengths):
        one = slice(place, place + 1)
        alone = made({name: Track(c.values[one, :length], c.mask[one, :length]) for name, c in clips.items()})
        torch.testing.assert_close(both[one], alone, atol=1e-5, rtol=0)


@torch.no_grad()
def test_the_order_of_frames_matters(made: Adapter) -> None:
    clips = tracks(40)
    turned = {name: Track(track.values.flip(1), track.mask) for name, track in clips.items()}
    assert (made(clips) - made(turned)).abs().max() > 1e-4


@torch.no_grad()
def test_one_frame_and_two_thousand_give_a_vector(made: Adapter) -> None:
    for length in (1, 2000):
        vectors = made(tracks(length))
        assert vectors.shape == (1, 64) and vectors.isfinite().all()


def test_every_weight_that_learns_gets_its_gradient_from_more_frames_than_go_at_a_time() -> None:
    for words in (("adapter=visual", "adapter.eye.frames=16"), ("adapter=multimodal", MOTION)):
        made = adapter(*words)
        made(tracks(1, 40)).square().sum().backward()
        assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in made.parameters())


def test_what_happens_at_the_same_time_has_the_same_position_in_every_modality() -> None:
    def seen(items: int, frames: int) -> Moments:
        times = ((torch.arange(items) + 0.5) / items).unsqueeze(0)
        return Moments(torch.zeros(1, items, 8), torch.ones(1, items, dtype=torch.bool), times, torch.tensor([frames]))

    states, mask = together([seen(10, 10), seen(5, 20)])
    assert states.shape == (1, 15, 8) and mask.all()
    between = (states[0, 0:10:2] + states[0, 1:10:2]) / 2  # around the middle of each of the five
    assert (between - states[0, 10:]).abs().max() < 0.5
    whole, _ = together([seen(10, 20), seen(10, 20)])
    assert torch.equal(whole[0, :10], whole[0, 10:])


def test_what_all_frames_of_a_clip_share_is_not_seen_nor_how_strongly_they_differ() -> None:
    rows, mask = torch.randn(2, 9, 8), torch.arange(9) < torch.tensor([[9], [4]])
    seen = centred(rows, mask)
    for changed in (rows + 5 * torch.randn(2, 1, 8), 3 * rows):
        torch.testing.assert_close(centred(changed, mask), seen, atol=2e-3, rtol=1e-2)
    torch.testing.assert_close(seen.sum(dim=1), torch.zeros(2, 8), atol=1e-5, rtol=0)
    lone = centred(rows[:, :1], mask[:, :1])
    torch.testing.assert_close(
        lone, rows[:, :1] / rows[:, :1].square().mean(dim=-1, keepdim=True).sqrt(), rtol=1e-2, atol=0
    )


def test_modalities_are_told_apart() -> None:
    marks = [weight for name, weight in adapter("adapter=multimodal", MOTION).named_parameters() if "mark" in name]
    assert len({mark.detach().numpy().tobytes() for mark in marks}) == 3


def test_a_track_that_the_corpus_lacks_is_asked_for() -> None:
    for words in (("adapter=visual",), ("adapter=multimodal",)):
        with pytest.raises(UserError, match="reads pictures"):
            adapter(*words, measured=measure(points=points(5)))
    with pytest.raises(UserError, match="reads points"):
        adapter("adapter=multimodal", measured=measure(pictures=pictures(5)))


def test_a_part_without_its_track_is_left_out_by_null() -> None:
    seeing = adapter("adapter=multimodal", "adapter.points=null", measured=measure(pictures=pictures(5)))
    assert seeing({"pictures": pictures(3, 9)}).shape == (2, 64)
    reading = adapter("adapter=multimodal", "adapter.spatial=null", measured=measure(points=points(5)))
    assert reading({"points": points(3, 9)}).shape == (2, 64)


def test_parts_that_make_no_sense_are_refused() -> None:
    with pytest.raises(UserError, match="no part left"):
        adapter("adapter=multimodal", "adapter.points=null", "adapter.spatial=null")
    with pytest.raises(UserError, match="heads"):
        adapter("adapter=multimodal", "adapter.heads=3")
    with pytest.raises(UserError, match=r"adapter\.spatial has a backbone for motion"):
        adapter("adapter=multimodal", "eye@adapter.spatial=motion")


def test_a_learning_eye_gets_gradients_and_a_frozen_one_none() -> None:
    for choice, expected in (("whole", True), ("lora", True), ("frozen", False)):
        made = adapter("adapter=visual", f"learning@adapter.eye.learning={choice}")
        made(tracks(4, 9)).square().sum().backward()
        assert any(weight.grad is not None for weight in made.get_submodule("eye").parameters()) is expected
