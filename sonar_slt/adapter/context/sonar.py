"""SonarContext: the space's own encoder reads a clip as if its steps were words (the paper's figure 3).

Its layers are the space's, by reference: there is no second copy of them, and nothing of them changes, so that the
teacher stays what it was. What learns are LoRA pairs that stand beside the projections instead of inside the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from sonar_slt.adapter.adapter import Measure
from sonar_slt.adapter.context.context import Context
from sonar_slt.errors import UserError
from sonar_slt.space.lora_options import require_options

ATTENTION, FEED_FORWARD = ("q_proj", "k_proj", "v_proj", "out_proj"), ("fc1", "fc2")

LOUD_ROWS = 4096
"""How many words tell how loud words are."""


class LowRank(nn.Module):
    """What a pair of small matrices adds to a projection; nothing at first."""

    def __init__(self, projection: Any, *, rank: int, alpha: float, dropout: float) -> None:
        super().__init__()
        self.a = nn.Linear(projection.in_features, rank, bias=False)
        self.b = nn.Linear(rank, projection.out_features, bias=False)
        nn.init.zeros_(self.b.weight)
        self.dropout, self.scale = nn.Dropout(dropout), alpha / rank

    def forward(self, states: Tensor) -> Tensor:
        """In the precision of the pair, which is float32 at least."""
        added: Tensor = self.b(self.a(self.dropout(states.to(self.a.weight.dtype))))
        return added * self.scale


class SonarContext(Context):
    """The encoder of the space, frozen, with LoRA beside it; `targets` are the projections that it adapts.

    `recomputed` keeps the states between layers alone, and computes a layer again for its gradient.
    """

    recomputed = False

    def __init__(
        self,
        *,
        measure: Measure,
        rank: int = 16,
        alpha: float = 32,
        dropout: float = 0.0,
        targets: Sequence[str] = ATTENTION,
    ) -> None:
        super().__init__()
        space = measure.space
        if space is None or not space.has_encoder:
            raise UserError(
                "context=sonar reads clips with the encoder of the space, which was opened without it: leave out "
                "space.only=decoder, or choose context@adapter.context=transformer."
            )
        require_options("context=sonar", rank=rank, alpha=alpha, dropout=dropout, targets=targets)
        if unknown := [target for target in targets if target not in ATTENTION + FEED_FORWARD]:
            known = ", ".join(ATTENTION + FEED_FORWARD)
            raise UserError(f"context.targets has '{unknown[0]}', no projection of an encoder: choose among {known}.")
        self._space = (space,)  # in a tuple: the frozen base is no weight of the adapter and is not saved with it
        self.dim = space.dim
        self.enter = nn.LayerNorm(self.dim)
        nn.init.constant_(self.enter.weight, _loudness_of_words(self._encoder))
        self.adapters = nn.ModuleList(
            nn.ModuleDict(
                {name: LowRank(_projection(layer, name), rank=rank, alpha=alpha, dropout=dropout) for name in targets}
            )
            for layer in self._encoder.layers
        )
        self.to(torch.promote_types(space.model.dtype, torch.float32))

    @property
    def _encoder(self) -> Any:
        return self._space[0].model.model.encoder

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """`states` (batch, length, dim), `mask` (batch, length), on the space's device."""
        encoder, given = self._encoder, states.dtype
        states = self.entered(states)
        states = states + _positions(encoder.embed_positions, states.shape[1]).to(states)
        looked_at = mask[:, None, None, :]  # (batch, 1, 1, length)
        for layer, pairs in zip(encoder.layers, self.adapters, strict=True):
            adapted = _Adapted(layer, pairs)
            if self.recomputed and torch.is_grad_enabled():
                states = checkpoint(adapted.through, states, looked_at, use_reentrant=False)
            else:
                states = adapted.through(states, looked_at)
            if states.dtype == torch.float16:  # as transformers does: half precision overflows where float32 does not
                limit = torch.finfo(states.dtype).max - 1000
                states = states.clamp(-limit, limit)
        seen: Tensor = encoder.layer_norm(states)
        return seen.to(given)

    def entered(self, states: Tensor) -> Tensor:
        """The steps as loud as words, in the precision of the encoder."""
        loud: Tensor = self.enter(states.to(self.enter.weight.dtype))
        return loud.to(self._space[0].model.dtype)


class _Adapted:
    """An encoder layer's own projections, each with what its pair adds."""

    def __init__(self, layer: Any, pairs: Mapping[str, nn.Module] | Any) -> None:
        self.layer, self.pairs = layer, pairs

    def __call__(self, name: str, states: Tensor) -> Tensor:
        projected: Tensor = _projection(self.layer, name)(states)
        return projected + self.pairs[name](states).to(projected.dtype) if name in self.pairs else projected

    def through(self, states: Tensor, looked_at: Tensor) -> Tensor:
        """The layer (batch, length, dim)."""
        states = states + self.attended(self.layer.self_attn_layer_norm(states), looked_at)
        return states + self.fed(self.layer.final_layer_norm(states))

    def attended(self, states: Tensor, looked_at: Tensor) -> Tensor:
        """Self-attention (batch, length, dim); `looked_at` (batch, 1, 1, length)."""
        attention = self.layer.self_attn
        batch, length, _ = states.shape
        query, key, value = (
            self(name, states).view(batch, length, attention.num_heads, -1).transpose(1, 2) for name in ATTENTION[:3]
        )
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=looked_at, scale=attention.scaling)
        return self("out_proj", seen.transpose(1, 2).flatten(2))

    def fed(self, states: Tensor) -> Tensor:
        """The feed-forward part (batch, length, dim)."""
        return self("fc2", self.layer.activation_fn(self("fc1", states)))


def _projection(layer: Any, name: str) -> Any:
    return getattr(layer if name in FEED_FORWARD else layer.self_attn, name)


def _positions(embedding: Any, length: int) -> Tensor:
    """Position vectors (length, dim) as transformers counts them; a clip may be longer than any sentence.

    Asked for more places than it has, the embedding would grow: more of them are computed beside it.
    """
    first = embedding.padding_idx + 1
    if len(embedding.weights) < first + length:
        table: Tensor = embedding.get_embedding(first + length, embedding.embedding_dim, embedding.padding_idx)
        return table[first:]
    return embedding.weights[first : first + length].detach()  # type: ignore[no-any-return]


def _loudness_of_words(encoder: Any) -> float:
    """The usual size of an element of a word's vector: features of another size would drown, or drown the positions."""
    table = encoder.embed_tokens.weight
    some = table[:: max(1, len(table) // LOUD_ROWS)].detach().float()
    return float(some.square().mean().sqrt()) * float(encoder.embed_tokens.embed_scale)
