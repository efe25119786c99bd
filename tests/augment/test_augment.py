"""What holds for every augmentation that conf/ knows, found there, on every track that it changes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from sonar_slt.augment import Augmentations
from sonar_slt.config.build import build
from sonar_slt.config.location import conf_folder
from sonar_slt.data.layouts import SIGNING
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError

FOLDER = Path(conf_folder()) / "augment"
PAPER = ["frame_mask", "frame_dropout", "noise", "frame_shuffle"]
NAMES = sorted(file.stem for file in FOLDER.glob("*.yaml") if not file.stem.startswith("paper"))
"""Each augmentation; the other files name several of them."""
LENGTHS = (1, 2, 7, 24, 40)
NOTHING = {
    "crop": {"least": 1.0},
    "colour": {"brightness": 0.0, "contrast": 0.0, "saturation": 0.0},
    "blur": {"probability": 0.0},
    "frame_mask": {"ratio": 0.0},
    "frame_dropout": {"probability": 0.0},
    "frame_shuffle": {"window": 1},
    "noise": {"std": 0.0},
    "mirror": {"probability": 0.0},
    "rotation": {"degrees": 0.0},
    "scale": {"share": 0.0},
    "time_warp": {"strength": 0.0},
    "lost_hand": {"probability": 0.0},
}
SHAPES = {"points": (SIGNING.points, 3), "pictures": (3, 16, 16), "spatial": (5,), "motion": (4,)}


def tracks(lengths: tuple[int, ...] = LENGTHS, padding: int = 0) -> dict[str, Track]:
    """Clips as they are anywhere: points with some missing, pictures, and features, these of half as many rows."""
    return {name: _track(name, lengths if name != "motion" else _halves(lengths), padding) for name in SHAPES}


def _halves(lengths: tuple[int, ...]) -> tuple[int, ...]:
    return tuple((length + 1) // 2 for length in lengths)


def _track(name: str, lengths: tuple[int, ...], padding: int) -> Track:
    random = torch.Generator().manual_seed(0)
    mask = torch.arange(max(lengths) + padding) < torch.tensor(lengths).unsqueeze(1)
    values = torch.zeros(*mask.shape, *SHAPES[name])
    for clip, length in zip(values, lengths, strict=True):
        clip[:length] = torch.rand(length, *SHAPES[name], generator=random)
    if name == "pictures":
        return Track((255 * values).byte(), mask)
    if name == "points":
        values[..., :2] -= 0.5 * mask[..., None, None]
        values *= values[..., 2:] > 0.2
    return Track(values, mask)


def made(name: str, lengths: tuple[int, ...] = LENGTHS, **changes: Any) -> Augmentations:
    """An augmentation as conf/ has it, fitted to those of the tracks that it changes."""
    part = build(yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8")) | changes)
    augment = Augmentations({name: part})
    augment.fit(layout=SIGNING, samples=_of(part, tracks(lengths)))
    return augment


def _of(part: Any, clips: Mapping[str, Track]) -> dict[str, Track]:
    return {name: track for name, track in clips.items() if name in part.tracks}


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_shape_type_and_mask_are_kept_and_the_padding_stays_0(name: str, dtype: torch.dtype) -> None:
    augment = made(name)
    clips = {
        track: Track(one.values if track == "pictures" else one.values.to(dtype), one.mask)
        for track, one in tracks().items()
    }
    before = {track: one.values.clone() for track, one in clips.items()}
    for step in range(10):
        for track, changed in augment(clips, seed=1, step=step).items():
            assert changed.values.shape == before[track].shape and changed.values.dtype is before[track].dtype
            assert torch.equal(changed.mask, clips[track].mask)
            assert changed.values.isfinite().all() and not changed.values[~changed.mask].any()
            assert torch.equal(clips[track].values, before[track])  # what came in stays as it was


def test_any_length_will_do(name: str) -> None:
    lengths = tuple(range(1, 41))
    changed = made(name, lengths)(tracks(lengths), seed=1, step=0)
    assert all(torch.equal(changed[track].mask, one.mask) for track, one in tracks(lengths).items())


def test_at_its_least_it_changes_nothing(name: str) -> None:
    clips = tracks()
    changed = made(name, **NOTHING[name])(clips, seed=1, step=0)
    assert all(torch.equal(changed[track].values, one.values) for track, one in clips.items())


def test_the_seed_and_the_step_decide_what_is_drawn(name: str) -> None:
    lengths = (24,) * 40
    augment, clips = made(name, lengths), tracks(lengths)

    def drawn(track: str, seed: int, step: int) -> torch.Tensor:
        return augment(clips, seed=seed, step=step)[track].values

    for track in augment.parts[name].tracks:
        torch.manual_seed(0)
        first = drawn(track, 1, 7)
        torch.manual_seed(5)  # the program's other random numbers are neither read nor moved
        state = torch.get_rng_state()
        assert torch.equal(first, drawn(track, 1, 7))
        assert torch.equal(state, torch.get_rng_state())
        assert not torch.equal(first, drawn(track, 1, 8))
        assert not torch.equal(first, drawn(track, 2, 7))


def test_tracks_that_it_does_not_know_are_left_alone(name: str) -> None:
    sound = {"sound": Track(torch.ones(2, 5, 4), torch.ones(2, 5, dtype=torch.bool))}
    assert made(name)(sound, seed=1, step=0)["sound"] is sound["sound"]


@pytest.mark.parametrize("name", ["frame_mask", "frame_dropout", "frame_shuffle", "time_warp", "mirror", "lost_hand"])
def test_padding_decides_nothing(name: str) -> None:
    """So tracks of a clip that are of one length are hit in the same frames, whatever else is in the batch."""
    augment = made(name)
    short = augment(tracks(), seed=1, step=3)
    for track, changed in augment(tracks(padding=9), seed=1, step=3).items():
        assert torch.equal(changed.values[changed.mask], short[track].values[short[track].mask])


def test_none_is_no_change() -> None:
    clips = tracks()
    assert Augmentations()(clips, seed=1, step=0)["pictures"] is clips["pictures"]


def test_parts_come_in_their_order_and_what_one_draws_does_not_hang_on_the_others() -> None:
    parts = {name: made(name).parts[name] for name in PAPER}
    both = Augmentations(parts)(tracks(), seed=1, step=3)
    by_hand: Any = tracks()
    for name, part in parts.items():
        by_hand = Augmentations({name: part})(by_hand, seed=1, step=3)
    assert all(torch.equal(both[track].values, by_hand[track].values) for track in by_hand)
    turned = Augmentations(dict(reversed(parts.items())))(tracks(), seed=1, step=3)
    assert not torch.equal(both["points"].values, turned["points"].values)


def test_the_papers_are_named_in_their_order() -> None:
    assert yaml.safe_load((FOLDER / "paper.yaml").read_text("utf-8")) == {"defaults": PAPER}


def test_one_that_could_do_nothing_is_refused(name: str) -> None:
    part = made(name).parts[name]
    with pytest.raises(UserError, match=rf"augment\.{name} .* sound"):
        Augmentations({name: part}).fit(layout=SIGNING, samples={"sound": tracks()["motion"]})


@pytest.mark.parametrize(
    ("name", "track"),
    [
        ("noise", "points"),
        ("noise", "motion"),
        ("frame_mask", "spatial"),
        ("mirror", "points"),
        ("lost_hand", "points"),
    ],
)
def test_one_that_has_to_look_first_says_so(name: str, track: str) -> None:
    part = build(yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8")))
    with pytest.raises(UserError, match=rf"augment\.{name} has not seen any clips yet"):
        Augmentations({name: part})({track: tracks()[track]}, seed=1, step=0)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("crop", {"least": 1.2}),
        ("colour", {"contrast": -0.1}),
        ("blur", {"most": 0.0}),
        ("frame_mask", {"ratio": 2.0}),
        ("frame_dropout", {"probability": -1.0}),
        ("frame_shuffle", {"window": 0}),
        ("noise", {"std": -1.0}),
        ("mirror", {"probability": 1.5}),
        ("rotation", {"degrees": 200.0}),
        ("scale", {"share": 1.0}),
        ("time_warp", {"strength": 1.0}),
        ("lost_hand", {"longest": -0.1}),
    ],
)
def test_a_number_that_makes_no_sense_is_refused(name: str, changes: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=rf"augment\.{name}\.{next(iter(changes))}={next(iter(changes.values()))}"):
        made(name, **changes)
