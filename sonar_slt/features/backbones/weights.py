"""The weights of a backbone: from a folder, a file or a hub id, checked against the model before they are in it.

Files hold tensors and nothing else: safetensors, or what `torch.load` admits with `weights_only`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sonar_slt.errors import UserError
from sonar_slt.hub import HUB_ID, OutOfReach, fetched, indexed
from sonar_slt.space.weights import fingerprint

PICKLED = (".bin", ".pt", ".pth")
WHOLE = ("model.safetensors", "pytorch_model.bin")
INDEX = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
"""Where a folder of transformers or timm keeps its weights: in one file, or in several that an index names."""

INSIDE = ("state_dict", "model_state_dict", "model")
"""The names under which training scripts keep the weights in a larger file."""

Ours = Callable[[str], str | None]
"""From the name of a tensor in a file to its name in the model; None where it is no part of the model."""


class Weights:
    """Where weights come from; `option` is the name in `features=[…]` that errors speak of."""

    def __init__(self, source: str, *, option: str) -> None:
        self.key = f"features.{option}"
        self.path = self._located(source)

    def config(self) -> dict[str, Any] | None:
        """The config.json beside the weights, if there is one."""
        path = (self.path if self.path.is_dir() else self.path.parent) / "config.json"
        if not path.is_file():
            return None
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            raise UserError(f"'{path}' cannot be read as json: copy it again, or set {self.key}.weights.") from error
        if not isinstance(found, dict):
            raise UserError(f"'{path}' is no config of a model: expected a json object.")
        return found

    def tensors(self, ours: Ours) -> dict[str, Tensor]:
        """The tensors that are the model's, under the model's names."""
        found: dict[str, Tensor] = {}
        for path in self._files():
            found.update(_safe(path, ours) if path.suffix == ".safetensors" else _unpickled(path, ours))
        return found

    def fill(self, model: nn.Module, tensors: Mapping[str, Tensor], *, sizes: str) -> None:
        """Put every tensor in its place; `sizes` names the keys that decide the shapes of the model."""
        expected = model.state_dict()
        remedy = f"set {sizes} to fit the file, or {self.key}.weights to another."
        for name, wanted in expected.items():
            if name not in tensors:
                raise UserError(f"'{self.path}' lacks {name} of shape {tuple(wanted.shape)}: {remedy}")
            if tensors[name].shape != wanted.shape:
                shapes = f"as {tuple(tensors[name].shape)}, the model as {tuple(wanted.shape)}"
                raise UserError(f"'{self.path}' holds {name} {shapes}: {remedy}")
        extra = sorted(tensors.keys() - expected.keys())
        if extra:
            raise UserError(f"'{self.path}' holds {extra[0]}, which the model has not: {remedy}")
        model.load_state_dict(dict(tensors))

    def _located(self, source: str) -> Path:
        path = Path(source).expanduser()
        if source and path.exists():
            return path
        unknown = f"{self.key}.weights='{source}' is no file or folder"
        remedy = f"give a local one by {self.key}.weights=FOLDER, or null for random weights."
        if not HUB_ID.fullmatch(source):
            raise UserError(f"{unknown}, and no hub id: {remedy}")
        try:
            return fetched(source, ["config.json", "model*.safetensors*"], pickled=["pytorch_model*.bin*"])
        except OutOfReach as error:
            raise UserError(f"{unknown}, and {error}: {remedy}") from error

    def _files(self) -> list[Path]:
        if self.path.is_file():
            if self.path.suffix not in (".safetensors", *PICKLED):
                raise UserError(f"'{self.path}' is no file of weights: expected .safetensors, {', '.join(PICKLED)}.")
            return [self.path]
        for whole, index in zip(WHOLE, INDEX, strict=True):
            if (self.path / whole).is_file():
                return [self.path / whole]
            if (self.path / index).is_file():
                return _indexed(self.path / index)
        found = sorted(path for path in self.path.iterdir() if path.suffix in (".safetensors", *PICKLED))
        if len(found) != 1:
            told = f"{len(found)} files of weights" if found else "no weights"
            raise UserError(
                f"'{self.path}' holds {told}: expected {WHOLE[0]}; name the file by {self.key}.weights=FILE."
            )
        return found


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Random numbers of this seed for as long as the block lasts; whoever called goes on with their own."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def fingerprint_of(model: nn.Module) -> str:
    """A hash of all weights of a model."""
    return fingerprint(model.state_dict())


def _indexed(path: Path) -> list[Path]:
    """The files that an index names, all of them there."""
    files = indexed(path)
    if missing := [file.name for file in files if not file.is_file()]:
        raise UserError(f"'{path.parent}' has no {missing[0]}, which its index names: copy it again.")
    return files


def _safe(path: Path, ours: Ours) -> dict[str, Tensor]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            names = {name: ours(name) for name in file.keys()}  # noqa: SIM118 - a file is no dict
            return {mine: file.get_tensor(name) for name, mine in names.items() if mine}
    except (SafetensorError, OSError) as error:
        raise UserError(f"'{path}' is cut short or is no safetensors file: copy it again.") from error


def _unpickled(path: Path, ours: Ours) -> dict[str, Tensor]:
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a file that is cut short is told by errors of many kinds, one that is refused too
        raise UserError(
            f"'{path}' is cut short, or holds more than tensors and is not opened: save its state_dict alone, "
            "best as safetensors."
        ) from error
    while isinstance(found, dict) and (inside := next((name for name in INSIDE if name in found), None)):
        found = found[inside]
    if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
        raise UserError(f"'{path}' is no file of weights: expected tensors by their names.")
    names = {name: ours(str(name)) for name in found}
    return {mine: found[name] for name, mine in names.items() if mine}
