"""BLEURT's network: a BERT whose word vectors may be narrower than its layers, and one number from its first position.

The modules are named as in the public PyTorch port, so that a checkpoint fits name by name or is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from sonar_slt.errors import UserError
from sonar_slt.metrics.learned.bleurt_shape import BleurtShape
from sonar_slt.metrics.learned.bleurt_tokens import PairRow
from sonar_slt.space.tokens import pad_rows
from sonar_slt.space.weights import fingerprint

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": functional.gelu,
    "gelu_new": partial(functional.gelu, approximate="tanh"),
}
NO_WEIGHT = "bleurt.embeddings.position_ids"
"""The numbers of the positions, which checkpoints hold and no network needs."""


class BleurtEmbeddings(nn.Module):
    """The sum of a word's vector, its position's and its side's."""

    def __init__(self, shape: BleurtShape) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(shape.vocab_size, shape.width)
        self.position_embeddings = nn.Embedding(shape.max_position_embeddings, shape.width)
        self.token_type_embeddings = nn.Embedding(shape.type_vocab_size, shape.width)
        self.LayerNorm = nn.LayerNorm(shape.width, eps=shape.layer_norm_eps)

    def forward(self, ids: Tensor, sides: Tensor) -> Tensor:
        """(batch, length) ids and 0 or 1 -> (batch, length, width)."""
        places = torch.arange(ids.shape[1], device=ids.device)
        found = self.word_embeddings(ids) + self.token_type_embeddings(sides) + self.position_embeddings(places)
        normed: Tensor = self.LayerNorm(found)
        return normed


class Joined(nn.Module):
    """A linear map, added to what went round it and normed."""

    def __init__(self, inner: int, shape: BleurtShape) -> None:
        super().__init__()
        self.dense = nn.Linear(inner, shape.hidden_size)
        self.LayerNorm = nn.LayerNorm(shape.hidden_size, eps=shape.layer_norm_eps)

    def forward(self, x: Tensor, beside: Tensor) -> Tensor:
        """(…, inner) and (…, hidden) -> (…, hidden)."""
        normed: Tensor = self.LayerNorm(self.dense(x) + beside)
        return normed


class BleurtLayer(nn.Module):
    """Attention and a feed-forward part, each normed after it was added."""

    def __init__(self, shape: BleurtShape) -> None:
        super().__init__()
        hidden = shape.hidden_size
        views = nn.ModuleDict({name: nn.Linear(hidden, hidden) for name in ("query", "key", "value")})
        self.attention = nn.ModuleDict({"self": views, "output": Joined(hidden, shape)})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(hidden, shape.intermediate_size)})
        self.output = Joined(shape.intermediate_size, shape)
        self.heads, self.activation = shape.num_attention_heads, ACTIVATIONS[shape.hidden_act]

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """x: (batch, length, hidden); seen: (batch, 1, 1, length) bool, where there is a token."""
        views = self.attention["self"].children()
        query, key, value = (view(x).unflatten(2, (self.heads, -1)).transpose(1, 2) for view in views)
        heard = functional.scaled_dot_product_attention(query, key, value, attn_mask=seen)  # (batch, heads, length, …)
        x = self.attention["output"](heard.transpose(1, 2).flatten(2), x)
        out: Tensor = self.output(self.activation(self.intermediate["dense"](x)), x)
        return out


class BleurtEncoder(nn.Module):
    """The layers, and before them the map that widens narrow word vectors."""

    def __init__(self, shape: BleurtShape) -> None:
        super().__init__()
        self.layer = nn.ModuleList(BleurtLayer(shape) for _ in range(shape.num_hidden_layers))
        if shape.embedding_size is not None:
            self.embedding_projection = nn.Linear(shape.embedding_size, shape.hidden_size)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """(batch, length, width) -> (batch, length, hidden)."""
        if hasattr(self, "embedding_projection"):
            x = self.embedding_projection(x)
        for layer in self.layer:
            x = layer(x, seen)
        return x


class BleurtModel(nn.Module):
    """One number for each pair of sentences."""

    def __init__(self, shape: BleurtShape) -> None:
        super().__init__()
        pooler = nn.ModuleDict({"dense": nn.Linear(shape.hidden_size, shape.hidden_size)})
        parts = {"embeddings": BleurtEmbeddings(shape), "encoder": BleurtEncoder(shape), "pooler": pooler}
        self.bleurt = nn.ModuleDict(parts)
        self.classifier = nn.Linear(shape.hidden_size, 1)

    def forward(self, ids: Tensor, sides: Tensor, seen: Tensor) -> Tensor:
        """(batch, length) ids, 0 or 1, and bool where there is a token -> (batch,)."""
        x = self.bleurt["encoder"](self.bleurt["embeddings"](ids, sides), seen[:, None, None])
        pooled = torch.tanh(self.bleurt["pooler"].get_submodule("dense")(x[:, 0]))
        score: Tensor = self.classifier(pooled)[:, 0]
        return score


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """A network with its weights in it, frozen, and a hash of them."""

    model: BleurtModel
    fingerprint: str
    device: torch.device

    @torch.inference_mode()
    def scores(self, rows: Sequence[PairRow]) -> list[float]:
        """One number for each pair, in fp32 whatever the caller computes in."""
        batch = pad_rows([row.ids for row in rows], pad=0)  # what stands on padding is never seen
        places = torch.arange(batch.ids.shape[1])
        sides = torch.stack([places >= row.reference for row in rows]) & batch.mask  # (batch, length)
        with torch.autocast(self.device.type, enabled=False):
            given = (part.to(self.device) for part in (batch.ids, sides.long(), batch.mask))
            found: list[float] = self.model(*given).tolist()
        return found


def open_model(path: Path, shape: BleurtShape, device: torch.device) -> OpenedModel:
    """The network of a file of weights; every name and shape has to fit."""
    weights = {name: value.float() for name, value in stored_tensors(path).items() if name != NO_WEIGHT}
    with torch.device("meta"):
        model = BleurtModel(shape)
    require_fit(path, weights, {name: tuple(value.shape) for name, value in model.state_dict().items()})
    model.load_state_dict(weights, assign=True)
    return OpenedModel(model.requires_grad_(False).eval().to(device), fingerprint(weights), device)


def require_fit(path: Path, weights: Mapping[str, Tensor], expected: Mapping[str, tuple[int, ...]]) -> None:
    """Refuse a file that lacks a tensor, has one too many, or has one in another shape than its config.json says."""
    remedy = "expected a BLEURT of the public PyTorch port, such as lucadiliello/BLEURT-20."
    if missing := sorted(expected.keys() - weights.keys()):
        raise UserError(f"'{path}' lacks {_listed(missing)}: {remedy}")
    if surplus := sorted(weights.keys() - expected.keys()):
        raise UserError(f"'{path}' holds {_listed(surplus)}, which no BLEURT of its config.json has: {remedy}")
    for name, wanted in expected.items():
        if tuple(weights[name].shape) != wanted:
            shapes = f"as {tuple(weights[name].shape)}, its config.json describes {wanted}"
            raise UserError(f"'{path}' holds {name} {shapes}: {remedy}")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more tensors" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def stored_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, or of what `torch.save` wrote if it holds nothing else."""
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise UserError(f"'{path}' is cut short or is no safetensors file: copy it again.") from error
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a file that is cut short is told by errors of many kinds, one that is refused too
        raise UserError(f"'{path}' is cut short, or holds more than tensors and is not read: copy it again.") from error
    if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
        raise UserError(f"'{path}' is no file of weights: expected tensors by their names.")
    return {str(name): value for name, value in found.items()}
