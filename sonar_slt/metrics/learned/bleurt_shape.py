"""What the config.json of a BLEURT checkpoint says, read and checked before torch is loaded."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from sonar_slt.errors import UserError

MEANT = (
    "expected the folder of a public checkpoint, best of lucadiliello/BLEURT-20: "
    "`hf download lucadiliello/BLEURT-20 --local-dir FOLDER`, then metrics.bleurt.folder=FOLDER."
)
FULL, DISTILLED = 32, (3, 6, 12)
"""Layers of BLEURT-20, and of the smaller models that were distilled from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BleurtShape:
    """The sizes of a network; the names are those of config.json, the defaults BERT's where a file may be silent."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    embedding_size: int | None = None  # of narrow word vectors; None where they are as wide as the layers
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-12
    max_position_embeddings: int = 512
    type_vocab_size: int = 2

    @property
    def width(self) -> int:
        """Of a word's vector."""
        return self.hidden_size if self.embedding_size is None else self.embedding_size

    @property
    def name(self) -> str:
        """What people call a model of this shape; layers and width of one that has no name."""
        narrow = self.embedding_size is not None
        if narrow and self.num_hidden_layers == FULL:
            return "BLEURT-20"
        if narrow and self.num_hidden_layers in DISTILLED:
            return f"BLEURT-20-D{self.num_hidden_layers}"
        return f"BLEURT-{self.num_hidden_layers}x{self.hidden_size}"


def read_shape(folder: Path) -> BleurtShape:
    """The shape of the checkpoint in a folder."""
    key, path = f"metrics.bleurt.folder={folder}", folder / "config.json"
    if not folder.is_dir():
        raise UserError(f"{key}: there is no such folder; {MEANT}")
    if not path.is_file():
        raise UserError(f"{key}: it has no config.json; {MEANT}")
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"'{path}' cannot be read as json: copy it again.") from error
    if not isinstance(said, dict) or said.get("model_type") != "bleurt":
        kind = said.get("model_type") if isinstance(said, dict) else None
        raise UserError(f"{key}: its config.json is of a model of the type {kind}, not bleurt; {MEANT}")
    return _checked(said, path)


def _checked(said: dict[str, Any], path: Path) -> BleurtShape:
    """The sizes in a config.json, once they make sense."""
    try:
        shape = BleurtShape(**{one.name: said[one.name] for one in fields(BleurtShape) if one.name in said})
    except TypeError as error:  # a size that has no default is not there
        raise UserError(f"'{path}' lacks a size of the network ({error}): copy it again.") from error
    for one in fields(BleurtShape):
        value = getattr(shape, one.name)
        if one.name in ("hidden_act", "layer_norm_eps") or (one.name == "embedding_size" and value is None):
            continue
        if not isinstance(value, int) or value < 1:
            raise UserError(f"'{path}' says {one.name}={value}; expected a number, at least 1.")
    if shape.hidden_size % shape.num_attention_heads:
        raise UserError(f"'{path}' has {shape.hidden_size} dimensions, which its attention heads do not divide.")
    if shape.hidden_act not in ("gelu", "gelu_new"):
        raise UserError(f"'{path}' says hidden_act={shape.hidden_act}; expected gelu or gelu_new.")
    return shape
