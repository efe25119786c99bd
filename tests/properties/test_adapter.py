"""What must hold for every adapter that conf/ knows, and for every choice of rooms inside those that are combined.

Padding changes nothing, the order of frames does, one frame is enough, 2,000 are not too many, and whatever is meant to
learn does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor

from sonar_slt.adapter import Measure
from sonar_slt.config.build import build, resolve
from sonar_slt.config.compose import examine
from sonar_slt.config.location import conf_folder
from sonar_slt.data.layouts import OPENPOSE_137
from sonar_slt.data.track import Track
from sonar_slt.space import SentenceSpace

pytestmark = pytest.mark.properties

ROOM = conf_folder() / "adapter"
NO_ADAPTER = {"auto"}
"""Options that stand for another one."""
COMBINED = {"spamo", "keypoint"}
"""Options of which every combination of inner rooms is looked at; of others the one that they come with."""
TINY = [f"backbone.architecture.{size}" for size in ("img_size=32", "embed_dim=16", "depth=1", "num_heads=2")]
SMALL = {
    "visual": [f"adapter.eye.{size}" for size in TINY],
    "multimodal": [f"adapter.spatial.{size}" for size in TINY],
    "reference": [
        f"adapter.{size}"
        for size in ("frame_dim=16", "frame_layers=1", "frame_heads=2", "dim=32", "layers=1", "heads=2")
    ],
}
"""By option, overrides that make it small enough for a test."""
EXACT = {("keypoint", "attention")}
"""Options and poolings whose results padding changes in no bit of a float32; others round as the shapes of their
products do."""
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}
SIZES: dict[str, Any] = {"dim": 32, "layers": 2, "heads": 4, "hidden": 48, "vocabulary": 9000}
LENGTHS = (1, 2, 5, 30, 61, 90, 121, 200)
SHAPES = {"points": (137, 3), "pictures": (3, 32, 32), "spatial": (24,), "motion": (16,)}
PACE = {"motion": 8}
"""Frames for a row of a track; one where nothing is said."""

Clip = Mapping[str, Tensor]


def inner_rooms(option: str) -> dict[str, list[str]]:
    """The rooms inside an option, as the command line calls them, with what may be chosen in each."""
    content = yaml.safe_load((ROOM / f"{option}.yaml").read_text(encoding="utf-8")) or {}
    nested = [next(iter(entry)) for entry in content.get("defaults", []) if isinstance(entry, dict)]
    folders = [name.lstrip("/").partition("@") for name in nested]
    return {
        f"{folder}@adapter.{place}": sorted(path.stem for path in (conf_folder() / folder).glob("*.yaml"))
        for folder, _, place in folders
    }


def cases() -> Iterator[tuple[str, ...]]:
    """Every adapter, and every combination of rooms inside one: its name, and the words that choose it."""
    for option in sorted({path.stem for path in ROOM.glob("*.yaml")} - NO_ADAPTER):
        rooms = inner_rooms(option) if option in COMBINED else {}
        for choice in product(*rooms.values()):
            chosen = [f"{room}={name}" for room, name in zip(rooms, choice, strict=True)]
            yield option, f"adapter={option}", *chosen, *SMALL.get(option, [])


CASES = list(cases())
NAMES = [
    "-".join(word.rpartition("=")[2] for word in case[1:] if "@" in word or word[:8] == "adapter=") for case in CASES
]
every_case = pytest.mark.parametrize("case", CASES, ids=NAMES)


@pytest.fixture(scope="module")
def spaces() -> dict[torch.dtype, SentenceSpace]:
    """A tiny space of random weights, in both precisions."""
    return {dtype: SentenceSpace.at_random(**SIZES, dtype=dtype) for dtype in TOLERANCE}


@cache
def described(case: tuple[str, ...]) -> dict[str, Any]:
    found = examine("train", list(case[1:]), complete=False)
    assert not found.problems
    node: dict[str, Any] = found.config["adapter"]
    return node


def made(case: tuple[str, ...], space: SentenceSpace, *, without: str | None = None) -> Any:
    """The adapter in the space's precision, its small matrices moved away from where they start."""
    torch.manual_seed(0)
    node = described(case)
    reads = [track for track in resolve(node["_target_"]).reading(node) if track != without]
    measure = Measure(
        samples=padded([drawn(reads, length, seed=9) for length in (20, 12)]),
        vector_mean=torch.zeros(space.dim),
        vector_std=torch.ones(space.dim),
        roots=OPENPOSE_137.roots if "points" in reads else (),
        space=space,
    )
    adapter = build(node)(measure=measure).to(space.model.dtype)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for weight in adapter.parameters():
            if weight.requires_grad and not weight.any():
                weight.add_(0.1 * torch.randn(weight.shape, generator=generator))
    adapter.wanted = reads
    return adapter.eval()


def reads(adapter: Any, without: str | None = None) -> list[str]:
    return [track for track in adapter.wanted if track != without]


def drawn(tracks: list[str], frames: int, *, seed: int = 1) -> Clip:
    """A clip of so many frames, the same for a seed and a length."""
    generator = torch.Generator().manual_seed(1000 * seed + frames)
    clip = {}
    for track in tracks:
        shape = (-(-frames // PACE.get(track, 1)), *SHAPES[track])
        if track == "pictures":
            clip[track] = torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
        else:
            clip[track] = torch.randn(shape, generator=generator)
    if "points" in clip:
        clip["points"][..., 2] = clip["points"][..., 2].abs().clamp(0, 1)
    return clip


def padded(clips: list[Clip], extra: int = 0, dtype: torch.dtype = torch.float32) -> dict[str, Track]:
    """Clips side by side, each track padded by `extra` rows beyond its longest; numbers of a precision."""
    tracks = {}
    for track in clips[0]:
        longest = max(len(clip[track]) for clip in clips) + extra
        values = torch.zeros(len(clips), longest, *SHAPES[track], dtype=clips[0][track].dtype)
        mask = torch.zeros(len(clips), longest, dtype=torch.bool)
        for i, clip in enumerate(clips):
            values[i, : len(clip[track])], mask[i, : len(clip[track])] = clip[track], True
        tracks[track] = Track(values if values.dtype is torch.uint8 else values.to(dtype), mask)
    return tracks


def same(case: tuple[str, ...], first: Tensor, second: Tensor) -> bool:
    pooling = next((word.rpartition("=")[2] for word in case if word.startswith("pooling@")), None)
    if (case[0], pooling) in EXACT and first.dtype is torch.float32:
        return torch.equal(first, second)
    return bool((first - second).abs().max() < TOLERANCE[first.dtype])


@torch.no_grad()
@every_case
@pytest.mark.parametrize("dtype", list(TOLERANCE), ids=str)
def test_padding_changes_nothing(case: tuple[str, ...], dtype: torch.dtype, spaces: Any) -> None:
    adapter = made(case, spaces[dtype])
    clips = [drawn(reads(adapter), length) for length in LENGTHS]
    alone = torch.cat([adapter(padded([clip], dtype=dtype)) for clip in clips])
    for extra in (0, 1, 56, 133):
        assert same(case, alone, adapter(padded(clips, extra, dtype)))


@torch.no_grad()
@every_case
def test_what_lies_in_the_padding_is_never_seen(case: tuple[str, ...], spaces: Any) -> None:
    adapter = made(case, spaces[torch.float32])
    tracks = padded([drawn(reads(adapter), length) for length in LENGTHS], 7)
    dirty = {}
    for name, track in tracks.items():
        mask = track.mask.view(*track.mask.shape, *[1] * len(SHAPES[name]))
        dirty[name] = Track(torch.where(mask, track.values, torch.full_like(track.values, 7)), track.mask)
    assert torch.equal(adapter(tracks), adapter(dirty))


@torch.no_grad()
@every_case
def test_the_order_of_frames_matters(case: tuple[str, ...], spaces: Any) -> None:
    adapter = made(case, spaces[torch.float32])
    clip = drawn(reads(adapter), 90)
    backwards = {name: rows.flip(0) for name, rows in clip.items()}
    assert (adapter(padded([clip])) - adapter(padded([backwards]))).abs().max() > 1e-3
    for track in clip:  # and that of each track by itself
        assert (adapter(padded([clip])) - adapter(padded([{**clip, track: backwards[track]}]))).abs().max() > 1e-4


@torch.no_grad()
@every_case
@pytest.mark.parametrize("frames", [1, 2000])
def test_one_frame_is_enough_and_2000_are_not_too_many(case: tuple[str, ...], frames: int, spaces: Any) -> None:
    space = spaces[torch.float32]
    adapter = made(case, space)
    vector = adapter(padded([drawn(reads(adapter), frames)]))
    assert vector.shape == (1, space.dim)
    assert vector.isfinite().all()


@every_case
def test_gradients_reach_every_weight_that_learns_and_nothing_of_the_space(case: tuple[str, ...], spaces: Any) -> None:
    space = spaces[torch.float32]
    before = {name: weight.clone() for name, weight in space.model.named_parameters()}
    adapter = made(case, space).train()
    adapter(padded([drawn(reads(adapter), length) for length in (90, 61)])).square().sum().backward()
    silent = [
        name
        for name, weight in adapter.named_parameters()
        if weight.requires_grad and (weight.grad is None or not weight.grad.any())
    ]
    assert silent == []
    shared = {weight.data_ptr() for weight in space.model.parameters()}
    assert not shared & {weight.data_ptr() for weight in adapter.state_dict().values()}
    for name, weight in space.model.named_parameters():
        assert weight.grad is None and not weight.requires_grad and torch.equal(weight, before[name])


@torch.no_grad()
@every_case
def test_an_adapter_comes_back_from_what_it_saved(case: tuple[str, ...], spaces: Any) -> None:
    space = spaces[torch.float32]
    adapter, other = made(case, space), made(case, space)
    for weight in adapter.parameters():
        weight.add_(0.01)
    other.load_state_dict(adapter.state_dict())
    tracks = padded([drawn(reads(adapter), 30)])
    assert torch.equal(adapter(tracks), other(tracks))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@torch.no_grad()
@every_case
def test_a_gpu_says_what_a_cpu_does(case: tuple[str, ...], spaces: Any) -> None:
    near = made(case, spaces[torch.float64])
    far = made(case, SentenceSpace.at_random(**SIZES, dtype=torch.float64, device="cuda")).to("cuda")
    far.load_state_dict(near.state_dict())
    tracks = padded([drawn(reads(near), length) for length in LENGTHS], dtype=torch.float64)
    moved = {name: Track(track.values.cuda(), track.mask.cuda()) for name, track in tracks.items()}
    torch.testing.assert_close(far(moved).cpu(), near(tracks), rtol=0, atol=1e-9)


@torch.no_grad()
@pytest.mark.parametrize("lacking", ["spatial", "motion"])
@pytest.mark.parametrize("case", [case for case in CASES if case[0] == "spamo"][::3], ids=lambda case: case[2])
def test_one_track_of_two_is_enough(case: tuple[str, ...], lacking: str, spaces: Any) -> None:
    adapter = made(case, spaces[torch.float32], without=lacking)
    clips = [drawn(reads(adapter, lacking), length) for length in LENGTHS]
    alone = torch.cat([adapter(padded([clip])) for clip in clips])
    assert same(case, alone, adapter(padded(clips, 9)))


@torch.no_grad()
@pytest.mark.parametrize("case", [case for case in CASES if case[0] == "keypoint"])
def test_a_missing_point_has_no_place(case: tuple[str, ...], spaces: Any) -> None:
    adapter = made(case, spaces[torch.float32])
    clip = drawn(["points"], 30)["points"]
    clip[:, [40, 95], 2] = 0
    elsewhere = clip.clone()
    elsewhere[:, [40, 95], :2] = 5.0  # a point of the face, and a wrist that other points are seen from
    first, second = (adapter(padded([{"points": one}])) for one in (clip, elsewhere))
    assert torch.equal(first, second)


@torch.no_grad()
@every_case
def test_the_head_starts_at_the_teachers_mean_and_spread(case: tuple[str, ...], spaces: Any) -> None:
    space = spaces[torch.float32]
    torch.manual_seed(0)
    node = described(case)
    tracks = list(resolve(node["_target_"]).reading(node))
    clips = [drawn(tracks, length) for length in LENGTHS]
    mean, std = torch.full((space.dim,), 3.0), torch.full((space.dim,), 0.01)
    roots = OPENPOSE_137.roots if "points" in tracks else ()
    measure = Measure(samples=padded(clips), vector_mean=mean, vector_std=std, roots=roots, space=space)
    vector = build(node)(measure=measure).eval()(padded(clips))
    assert (vector - mean).abs().max() < 0.1
