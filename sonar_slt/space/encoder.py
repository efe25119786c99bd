"""Encoder states of sentences of many lengths, computed at real positions only.

Padding meets nothing but the self-attention, which is told to look past it. `plain_encoded` is transformers' own way,
kept beside it for the test that both agree.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from sonar_slt.space.packing import Packing, positions
from sonar_slt.space.tokens import TokenBatch


def plain_encoded(encoder: Any, tokens: TokenBatch) -> Tensor:
    """Encoder states (batch, length, dim) through transformers' own forward pass."""
    states: Tensor = encoder(input_ids=tokens.ids, attention_mask=tokens.mask.long())[0]
    return states


def encoded(encoder: Any, tokens: TokenBatch) -> Tensor:
    """The same states, zero where there is no token; for an encoder in eval mode."""
    packing = Packing.of(tokens.mask)
    looked_at = None if bool(tokens.mask.all()) else tokens.mask[:, None, None, :]  # (batch, 1, 1, length)
    states = encoder.embed_tokens(packing.packed(tokens.ids)) + positions(encoder, tokens.ids, packing)
    for layer in encoder.layers:
        states = states + _attended(layer, states, packing, looked_at)
        states = states + layer.fc2(layer.activation_fn(layer.fc1(layer.final_layer_norm(states))))
        if states.dtype == torch.float16:  # as transformers does: half precision overflows where float32 does not
            limit = torch.finfo(states.dtype).max - 1000
            states = states.clamp(-limit, limit)
    return packing.padded(encoder.layer_norm(states))


def _attended(layer: Any, states: Tensor, packing: Packing, looked_at: Tensor | None) -> Tensor:
    """Self-attention of every real position to all of its sentence (tokens, dim)."""
    attention = layer.self_attn
    normed = layer.self_attn_layer_norm(states)
    query, key, value = packing.heads(attention, normed)
    seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=looked_at, scale=attention.scaling)
    projected: Tensor = attention.out_proj(packing.packed(seen.transpose(1, 2).flatten(2)))
    return projected
