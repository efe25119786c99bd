"""From decoder states to the negative log-likelihood of each token, without keeping a logit per word and token.

The head of a frozen space is never trained, so the gradient of the states can be made while their logits are at
hand; `plain_token_nll` is the ordinary way, kept beside the others for the test that all agree.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

LOGIT_BYTES = 64 * 2**20
"""How much room the logits of one chunk of tokens may take."""

CACHED_BYTES = 2 * 2**20
"""How much of them a CPU works on at a time, so that they are read from memory once and not in every pass."""


def token_nll(states: Tensor, weight: Tensor, labels: Tensor, *, logit_bytes: int = LOGIT_BYTES) -> Tensor:
    """Negative log-likelihood (tokens,) of labels given states (tokens, dim) and the head's weight (vocabulary, dim).

    Differentiable in the states, and in the weight where it learns. Products are in the weight's type, softmax and
    losses in float32 at least.
    """
    if not (weight.requires_grad and torch.is_grad_enabled()):
        return frozen_token_nll(states, weight, labels, logit_bytes=logit_bytes)
    small = states.shape[0] <= chunk_rows(weight, logit_bytes)
    if small or weight.dtype.itemsize < 4 or not native_is_chunked():
        return plain_token_nll(states, weight, labels)
    return native_token_nll(states, weight, labels, logit_bytes=logit_bytes)


def plain_token_nll(states: Tensor, weight: Tensor, labels: Tensor) -> Tensor:
    """The ordinary way: all logits at once, and as much again for their gradient."""
    logits = functional.linear(states.to(weight.dtype), weight)
    return functional.cross_entropy(logits.to(_precise(weight)), labels, reduction="none")


def native_token_nll(states: Tensor, weight: Tensor, labels: Tensor, *, logit_bytes: int = LOGIT_BYTES) -> Tensor:
    """torch's own chunked way, where `native_is_chunked`: it computes the logits again for the gradient.

    Its losses come in the weight's type, so half precision is better served by the other ways.
    """
    options = nn.LinearCrossEntropyOptions(batch_chunk_size=chunk_rows(weight, logit_bytes), chunking_method=None)
    losses: Tensor = functional.linear_cross_entropy(
        states.to(weight.dtype), weight, labels, reduction="none", options=options
    )
    return losses.to(_precise(weight))


@cache
def native_is_chunked() -> bool:
    """Whether this torch has a chunked way that gives a loss per token.

    Its first releases chunk means and sums only: for a loss per token they keep all logits, and warn at every call.
    """
    if not (hasattr(functional, "linear_cross_entropy") and hasattr(nn, "LinearCrossEntropyOptions")):
        return False
    states, weight = torch.zeros(4, 1), torch.zeros(5, 1, requires_grad=True)
    kept: list[int] = []

    def weighed(tensor: Tensor) -> Tensor:
        kept.append(tensor.numel())
        return tensor

    with warnings.catch_warnings(), torch.autograd.graph.saved_tensors_hooks(weighed, lambda tensor: tensor):
        warnings.simplefilter("ignore")
        native_token_nll(states, weight, torch.zeros(4, dtype=torch.long), logit_bytes=1)
    return max(kept) < len(states) * len(weight)


def frozen_token_nll(states: Tensor, weight: Tensor, labels: Tensor, *, logit_bytes: int = LOGIT_BYTES) -> Tensor:
    """Our chunked way, for a weight that does not learn: two products where torch's chunked way needs three."""
    wanted = states.requires_grad and torch.is_grad_enabled()
    losses: Tensor = _FrozenHead.apply(states.to(weight.dtype), weight, labels, chunk_rows(weight, logit_bytes), wanted)
    return losses


def chunk_rows(weight: Tensor, logit_bytes: int) -> int:
    """How many tokens have logits of no more than `logit_bytes`."""
    return max(1, logit_bytes // (weight.shape[0] * _precise(weight).itemsize))


def _precise(products: Tensor) -> torch.dtype:
    return torch.promote_types(products.dtype, torch.float32)


def _consume(logits: Tensor, labels: Tensor, *, sloped: bool) -> Tensor:
    """The losses (tokens,) of logits (tokens, vocabulary), which become the slopes of the losses by them if asked."""
    precise = logits.to(_precise(logits))  # the same memory where it is precise
    top = precise.amax(dim=1, keepdim=True)
    chosen = labels.unsqueeze(1)
    said = precise.gather(1, chosen) - top
    total = precise.sub_(top).exp_().sum(dim=1, keepdim=True)
    if sloped:
        torch.div(precise.scatter_add_(1, chosen, -total), total, out=logits)
    return (total.log() - said).squeeze(1)


class _FrozenHead(torch.autograd.Function):
    """Losses chunk by chunk; the gradient of the states is made in the forward pass, while the logits are there."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, weight: Tensor, labels: Tensor, rows: int, wanted: bool) -> Tensor:
        """Losses (tokens,)."""
        losses = states.new_empty(len(states), dtype=_precise(weight))
        slopes = torch.empty_like(states) if wanted else None  # of each token's loss by its state
        products = states.new_empty(min(rows, len(states)), len(weight))  # one buffer for all chunks
        for start in range(0, len(states), rows):
            part = slice(start, min(start + rows, len(states)))
            logits = torch.mm(states[part], weight.T, out=products[: part.stop - start])
            few = chunk_rows(weight, CACHED_BYTES) if states.device.type == "cpu" else rows
            for begin in range(start, part.stop, few):
                some = slice(begin, min(begin + few, part.stop))
                losses[some] = _consume(logits[begin - start : some.stop - start], labels[some], sloped=wanted)
            if slopes is not None:
                torch.mm(logits, weight, out=slopes[part])
        if slopes is not None:
            ctx.save_for_backward(slopes)
        return losses

    @staticmethod
    def backward(ctx: Any, received: Tensor) -> tuple[Tensor, None, None, None, None]:
        """The gradient of the states, which no longer knows how it depends on them."""
        if torch.is_grad_enabled():  # create_graph=True
            raise RuntimeError("token_nll cannot be differentiated twice: use plain_token_nll for that.")
        (slopes,) = ctx.saved_tensors
        return (slopes * received.unsqueeze(1)).to(slopes.dtype), None, None, None, None
