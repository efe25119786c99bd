"""Clips from disk into tensors, at random: our store against a file per clip, and against one safetensors file.

Every file lies in the system's cache, and every byte ends in a tensor of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file
from torch import Tensor

from sonar_slt.bench.data.recordings import FRAMES, POINTS, movements, written
from sonar_slt.bench.timing import Comparison, compared, in_turn

Read = Callable[[int], Tensor]


def bench_reads(folder: Path, *, clips: int, rounds: int) -> Iterator[Comparison]:
    """So many clips of 120 frames of 543 points, each once a round, in the same random order."""
    recorded = movements()
    ways = _ways(folder, [recorded[number % len(recorded)] for number in range(clips)])
    order = Random(0).sample(range(clips), clips)
    acts = [partial(_all, read, order) for read in ways.values()]
    for act in acts:
        act()
    times = dict(zip(ways, in_turn(acts, rounds), strict=True))
    copied = min(times["memory"])
    store, half = (times[name] for name in ("store", "store in float16"))
    name = f"read {clips} clips of {FRAMES} × {POINTS} × 3 float32"
    for plain in ("npz", "compressed npz", "safetensors"):
        alike = _furthest(ways[plain], ways["store"], order)
        note = f"largest difference {alike:g}"
        yield compared(f"{name}: {plain} against the store", times[plain], store, limit=copied, note=note)
    note = f"largest difference {_furthest(ways['npz'], ways['store in float16'], order):.1e}"
    yield compared(f"{name}: npz against the store in float16", times["npz"], half, limit=copied, note=note)


def _all(read: Read, order: Sequence[int]) -> None:
    for number in order:
        read(number)


def _ways(folder: Path, clips: Sequence[NDArray[np.float32]]) -> dict[str, Read]:
    """Each way's files are written here; the limit is a copy of what is in memory already."""
    named = {f"clip{number:06d}": points for number, points in enumerate(clips)}
    for name, points in named.items():
        np.savez(folder / f"{name}.npz", points=points)
        np.savez_compressed(folder / f"{name}.small.npz", points=points)
    save_file(named, folder / "clips.safetensors")
    opened: Any = safe_open(folder / "clips.safetensors", "pt")
    stores = {
        kind: written(folder / kind, clips, len(clips), dtype=kind, language="").clips
        for kind in ("float32", "float16")
    }
    held = [torch.from_numpy(points.copy()) for points in clips]
    names = list(named)
    return {
        "memory": lambda number: held[number].clone(),
        "npz": lambda number: _unpacked(folder / f"{names[number]}.npz"),
        "compressed npz": lambda number: _unpacked(folder / f"{names[number]}.small.npz"),
        "safetensors": lambda number: opened.get_tensor(names[number]).clone(),
        "store": lambda number: torch.from_numpy(stores["float32"].read(number)),
        "store in float16": lambda number: torch.from_numpy(stores["float16"].read(number)).float(),
    }


def _unpacked(path: Path) -> Tensor:
    with np.load(path, allow_pickle=False) as file:
        return torch.from_numpy(file["points"])


def _furthest(first: Read, second: Read, order: Sequence[int]) -> float:
    return max(float((first(number) - second(number)).abs().max()) for number in order)
