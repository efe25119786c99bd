"""How two ways of doing one thing are timed: in turn, so that a machine that slows down slows both."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import torch


@dataclass(frozen=True, slots=True)
class Comparison:
    """Seconds of the plain way and of ours, their ratio, and what bounds ours; medians where pairs were timed."""

    name: str
    plain: float
    ours: float
    ratio: float
    of_limit: float  # arithmetic of ours over the measured matrix-product rate, as a fraction of its time


def matrix_rate(size: int = 1024, rounds: int = 8) -> float:
    """Floating-point operations per second of a large fp32 matrix product: the limit of anything made of them."""
    a, b = torch.randn(size, size), torch.randn(size, size)
    a @ b
    return 2 * size**3 / min(seconds(lambda: a @ b) for _ in range(rounds))


def seconds(act: Callable[[], object]) -> float:
    """How long one call takes; on a GPU until the last kernel is done."""
    _settle()
    began = time.perf_counter()
    act()
    _settle()
    return time.perf_counter() - began


def compare(
    name: str, plain: Callable[[], object], ours: Callable[[], object], *, operations: float, rate: float, rounds: int
) -> Comparison:
    """Time both in turn after a warm-up of each; `operations` are those that ours cannot do without."""
    plain(), ours()
    pairs = [(seconds(plain), seconds(ours)) for _ in range(rounds)]
    took = median(ours for _, ours in pairs)
    ratio = median(slow / fast for slow, fast in pairs)
    return Comparison(name, median(plain for plain, _ in pairs), took, ratio, operations / rate / took)


def _settle() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
