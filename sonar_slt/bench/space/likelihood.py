"""The likelihood of sentences given vectors: one constant per layer and only real positions, against transformers' way.

The plain way runs the decoder with cross-attention over the one vector and computes the head at every padded position.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from sonar_slt.bench.space.sentences import random_batch, random_vectors
from sonar_slt.bench.timing import Comparison, Machine, Work, compare
from sonar_slt.space import SentenceSpace
from sonar_slt.space.likelihood import plain_states, sentence_nll
from sonar_slt.space.tokens import IGNORED, TokenBatch, decoder_inputs


def bench_likelihood(space: SentenceSpace, machine: Machine, *, rounds: int, batch: int = 64) -> Comparison:
    """Forward and backward to the vectors, on random sentences of 5 to 60 tokens."""
    tokens, vectors = random_batch(space, batch), random_vectors(space, batch).requires_grad_()
    return compare(
        f"likelihood of {batch} sentences, forward and backward",
        lambda: torch.autograd.grad(plain_loss(space, vectors, tokens), vectors),
        lambda: torch.autograd.grad(sentence_nll(space.model, vectors, tokens).mean(), vectors),
        limit=machine.limit(Work(4.0 * int(tokens.mask.sum()) * weights_met(space))),  # backward to the input only
        rounds=rounds,
    )


def plain_loss(space: SentenceSpace, vectors: Tensor, tokens: TokenBatch) -> Tensor:
    """The mean over sentences of their means over tokens, padding masked by its label alone."""
    inputs = decoder_inputs(tokens, space.tokens.end)
    logits = space.model.lm_head(plain_states(space.model.model.decoder, vectors.to(space.model.dtype), inputs))
    labels = tokens.ids.masked_fill(~tokens.mask, IGNORED)
    losses = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view(labels.shape)
    return (losses.sum(dim=1) / tokens.mask.sum(dim=1)).mean()


def weights_met(space: SentenceSpace) -> int:
    """How many weights every position meets: the decoder's matrices without the cross-attention's, and the head."""
    layers = space.model.model.decoder.layers
    met = sum(w.numel() for name, w in layers.named_parameters() if "encoder_attn" not in name and "lora" not in name)
    return int(met + space.model.lm_head.weight.numel())
