"""The weights of a checkpoint folder, tensor by tensor: where each lies, its bytes, and a hash of all.

Reading one tensor at a time into its final precision keeps the peak at the model's own size, and opening half a
model reads half the file.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from sonar_slt.errors import UserError
from sonar_slt.hub import indexed

STORED_PRECISIONS = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
"""safetensors' names of the precisions that weights come in."""

PIECE = 16 * 2**20
"""How many bytes are hashed at a time: a fingerprint takes no memory to speak of."""

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
            wanted = _bytes(tensor)
            if file.readinto(wanted) != wanted.nbytes:
                raise UserError(f"'{self.path}' ended while {self.name} was read.")
        return tensor

    def pieces(self) -> Iterator[bytes]:
        """The bytes of the tensor, a few at a time."""
        left = self.size * self.precision.itemsize
        with self.path.open("rb") as file:
            file.seek(self.offset)
            while left:
                piece = file.read(min(left, PIECE))
                if not piece:
                    raise UserError(f"'{self.path}' ended while {self.name} was read.")
                left -= len(piece)
                yield piece


class OpenedFiles:
    """The files of a folder as they were when it was opened: asked later, the fingerprint is still of these."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.weights = folder, stored_weights(folder)
        self._files = self._seen()

    def fingerprint(self) -> str:
        """A hash of all weights; refused once a file has been replaced."""
        if self._files != self._seen():
            raise UserError(f"The weights in '{self.folder}' were replaced since the space was opened: open it again.")
        return fingerprint(self.weights)

    def _seen(self) -> dict[Path, tuple[int, int, int]]:
        stats = {path: path.stat() for path in {tensor.path for tensor in self.weights.values()} if path.is_file()}
        return {path: (stat.st_ino, stat.st_size, stat.st_mtime_ns) for path, stat in stats.items()}


def stored_weights(folder: Path) -> dict[str, StoredTensor]:
    """Every tensor of a folder under its canonical name; what is tied counts once.

    A file that is cut short or is no safetensors file is refused here, before anything is built.
    """
    paths = indexed(folder / INDEX) if (folder / INDEX).is_file() else [folder / SINGLE]
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
        precision = weight.precision if isinstance(weight, StoredTensor) else weight.dtype
        digest.update(f"{name}{tuple(weight.shape)}{precision}".encode())
        for piece in weight.pieces() if isinstance(weight, StoredTensor) else [_bytes(weight.detach().cpu())]:
            digest.update(piece)
    return digest.hexdigest()[:16]


def _listed(path: Path) -> Iterator[StoredTensor]:
    """What a safetensors file says it holds: eight bytes of length, a json header, then the numbers."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > size - 8:
            raise UserError(f"'{path}' is cut short or is no safetensors file: copy it again.")
        header = file.read(length)
    try:
        entries = {name: entry for name, entry in json.loads(header).items() if name != "__metadata__"}
        places = {
            name: (entry["dtype"], tuple(map(int, entry["shape"])), *map(int, entry["data_offsets"]))
            for name, entry in entries.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"'{path}' is no safetensors file: its header cannot be read.") from error
    for name, (kind, shape, begin, end) in places.items():
        if 8 + length + end > size:
            raise UserError(f"'{path}' is cut short: {name} ends {8 + length + end - size:,} bytes behind it.")
        if kind not in STORED_PRECISIONS:
            raise UserError(f"'{path}' holds {name} as {kind}; expected one of {', '.join(STORED_PRECISIONS)}.")
        stored = StoredTensor(path, name, STORED_PRECISIONS[kind], shape, 8 + length + begin)
        if stored.size * stored.precision.itemsize != end - begin:
            raise UserError(f"'{path}' is damaged: {name} of shape {shape} takes {end - begin:,} bytes there.")
        yield stored


def _bytes(tensor: Tensor) -> memoryview:
    return tensor.contiguous().flatten().view(torch.uint8).numpy().data
