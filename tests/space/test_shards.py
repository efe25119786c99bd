"""Our safetensors writer against the library's reader."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from sonar_slt.space.conversion.shards import planned, write_index, write_shard

pytestmark = pytest.mark.properties

SHAPES = {"a.weight": (3, 5), "b.scalar": (), "c.empty": (0, 4), "d.odd": (7,), "ü.weight": (2, 3, 4)}


@pytest.mark.parametrize("precision", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_the_library_reads_what_we_write(tmp_path: Path, precision: torch.dtype) -> None:
    weights = {name: torch.randn(shape, dtype=torch.float64).to(precision) for name, shape in SHAPES.items()}
    path = tmp_path / "x.safetensors"
    write_shard(path, SHAPES, precision, lambda name: weights[name].flatten().split(2))
    found = load_file(path)
    assert found.keys() == weights.keys()
    assert all(torch.equal(found[name], weights[name]) and found[name].dtype == precision for name in weights)
    with safe_open(path, framework="pt") as file:
        assert file.metadata() == {"format": "pt"}  # transformers refuses a file that does not say so


def test_a_transposed_weight_is_written_as_it_reads(tmp_path: Path) -> None:
    weight = torch.arange(6.0).view(2, 3).T
    write_shard(tmp_path / "x.safetensors", {"w": (3, 2)}, torch.float32, lambda name: [weight[:1], weight[1:]])
    assert torch.equal(load_file(tmp_path / "x.safetensors")["w"], weight)


def test_too_few_numbers_are_a_fault_of_ours(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="its header says 24"):
        write_shard(tmp_path / "x.safetensors", {"w": (2, 3)}, torch.float32, lambda name: [torch.zeros(5)])


@pytest.mark.parametrize("limit", [1, 40, 100, 10_000])
def test_shards_keep_to_the_limit_and_to_their_group(tmp_path: Path, limit: int) -> None:
    groups = [{"t": (4, 4)}, {f"e{i}": (i, 2) for i in range(1, 6)}, {f"d{i}": (i, 3) for i in range(1, 6)}]
    shards = planned(groups, torch.float32, limit=limit)
    assert [name for shard in shards.values() for name in shard] == [name for group in groups for name in group]
    for shard in shards.values():
        assert len({name[0] for name in shard}) == 1
        assert len(shard) == 1 or sum(4 * math.prod(shape) for shape in shard.values()) <= limit
    write_index(tmp_path, shards, 12)
    index = json.loads((tmp_path / "model.safetensors.index.json").read_text())
    assert index["metadata"] == {"total_size": 12}
    assert all(name in shards[file] for name, file in index["weight_map"].items())
    assert len(index["weight_map"]) == 11
