"""What holds for every augmentation that conf/ knows, found there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from sonar_slt.augment import Augmentations
from sonar_slt.config.build import build
from sonar_slt.config.location import conf_folder
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError

FILES = sorted((Path(conf_folder()) / "augment").glob("*.yaml"))
LENGTHS = (1, 7, 24, 40)
NOTHING = {
    "crop": {"least": 1.0},
    "colour": {"brightness": 0.0, "contrast": 0.0, "saturation": 0.0},
    "blur": {"probability": 0.0},
    "frame_mask": {"ratio": 0.0},
    "frame_dropout": {"probability": 0.0},
    "frame_shuffle": {"window": 1},
}


def made(name: str, **changes: Any) -> Any:
    return build(yaml.safe_load((Path(conf_folder()) / "augment" / f"{name}.yaml").read_text("utf-8")) | changes)


def clips(lengths: tuple[int, ...] = LENGTHS, size: int = 16, seed: int = 0) -> Track:
    mask = torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)
    shape = (len(lengths), max(lengths), 3, size, size)
    pictures = torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))
    return Track(pictures * mask[..., None, None, None], mask)


@pytest.fixture(params=[file.stem for file in FILES])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_shape_type_and_mask_are_kept_and_the_padding_stays_black(name: str) -> None:
    track, part = clips(), made(name)
    for step in range(20):
        changed = Augmentations({name: part})({"pictures": track}, seed=1, step=step)["pictures"]
        assert changed.values.shape == track.values.shape and changed.values.dtype is torch.uint8
        assert torch.equal(changed.mask, track.mask)
        assert not changed.values[~track.mask].any()


def test_what_came_in_stays_as_it_was(name: str) -> None:
    track = clips()
    before = track.values.clone()
    for step in range(5):
        Augmentations({name: made(name)})({"pictures": track}, seed=1, step=step)
    assert torch.equal(track.values, before)


def test_at_its_least_it_changes_nothing(name: str) -> None:
    track = clips()
    changed = Augmentations({name: made(name, **NOTHING[name])})({"pictures": track}, seed=1, step=0)
    assert torch.equal(changed["pictures"].values, track.values)


def test_the_seed_and_the_step_decide_what_is_drawn(name: str) -> None:
    track, part = {"pictures": clips((24, 24, 24, 24, 24, 24))}, made(name)

    def drawn(seed: int, step: int) -> torch.Tensor:
        return Augmentations({name: part})(track, seed=seed, step=step)["pictures"].values

    torch.manual_seed(0)
    first = drawn(1, 7)
    torch.manual_seed(5)  # the program's other random numbers are neither read nor moved
    state = torch.get_rng_state()
    assert torch.equal(first, drawn(1, 7))
    assert torch.equal(state, torch.get_rng_state())
    assert not torch.equal(first, drawn(1, 8))
    assert not torch.equal(first, drawn(2, 7))


def test_other_tracks_are_left_alone(name: str) -> None:
    tracks = {"points": Track(torch.ones(2, 5, 4, 3), torch.ones(2, 5, dtype=torch.bool))}
    assert Augmentations({name: made(name)})(tracks, seed=1, step=0)["points"] is tracks["points"]


def test_none_is_no_change() -> None:
    track = clips()
    assert Augmentations()({"pictures": track}, seed=1, step=0)["pictures"] is track


def test_parts_come_in_their_order_and_what_one_draws_does_not_hang_on_the_others() -> None:
    track = {"pictures": clips((24, 24))}
    parts = {"frame_mask": made("frame_mask"), "frame_shuffle": made("frame_shuffle")}
    both = Augmentations(parts)(track, seed=1, step=3)
    by_hand: Any = track
    for name, part in parts.items():
        by_hand = Augmentations({name: part})(by_hand, seed=1, step=3)
    assert torch.equal(both["pictures"].values, by_hand["pictures"].values)
    turned = Augmentations(dict(reversed(parts.items())))(track, seed=1, step=3)
    assert not torch.equal(both["pictures"].values, turned["pictures"].values)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("crop", {"least": 1.2}),
        ("colour", {"contrast": -0.1}),
        ("blur", {"most": 0.0}),
        ("frame_mask", {"ratio": 2.0}),
        ("frame_dropout", {"probability": -1.0}),
        ("frame_shuffle", {"window": 0}),
    ],
)
def test_a_number_that_makes_no_sense_is_refused(name: str, changes: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=rf"augment\.{name}"):
        made(name, **changes)
