"""The likelihood of sentences given vectors: one constant per layer and only real positions, against transformers' way.

The plain way runs the decoder with cross-attention over the one vector and computes the head at every padded position.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from sonar_slt.bench.timing import Comparison, compare
from sonar_slt.space import SentenceSpace
from sonar_slt.space.likelihood import plain_states, sentence_nll
from sonar_slt.space.tokens import IGNORED, TokenBatch, decoder_inputs


def bench_likelihood(space: SentenceSpace, *, rate: float, rounds: int, batch: int = 64) -> Comparison:
    """Forward and backward to the vectors, on random sentences of 5 to 30 tokens."""
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(5, 31, (batch,), generator=generator)
    mask = torch.arange(int(lengths.max())) < lengths.unsqueeze(1)
    ids = torch.randint(4, space.model.config.vocab_size, mask.shape, generator=generator)
    tokens = TokenBatch(torch.where(mask, ids, space.tokens.pad), mask).to(space.device)
    vectors = torch.randn(batch, space.dim, generator=generator).to(space.device).requires_grad_()
    operations = 4 * int(lengths.sum()) * _weights(space)  # frozen: forward, and backward to the input only
    return compare(
        "likelihood of sentences, forward and backward",
        lambda: torch.autograd.grad(_plain(space, vectors, tokens), vectors),
        lambda: torch.autograd.grad(sentence_nll(space.model, vectors, tokens).mean(), vectors),
        operations=operations,
        rate=rate,
        rounds=rounds,
    )


def _plain(space: SentenceSpace, vectors: Tensor, tokens: TokenBatch) -> Tensor:
    states = plain_states(space.model.model.decoder, vectors, decoder_inputs(tokens, space.tokens.end))
    logits = space.model.lm_head(states)
    labels = tokens.ids.masked_fill(~tokens.mask, IGNORED)
    return functional.cross_entropy(logits.flatten(0, 1), labels.flatten())


def _weights(space: SentenceSpace) -> int:
    """Weights that every position meets: the decoder's matrices without the cross-attention's, and the head."""
    layers = space.model.model.decoder.layers
    met: int = sum(w.numel() for name, w in layers.named_parameters() if w.ndim == 2 and "encoder_attn" not in name)
    return met + int(space.model.lm_head.weight.numel())
