"""Safetensors files written piece by piece, with the index that transformers reads.

The library's own writer wants a shard in memory before it writes; here only the piece in hand is, so a model of any
size passes through a few megabytes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sonar_slt.space.weights import INDEX, STORED_PRECISIONS

SHARD_BYTES = 2**30
"""What a shard may hold; one weight that is larger has a shard of its own."""

Shapes = Mapping[str, tuple[int, ...]]


def planned(groups: Iterable[Shapes], precision: torch.dtype, *, limit: int = SHARD_BYTES) -> dict[str, Shapes]:
    """File names and the weights that each will hold; no shard holds weights of two groups."""
    shards: list[dict[str, tuple[int, ...]]] = []
    for group in groups:
        filled = limit
        for name, shape in group.items():
            size = math.prod(shape) * precision.itemsize
            if filled + size > limit:
                shards.append({})
                filled = 0
            shards[-1][name] = shape
            filled += size
    return {f"model-{i:05}-of-{len(shards):05}.safetensors": shard for i, shard in enumerate(shards, start=1)}


def write_shard(path: Path, shapes: Shapes, precision: torch.dtype, pieces: Callable[[str], Iterable[Tensor]]) -> None:
    """Write one file; `pieces(name)` gives a weight in parts, in order and in the precision asked for."""
    header, end = {"__metadata__": {"format": "pt"}}, 0  # type: tuple[dict[str, object], int]
    for name, shape in shapes.items():
        begin, end = end, end + math.prod(shape) * precision.itemsize
        header[name] = {"dtype": _NAMES[precision], "shape": shape, "data_offsets": (begin, end)}
    described = json.dumps(header, separators=(",", ":")).encode()
    described += b" " * (-len(described) % 8)  # the numbers begin at a multiple of eight bytes
    with path.open("wb") as file:
        file.write(len(described).to_bytes(8, "little") + described)
        begin = file.tell()
        for name in shapes:
            for piece in pieces(name):
                numbers: Any = piece.contiguous().flatten().view(torch.uint8).numpy()
                file.write(numbers)
        if file.tell() - begin != end:
            raise ValueError(f"{path.name} has {file.tell() - begin} bytes of numbers, its header says {end}")


def write_index(folder: Path, shards: Mapping[str, Sequence[str] | Shapes], size: int) -> None:
    """Say which file holds which weight; `size` is the sum of all bytes."""
    places = {name: file for file, names in shards.items() for name in names}
    index = {"metadata": {"total_size": size}, "weight_map": dict(sorted(places.items()))}
    (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


_NAMES = {precision: name for name, precision in STORED_PRECISIONS.items()}
