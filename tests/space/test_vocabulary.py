"""Every way through the head gives the same losses and gradients, and only the plain one keeps all logits."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from sonar_slt.space.vocabulary import (
    chunk_rows,
    frozen_token_nll,
    native_is_chunked,
    native_token_nll,
    plain_token_nll,
    token_nll,
)

pytestmark = pytest.mark.properties

WORDS, DIM, TOKENS = 301, 16, 23
FEW_ROWS = 5 * WORDS * 4
"""Room for the logits of five tokens: the last chunk is not full."""

Way = Callable[[Tensor, Tensor, Tensor], Tensor]

needs_native = pytest.mark.skipif(
    not native_is_chunked(), reason="this torch has no chunked way of its own that gives a loss per token"
)


def chunked(way: Callable[..., Tensor]) -> Way:
    return lambda states, weight, labels: way(states, weight, labels, logit_bytes=FEW_ROWS)


def made(dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """States, a head, labels, and what each token's loss counts."""
    torch.manual_seed(0)
    states, weight = torch.randn(TOKENS, DIM, dtype=torch.float64), torch.randn(WORDS, DIM, dtype=torch.float64)
    return states.to(dtype).requires_grad_(), weight.to(dtype), torch.randint(WORDS, (TOKENS,)), torch.rand(TOKENS)


def results(way: Way, dtype: torch.dtype, *, trained: bool = False) -> list[Tensor]:
    """Losses, the gradient of the states, and that of the head where it learns."""
    states, weight, labels, shares = made(dtype)
    losses = way(states, weight.requires_grad_(trained), labels)
    wanted = [states, weight] if trained else [states]
    return [losses.detach(), *torch.autograd.grad((losses * shares).sum(), wanted)]


FROZEN = [
    pytest.param(chunked(frozen_token_nll), id="ours"),
    pytest.param(frozen_token_nll, id="ours-in-one-chunk"),
    pytest.param(chunked(native_token_nll), id="torch", marks=needs_native),
    pytest.param(chunked(token_nll), id="chosen"),
]
TRAINED = [
    pytest.param(chunked(native_token_nll), id="torch", marks=needs_native),
    pytest.param(chunked(token_nll), id="chosen"),
    pytest.param(token_nll, id="chosen-when-small"),
]


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
@pytest.mark.parametrize("way", FROZEN)
def test_all_ways_agree_where_the_head_is_frozen(way: Way, dtype: torch.dtype, tolerance: float) -> None:
    for found, expected in zip(results(way, dtype), results(plain_token_nll, dtype), strict=True):
        assert found.dtype == dtype
        torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
@pytest.mark.parametrize("way", TRAINED)
def test_all_ways_agree_where_the_head_learns(way: Way, dtype: torch.dtype, tolerance: float) -> None:
    found, expected = results(way, dtype, trained=True), results(plain_token_nll, dtype, trained=True)
    assert len(found) == 3
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


@pytest.fixture
def early_torch(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A torch whose chunked way is for means and sums: for a loss per token it warns and keeps all logits."""

    def unchunked(states: Tensor, weight: Tensor, labels: Tensor, *, reduction: str, options: Any) -> Tensor:
        warnings.warn(f"options ignored, reduction={reduction!r}", stacklevel=2)
        return functional.cross_entropy(functional.linear(states, weight), labels, reduction=reduction)

    monkeypatch.setattr(functional, "linear_cross_entropy", unchunked, raising=False)
    monkeypatch.setattr(torch.nn, "LinearCrossEntropyOptions", lambda **_: None, raising=False)
    native_is_chunked.cache_clear()
    yield
    native_is_chunked.cache_clear()


def test_a_torch_that_cannot_chunk_losses_per_token_is_not_asked_to(early_torch: None) -> None:
    assert not native_is_chunked()
    found = results(chunked(token_nll), torch.float32, trained=True)  # a warning would be an error here
    for one, other in zip(found, results(plain_token_nll, torch.float32, trained=True), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_gives_losses_in_float32(dtype: torch.dtype) -> None:
    ours, slopes = results(chunked(token_nll), dtype)
    plain, plain_slopes = results(plain_token_nll, dtype)
    assert ours.dtype == torch.float32 and slopes.dtype == dtype
    torch.testing.assert_close(ours, plain, rtol=1e-6, atol=1e-6)  # from the same products: no loss is rounded
    exact = results(plain_token_nll, torch.float64)[1]
    error, plain_error = (slopes.double() - exact).norm(), (plain_slopes.double() - exact).norm()
    assert error < 1.5 * plain_error


def test_a_sure_token_keeps_its_small_gradient_in_half_precision() -> None:
    weight = torch.eye(64, dtype=torch.bfloat16)
    states = (6 * weight[:4]).requires_grad_()
    labels = torch.arange(4)
    (slopes,) = torch.autograd.grad(token_nll(states, weight, labels).sum(), states)
    expected = torch.softmax(6 * torch.eye(64)[:4], dim=1) - torch.eye(64)[:4]
    torch.testing.assert_close(slopes.float(), expected, rtol=1e-2, atol=1e-5)


def test_extreme_logits_stay_finite() -> None:
    weight = torch.tensor([[1e4], [-1e4]])
    states = torch.tensor([[1.0], [1.0]], requires_grad=True)
    losses = token_nll(states, weight, torch.tensor([0, 1]))
    assert losses.tolist() == [0.0, 2e4]
    assert torch.autograd.grad(losses.sum(), states)[0].tolist() == [[0.0], [2e4]]


def test_without_gradients_only_losses_are_made() -> None:
    states, weight, labels, _ = made(torch.float32)
    expected = token_nll(states, weight, labels)
    with torch.no_grad():
        assert torch.equal(token_nll(states, weight.requires_grad_(), labels), expected)
    given = states.detach().clone()
    losses = token_nll(given, weight.requires_grad_(False), labels)
    assert not losses.requires_grad and torch.equal(given, states) and torch.equal(losses, expected)


def test_the_gradient_is_not_differentiated_again_in_silence() -> None:
    states, weight, labels, _ = made(torch.float64)
    with pytest.raises(RuntimeError, match="differentiated twice"):
        torch.autograd.grad(token_nll(states, weight, labels).sum(), states, create_graph=True)


def test_nothing_kept_for_backward_has_a_logit_per_word() -> None:
    states, weight, labels, _ = made(torch.float32)
    kept: list[int] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor.numel()) or tensor, lambda t: t):
        token_nll(states, weight, labels, logit_bytes=FEW_ROWS)
    assert 0 < max(kept) <= TOKENS * DIM


def test_a_chunk_has_a_token_at_least_and_no_more_logits_than_its_room() -> None:
    assert chunk_rows(torch.empty(WORDS, 2), 1) == 1
    assert chunk_rows(torch.empty(WORDS, 2), FEW_ROWS) == 5
    assert chunk_rows(torch.empty(WORDS, 2, dtype=torch.bfloat16), FEW_ROWS) == 5  # they are worked on in float32
    assert token_nll(torch.empty(0, DIM), torch.empty(WORDS, DIM), torch.empty(0, dtype=torch.long)).shape == (0,)
