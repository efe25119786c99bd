"""Teacher-forced likelihood of sentences given one vector each, computed at real positions only.

With a single memory vector the cross-attention's softmax is 1, so every decoder layer adds one constant per
sentence, `out_proj(v_proj(z))`: the dead query and key projections and their layer norm are skipped. Padding meets
nothing but the self-attention. `plain_states` is transformers' own way, kept beside it for the test that both agree.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from sonar_slt.space.packing import Packing, positions
from sonar_slt.space.tokens import TokenBatch, decoder_inputs
from sonar_slt.space.vocabulary import token_nll


def sentence_nll(
    model: Any, vectors: Tensor, tokens: TokenBatch, *, smoothing: float = 0.0, recomputed: bool = False
) -> Tensor:
    """Mean negative log-likelihood per token of each sentence (batch,); differentiable in vectors and weights.

    `smoothing` is the part of the likelihood that is asked of the whole vocabulary alike. `recomputed` keeps one state
    per layer and token, and computes the rest again for the gradient.
    """
    weight, packing = model.lm_head.weight, Packing.of(tokens.mask)
    inputs = decoder_inputs(tokens, model.config.eos_token_id)
    states = packed_states(model.model.decoder, vectors.to(weight.dtype), inputs, packing, recomputed=recomputed)
    labels = tokens.ids[tokens.mask]
    losses = token_nll(states, weight, labels)
    if smoothing:
        losses = losses + smoothing * _above_average(states, weight, labels)
    totals = losses.new_zeros(len(tokens)).index_add(0, packing.owners, losses)
    return totals / tokens.mask.sum(dim=1)


def _above_average(states: Tensor, weight: Tensor, labels: Tensor) -> Tensor:
    """How far the logit of each label (tokens,) lies above the mean logit of its place: what smoothing takes off.

    The mean of all logits is one product with the mean row of the head, so that no other logit is needed.
    """
    states, average = states.float(), weight.float().mean(dim=0)
    return (states * (weight[labels].float() - average)).sum(dim=1)


def sets_nll(model: Any, vectors: Tensor, tokens: TokenBatch) -> Tensor:
    """`sentence_nll` (sets, batch) of sets of vectors (sets, batch, dim) for the same sentences, in one pass."""
    sets = vectors.shape[0]
    repeated = TokenBatch(tokens.ids.repeat(sets, 1), tokens.mask.repeat(sets, 1))
    return sentence_nll(model, vectors.flatten(0, 1), repeated).view(sets, -1)


def plain_states(decoder: Any, vectors: Tensor, inputs: Tensor) -> Tensor:
    """Decoder states (batch, length, dim) through transformers' own forward pass."""
    states: Tensor = decoder(input_ids=inputs, encoder_hidden_states=vectors.unsqueeze(1), use_cache=False)[0]
    return states


def packed_states(
    decoder: Any, vectors: Tensor, inputs: Tensor, packing: Packing, *, recomputed: bool = False
) -> Tensor:
    """The same states at real positions (tokens, dim); padding must stand on the right."""
    states = decoder.embed_tokens(packing.packed(inputs)) + positions(decoder, inputs, packing)
    states = _dropped(states, decoder, decoder.dropout)
    for layer in decoder.layers:
        if decoder.training and decoder.layerdrop > 0 and torch.rand([]) < decoder.layerdrop:
            continue
        if recomputed and torch.is_grad_enabled():
            states = checkpoint(_through, layer, states, vectors, packing, use_reentrant=False)
        else:
            states = _through(layer, states, vectors, packing)
    normalised: Tensor = decoder.layer_norm(states)
    return normalised


def _through(layer: Any, states: Tensor, vectors: Tensor, packing: Packing) -> Tensor:
    """What a layer makes of the states (tokens, dim) of sentences with one vector each."""
    states = states + _dropped(_attended(layer, states, packing), layer, layer.dropout)
    constants = layer.encoder_attn.out_proj(layer.encoder_attn.v_proj(vectors))  # (batch, dim)
    states = states + _dropped(constants.index_select(0, packing.owners), layer, layer.dropout)
    hidden = _activated(layer, layer.fc1(layer.final_layer_norm(states)))
    return states + _dropped(layer.fc2(_dropped(hidden, layer, layer.activation_dropout)), layer, layer.dropout)


def _attended(layer: Any, states: Tensor, packing: Packing) -> Tensor:
    """Causal self-attention (tokens, dim); real positions never look at the padding on their right."""
    attention = layer.self_attn
    normed = layer.self_attn_layer_norm(states)
    query, key, value = packing.heads(attention, normed)
    dropout = attention.dropout if attention.training else 0.0
    seen = functional.scaled_dot_product_attention(
        query, key, value, dropout_p=dropout, is_causal=True, scale=attention.scaling
    )
    projected: Tensor = attention.out_proj(packing.packed(seen.transpose(1, 2).flatten(2)))
    return projected


def _activated(layer: Any, hidden: Tensor) -> Tensor:
    """The layer's activation; a ReLU before frozen weights keeps a byte a number for its gradient, not two or four."""
    compact = isinstance(layer.activation_fn, nn.ReLU) and hidden.requires_grad and torch.is_grad_enabled()
    if compact and not any(weight.requires_grad for weight in layer.fc2.parameters()):  # these would keep it anyway
        rectified: Tensor = _Rectified.apply(hidden)
        return rectified
    activated: Tensor = layer.activation_fn(hidden)
    return activated


class _Rectified(torch.autograd.Function):
    """ReLU in place that remembers only where it let through."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor) -> Tensor:
        """The activations, in the memory of what came in."""
        ctx.mark_dirty(hidden.relu_())
        ctx.save_for_backward(hidden.bool().view(torch.uint8))  # bytes: products with bools are slow on a CPU
        return hidden

    @staticmethod
    def backward(ctx: Any, received: Tensor) -> Tensor:
        """The gradient of what came in."""
        (passed,) = ctx.saved_tensors
        slopes: Tensor = received * passed
        return slopes


def _dropped(states: Tensor, module: Any, share: float) -> Tensor:
    return functional.dropout(states, share) if module.training and share > 0 else states
