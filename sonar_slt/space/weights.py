"""The weights of a checkpoint folder, tensor by tensor: where each lies, its bytes, and a hash of all.

Reading one tensor at a time into its final precision keeps the peak at the model's own size, and opening half a
model reads half the file.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from sonar_slt.errors import UserError

PRECISIONS = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
"""safetensors' names of the precisions that weights come in."""

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"

TABLE = "model.shared.weight"
TIED = ("lm_head.weight", "model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight")
"""The one table of word vectors, and the other names that a file may give it."""


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """One tensor of a safetensors file, not yet read."""

    path: Path
    name: str
    precision: torch.dtype
    shape: tuple[int, ...]
    offset: int

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)

    def read(self) -> Tensor:
        """The tensor in its stored precision, in memory of its own."""
        tensor = torch.empty(self.shape, dtype=self.precision)
        with self.path.open("rb") as file:
            file.seek(self.offset)
            _fill(file, tensor, self)
        return tensor


def stored_weights(folder: Path) -> dict[str, StoredTensor]:
    """Every tensor of a folder under its canonical name; what is tied counts once.

    A file that is cut short or is no safetensors file is refused here, before anything is built.
    """
    paths = [folder / SINGLE]
    if (folder / INDEX).is_file():
        try:
            index = json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"]
        except (ValueError, KeyError) as error:
            raise UserError(f"'{folder / INDEX}' is no index of safetensors files.") from error
        paths = [folder / name for name in sorted(set(index.values()))]
    found: dict[str, StoredTensor] = {}
    for path in paths:
        if not path.is_file():
            raise UserError(f"'{folder}' has no {path.name}: the weights of a space are safetensors files.")
        found |= {tensor.name: tensor for tensor in _listed(path)}
    tied = [name for name in TIED if name in found]
    if TABLE not in found and tied:
        found[TABLE] = found[tied[0]]
    return {name: tensor for name, tensor in found.items() if name not in TIED}


def fingerprint(weights: Mapping[str, StoredTensor | Tensor]) -> str:
    """A hash of weights: every name, shape, precision and bit, whether they lie in files or in memory."""
    digest = hashlib.sha256()
    for name, weight in sorted(weights.items()):
        read = weight.read() if isinstance(weight, StoredTensor) else weight.detach().cpu().contiguous()
        digest.update(f"{name}{tuple(read.shape)}{read.dtype}".encode())
        digest.update(_bytes(read))
    return digest.hexdigest()[:16]


def _listed(path: Path) -> Iterable[StoredTensor]:
    """What a safetensors file says it holds: eight bytes of length, a json header, then the numbers."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > size - 8:
            raise UserError(f"'{path}' is cut short or is no safetensors file: copy it again.")
        try:
            header = json.loads(file.read(length))
        except ValueError as error:
            raise UserError(f"'{path}' is no safetensors file: its header cannot be read.") from error
    header.pop("__metadata__", None)
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        if 8 + length + end > size:
            raise UserError(f"'{path}' is cut short: {name} ends {8 + length + end - size:,} bytes behind it.")
        if entry["dtype"] not in PRECISIONS:
            raise UserError(f"'{path}' holds {name} as {entry['dtype']}; expected one of {', '.join(PRECISIONS)}.")
        yield StoredTensor(path, name, PRECISIONS[entry["dtype"]], tuple(entry["shape"]), 8 + length + begin)


def _fill(file: BinaryIO, tensor: Tensor, stored: StoredTensor) -> None:
    wanted = _bytes(tensor)
    if file.readinto(wanted) != wanted.nbytes:  # type: ignore[attr-defined]
        raise UserError(f"'{stored.path}' ended while {stored.name} was read.")


def _bytes(tensor: Tensor) -> memoryview:
    return tensor.flatten().view(torch.uint8).numpy().data
