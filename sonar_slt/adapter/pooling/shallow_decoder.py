"""ShallowDecoderPool: the first layers of the space's decoder, told to say one thing about what they see.

The paper's pooling: it begins as the first three layers of SONAR's decoder with `</s>` as the only word, and its one
output is the clip. The weights are copies that learn. What one word alone makes dead is not there: a word that looks
at itself needs neither query nor key, and the bias of a key adds the same to every score.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from sonar_slt.adapter.adapter import Measure
from sonar_slt.adapter.attention import attend
from sonar_slt.adapter.pooling.pooling import Pooling
from sonar_slt.errors import UserError


class ShallowDecoderPool(Pooling):
    """As many layers of the decoder as asked for, or as it has, over the states of a context of any width."""

    def __init__(self, *, dim: int, measure: Measure, layers: int = 3, dropout: float = 0.0) -> None:
        super().__init__()
        space = measure.space
        if space is None or not space.has_decoder:
            raise UserError(
                "pooling=shallow_decoder begins as the space's decoder, and the space was opened without it: leave "
                "out space.only=encoder, or choose pooling@adapter.pooling=attention."
            )
        if layers < 1:
            raise UserError(f"pooling.layers={layers}: expected at least 1.")
        decoder = space.model.model.decoder
        self.dim = space.dim
        self.enter = nn.Identity() if dim == self.dim else nn.Linear(dim, self.dim)
        self.word = nn.Parameter(_word(decoder, space.model.config.eos_token_id))
        self.layers = nn.ModuleList([PoolingLayer(layer, dropout=dropout) for layer in decoder.layers[:layers]])
        self.norm = _copied(decoder.layer_norm)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """`states` (batch, length, width), `mask` (batch, length); returns (batch, 1, dim)."""
        seen = self.enter(states)
        word = self.word.expand(len(states), 1, -1)
        for layer in self.layers:
            word = layer(word, seen, mask)
        said: Tensor = self.norm(word)
        return said


class PoolingLayer(nn.Module):
    """A decoder layer's living weights for one word: itself, what it sees, the feed-forward part."""

    def __init__(self, layer: Any, *, dropout: float) -> None:
        super().__init__()
        own, cross = layer.self_attn, layer.encoder_attn
        self.before_itself = _copied(layer.self_attn_layer_norm)
        self.itself = nn.Sequential(_copied(own.v_proj), _copied(own.out_proj))
        self.before_cross = _copied(layer.encoder_attn_layer_norm)
        self.query, self.key, self.value = _copied(cross.q_proj), _copied(cross.k_proj), _copied(cross.v_proj)
        self.key.register_parameter("bias", None)
        self.out, self.heads = _copied(cross.out_proj), cross.num_heads
        self.before_hidden = _copied(layer.final_layer_norm)
        self.hidden = nn.Sequential(_copied(layer.fc1), copy.deepcopy(layer.activation_fn), _copied(layer.fc2))
        self.dropout = nn.Dropout(dropout)

    def forward(self, word: Tensor, seen: Tensor, mask: Tensor) -> Tensor:
        """`word` (batch, 1, dim), `seen` (batch, length, dim), `mask` (batch, length)."""
        word = word + self.dropout(self.itself(self.before_itself(word)))
        word = word + self.dropout(self._looked(self.before_cross(word), seen, mask))
        word = word + self.dropout(self.hidden(self.before_hidden(word)))
        return word

    def _looked(self, word: Tensor, seen: Tensor, mask: Tensor) -> Tensor:
        query, key, value = (
            states.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for states in (self.query(word), self.key(seen), self.value(seen))
        )
        found: Tensor = self.out(attend(query, key, value, mask).transpose(1, 2).flatten(2))
        return found


def _word(decoder: Any, end: int) -> Tensor:
    """What the decoder makes of `</s>` in the first place (dim,)."""
    table, places = decoder.embed_tokens, decoder.embed_positions
    vector = _precise(table.weight[end]) * float(table.embed_scale)
    return vector + _precise(places.weights[places.padding_idx + 1])


def _copied(module: Any) -> Any:
    """A copy that learns, on the CPU as any new weight; of a projection without the LoRA that a student gave it."""
    made = copy.deepcopy(getattr(module, "base_layer", module))
    for name, weight in list(made.named_parameters()):
        setattr(made, name, nn.Parameter(_precise(weight)))
    return made


def _precise(weight: Tensor) -> Tensor:
    """The same numbers in float32 at least, in memory of their own."""
    return weight.detach().to("cpu", torch.promote_types(weight.dtype, torch.float32), copy=True)
