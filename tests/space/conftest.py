"""Small checkpoints in the layouts of fairseq and fairseq2, and a plain implementation of the foreign model.

It reads the files by their own names and orders of rows, which are written out here once more.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sonar_slt.space.conversion import Converted, convert
from sonar_slt.space.fresh import train_tokenizer

SENTENCES = ["Am Montag gibt es in Bayern Regen.", "The north will see fog tomorrow.", "Heute Nebel, morgen Sonne."]
HEADS = 3
LAYERS = {"encoder": 2, "decoder": 3}
SIZES = {"dim": 12, "encoder": 20, "decoder": 28}
"""Width of the model, and of the feed-forward networks of its halves."""

# What the parts of the foreign models are called. {n} is the number of a layer.
ENCODER = ["query", "key", "value", "out", "norm", "inner", "outer", "ffn_norm"]
DECODER = [*ENCODER, "cross_query", "cross_key", "cross_value", "cross_out", "cross_norm"]
FAIRSEQ = {
    "query": "layers.{n}.self_attn.q_proj",
    "key": "layers.{n}.self_attn.k_proj",
    "value": "layers.{n}.self_attn.v_proj",
    "out": "layers.{n}.self_attn.out_proj",
    "norm": "layers.{n}.self_attn_layer_norm",
    "cross_query": "layers.{n}.encoder_attn.q_proj",
    "cross_key": "layers.{n}.encoder_attn.k_proj",
    "cross_value": "layers.{n}.encoder_attn.v_proj",
    "cross_out": "layers.{n}.encoder_attn.out_proj",
    "cross_norm": "layers.{n}.encoder_attn_layer_norm",
    "inner": "layers.{n}.fc1",
    "outer": "layers.{n}.fc2",
    "ffn_norm": "layers.{n}.final_layer_norm",
    "last": "layer_norm",
    "table": "embed_tokens",
    "head": "output_projection",
}
FAIRSEQ_RESPELT = FAIRSEQ | {
    "inner": "layers.{n}.ffn.inner_proj",
    "outer": "layers.{n}.ffn.output_proj",
    "ffn_norm": "layers.{n}.ffn_layer_norm",
}
"""Raw files whose feed-forward networks are called as fairseq2 calls them."""

FAIRSEQ2_LAYER = {
    "query": "layers.{n}.self_attn.q_proj",
    "key": "layers.{n}.self_attn.k_proj",
    "value": "layers.{n}.self_attn.v_proj",
    "out": "layers.{n}.self_attn.output_proj",
    "norm": "layers.{n}.self_attn_layer_norm",
    "cross_query": "layers.{n}.encoder_decoder_attn.q_proj",
    "cross_key": "layers.{n}.encoder_decoder_attn.k_proj",
    "cross_value": "layers.{n}.encoder_decoder_attn.v_proj",
    "cross_out": "layers.{n}.encoder_decoder_attn.output_proj",
    "cross_norm": "layers.{n}.encoder_decoder_attn_layer_norm",
    "inner": "layers.{n}.ffn.inner_proj",
    "outer": "layers.{n}.ffn.output_proj",
    "ffn_norm": "layers.{n}.ffn_layer_norm",
}
FAIRSEQ2_TOP = {
    "encoder": {"last": "layer_norm", "table": "encoder_frontend.embed", "head": "final_proj"},
    "decoder": {"last": "decoder.layer_norm", "table": "decoder_frontend.embed", "head": "final_proj"},
}
ORDER = {"fairseq": ["<s>", "<pad>", "</s>", "<unk>"], "fairseq2": ["<pad>", "<unk>", "<s>", "</s>"]}
ORDER["respelt"] = ORDER["fairseq"]

Names = dict[str, str]
Weights = dict[str, Tensor]


def names(layout: str, half: str) -> Names:
    if layout != "fairseq2":
        return {"fairseq": FAIRSEQ, "respelt": FAIRSEQ_RESPELT}[layout]
    return {role: f"{half}.{name}" for role, name in FAIRSEQ2_LAYER.items()} | FAIRSEQ2_TOP[half]


class ForeignModel:
    """One half of SONAR in plain torch over a foreign state dict; ids count in the order of the layout's rows."""

    def __init__(self, weights: Weights, layout: str, half: str) -> None:
        self.weights, self.layout, self.names, self.half = weights, layout, names(layout, half), half
        self.dim = len(weights[self.names["last"] + ".weight"])

    def ids(self, tokens: list[str], tokenizer: Any) -> Tensor:
        order = ORDER[self.layout]
        found = [order.index(t) if t in order else tokenizer.convert_tokens_to_ids(t) for t in tokens]
        return torch.tensor(found)

    def linear(self, role: str, n: int, x: Tensor) -> Tensor:
        name = self.names[role].format(n=n)
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def norm(self, role: str, n: int, x: Tensor) -> Tensor:
        name = self.names[role].format(n=n)
        mean, variance = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, unbiased=False)
        return (x - mean) / (variance + 1e-5).sqrt() * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def attend(self, prefix: str, n: int, x: Tensor, memory: Tensor, causal: bool) -> Tensor:
        split = [
            self.linear(prefix + role, n, what).view(len(what), HEADS, -1).transpose(0, 1)
            for role, what in (("query", x), ("key", memory), ("value", memory))
        ]
        scores = split[0] @ split[1].transpose(1, 2) / math.sqrt(self.dim // HEADS)
        if causal:
            scores = scores.masked_fill(torch.ones(scores.shape[1:]).triu(1).bool(), -math.inf)
        mixed = (scores.softmax(-1) @ split[2]).transpose(0, 1).reshape(len(x), -1)
        return self.linear(prefix + "out", n, mixed)

    def states(self, ids: Tensor, memory: Tensor | None = None) -> Tensor:
        """States (length, dim) of one sentence; a decoder looks back only, and at `memory` (1, dim)."""
        table = self.weights[self.names["table"] + ".weight"]
        x = table[ids] * math.sqrt(self.dim) + sinusoids(len(ids), self.dim).to(table.dtype)
        for n in range(LAYERS[self.half]):
            inside = self.norm("norm", n, x)
            x = x + self.attend("", n, inside, inside, causal=memory is not None)
            if memory is not None:
                x = x + self.attend("cross_", n, self.norm("cross_norm", n, x), memory, causal=False)
            x = x + self.linear("outer", n, self.linear("inner", n, self.norm("ffn_norm", n, x)).relu())
        return self.norm("last", 0, x)

    def logits(self, ids: Tensor, memory: Tensor) -> Tensor:
        return self.states(ids, memory) @ self.weights[self.names["head"] + ".weight"].T


def sinusoids(length: int, dim: int) -> Tensor:
    """Positions count from the one behind padding's, which is 1 for both libraries; sines, then cosines."""
    frequencies = torch.exp(torch.arange(dim // 2).float() * -(math.log(10000) / (dim // 2 - 1)))
    angles = torch.arange(2, 2 + length).float().unsqueeze(1) * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1)


# --- files as the foreign libraries write them ----------------------------------------------------------------------


def table_of(vocabulary: int, dim: int, layout: str, dtype: torch.dtype) -> Tensor:
    """The same word vectors for every file, the four control rows in the layout's own order."""
    drawn = torch.randn(vocabulary, dim, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    control = dict(zip(ORDER["fairseq"], drawn[:4], strict=True))
    return torch.cat([torch.stack([control[token] for token in ORDER[layout]]), drawn[4:]]).to(dtype) * 0.3


def state_dict(layout: str, half: str, vocabulary: int, dtype: torch.dtype, sizes: dict[str, int]) -> Weights:
    generator, called, dim, hidden = torch.Generator().manual_seed(3), names(layout, half), sizes["dim"], sizes[half]
    found: Weights = {}
    roles = [(role, n) for n in range(LAYERS[half]) for role in (ENCODER if half == "encoder" else DECODER)]
    for role, n in [*roles, ("last", 0)]:
        shape: tuple[int, ...] = {"inner": (hidden, dim), "outer": (dim, hidden)}.get(role, (dim, dim))
        name = called[role].format(n=n)
        if "norm" in role or role == "last":
            shape = (dim,)
        found[f"{name}.weight"] = torch.randn(shape, generator=generator, dtype=dtype) * 0.4 + 0.1
        found[f"{name}.bias"] = torch.randn(shape[0], generator=generator, dtype=dtype) * 0.3
    found[called["table"] + ".weight"] = table_of(vocabulary, dim, layout, dtype)
    if half == "decoder":
        found[called["head"] + ".weight"] = found[called["table"] + ".weight"]
    return found


def content(layout: str, half: str, weights: Weights) -> Any:
    """What `torch.save` is given: fairseq's raw files, with an encoder whose table is a pickled module."""
    if layout == "fairseq2":
        return {"model": weights}
    inner = dict(weights)
    outer: dict[str, Any] = {"args": argparse.Namespace(arch="sonar", heads=HEADS)}
    if half == "encoder":
        table = inner.pop("embed_tokens.weight")
        outer["embed_tokens"] = nn.Embedding(*table.shape, padding_idx=1, _weight=table.clone())
    return {
        **outer,
        "state_dict": {"version": torch.Tensor([3]), "embed_positions._float_tensor": torch.zeros(1), **inner},
    }


class Files:
    """A tokenizer, an encoder and a decoder in a folder, to be broken by a test."""

    def __init__(
        self,
        folder: Path,
        layouts: tuple[str, str],
        dtype: torch.dtype = torch.float32,
        sizes: dict[str, int] = SIZES,
        vocabulary: int | None = None,
    ) -> None:
        self.folder, self.layouts = folder, dict(zip(("encoder", "decoder"), layouts, strict=True))
        self.tokenizer = train_tokenizer(SENTENCES, ["deu_Latn", "eng_Latn"], size=60)
        self.tokenizer.save_pretrained(folder / "tokenizer")
        self.vocabulary = vocabulary or len(self.tokenizer) + 2  # SONAR's table, too, has two rows more than tokens
        self.weights = {h: state_dict(o, h, self.vocabulary, dtype, sizes) for h, o in self.layouts.items()}
        self.output = folder / "spaces" / "new"

    def path(self, half: str) -> Path:
        return self.folder / f"{half}.pt"

    def content(self, half: str) -> Any:
        return content(self.layouts[half], half, self.weights[half])

    def write(self, half: str, **options: Any) -> None:
        torch.save(self.content(half), self.path(half), **options)

    def model(self, half: str) -> ForeignModel:
        return ForeignModel(self.weights[half], self.layouts[half], half)

    def convert(self, **options: Any) -> Converted:
        for half in self.layouts:
            if not self.path(half).exists():
                self.write(half)
        given = {half: self.path(half) for half in self.layouts} | {"tokenizer": self.folder / "tokenizer"}
        return convert(**{**given, "output": self.output, "heads": HEADS, "shard_bytes": 8000, **options})

    def left(self) -> list[str]:
        """What stands where the output was to stand, beside the lock."""
        found = self.output.parent.iterdir() if self.output.parent.exists() else []
        return [path.name for path in found if path.name != f".{self.output.name}.lock"]

    @property
    def control(self) -> dict[str, int]:
        """Rows of the control tokens in the decoder's table, in transformers' order."""
        return {token: ORDER[self.layouts["decoder"]].index(token) for token in ORDER["fairseq"]}


@pytest.fixture
def foreign_files(tmp_path: Path) -> Callable[..., Files]:
    """A folder of files in two layouts, the encoder's and the decoder's."""
    return lambda *layouts, **options: Files(tmp_path, layouts, **options)


@pytest.fixture
def files(foreign_files: Callable[..., Files]) -> Files:
    """A raw encoder and a decoder of fairseq2."""
    return foreign_files("fairseq", "fairseq2")
