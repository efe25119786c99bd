"""Teacher-forced likelihood of sentences given one vector each.

With a single memory vector the cross-attention's softmax is 1, so every decoder layer adds one constant per
sentence, `out_proj(v_proj(z))`. The fast path computes that constant once and skips the dead query and key
projections and their layer norm; `plain_states` is transformers' own way, kept beside it for the test that both agree.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from sonar_slt.space.tokens import TokenBatch, decoder_inputs


def plain_states(decoder: Any, vectors: Tensor, inputs: Tensor) -> Tensor:
    """Decoder states (batch, length, dim) through transformers' own forward pass."""
    states: Tensor = decoder(input_ids=inputs, encoder_hidden_states=vectors.unsqueeze(1), use_cache=False)[0]
    return states


def decoder_states(decoder: Any, vectors: Tensor, inputs: Tensor) -> Tensor:
    """The same states with the cross-attention of each layer computed once per sentence."""
    embedded = decoder.embed_tokens(inputs)
    states = embedded + decoder.embed_positions(inputs, embedded, 0).to(embedded.dtype)
    states = _dropout(decoder, states)
    for layer in decoder.layers:
        attended, _ = layer.self_attn(layer.self_attn_layer_norm(states), attention_mask=None)
        states = states + _dropout(layer, attended)
        seen = layer.encoder_attn.out_proj(layer.encoder_attn.v_proj(vectors))  # (batch, dim)
        states = states + _dropout(layer, seen.unsqueeze(1))
        hidden = layer.activation_fn(layer.fc1(layer.final_layer_norm(states)))
        states = states + _dropout(layer, layer.fc2(hidden))
    normalised: Tensor = decoder.layer_norm(states)
    return normalised


def sentence_nll(model: Any, vectors: Tensor, tokens: TokenBatch) -> Tensor:
    """Mean negative log-likelihood per token of each sentence, shape (batch,); differentiable in vectors and weights.

    The head is computed at real positions only: padding never meets the vocabulary.
    """
    inputs = decoder_inputs(tokens, model.config.eos_token_id)
    states = decoder_states(model.model.decoder, vectors.to(model.dtype), inputs)
    logits = model.lm_head(states[tokens.mask])  # (tokens, vocabulary)
    losses = functional.cross_entropy(logits.float(), tokens.ids[tokens.mask], reduction="none")
    owner = torch.arange(len(tokens), device=losses.device).unsqueeze(1).expand_as(tokens.ids)[tokens.mask]
    totals = losses.new_zeros(len(tokens)).index_add(0, owner, losses)
    return totals / tokens.mask.sum(dim=1)


def _dropout(module: Any, states: Tensor) -> Tensor:
    if not module.training or module.dropout == 0:
        return states
    return functional.dropout(states, module.dropout)
