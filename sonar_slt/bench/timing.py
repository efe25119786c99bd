"""How two ways of doing one thing are timed: in turn, so that a machine that slows down slows both."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import torch


@dataclass(frozen=True, slots=True)
class Work:
    """What cannot be avoided: arithmetic, and weights that have to come from memory."""

    operations: float = 0.0
    bytes: float = 0.0


@dataclass(frozen=True, slots=True)
class Machine:
    """What this machine can do at most in one precision."""

    operations: float  # per second, in a large matrix product
    bytes: float  # per second, in a product of a large matrix and one vector

    @classmethod
    def measured(cls, precision: torch.dtype = torch.float32, device: str | torch.device = "cpu") -> Machine:
        """Both rates, the best of several rounds."""
        a, b = (torch.randn(2048, 2048, device=device).to(precision) for _ in range(2))
        wide, narrow = torch.randn(8192, 8192, device=device).to(precision), a.new_ones(8192)
        fast = min(seconds(lambda: a @ b) for _ in range(8))
        near = min(seconds(lambda: wide @ narrow) for _ in range(8))
        return cls(2 * len(a) ** 3 / fast, wide.nbytes / near)

    def limit(self, work: Work) -> float:
        """Seconds below which the work cannot be done here."""
        return max(work.operations / self.operations, work.bytes / self.bytes)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Seconds of the plain way and of ours, and how many times ours is faster; medians where pairs were timed."""

    name: str
    plain: float
    ours: float
    ratio: float
    of_limit: float | None = None  # the seconds that the machine's limit leaves, as a fraction of ours
    note: str = ""


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes at the peak of the plain way and of ours, or of one thing beside what it may cost."""

    name: str
    plain: int
    ours: int
    note: str = ""


def seconds(act: Callable[[], object]) -> float:
    """How long one call takes; on a GPU until the last kernel is done."""
    _settle()
    began = time.perf_counter()
    act()
    _settle()
    return time.perf_counter() - began


def compare(
    name: str,
    plain: Callable[[], object],
    ours: Callable[[], object],
    *,
    rounds: int,
    limit: float | None = None,
    warm_up: bool = True,
    note: str = "",
) -> Comparison:
    """Time both in turn, after a warm-up of each where a call is short; `limit` is what ours cannot be faster than."""
    if warm_up:
        plain(), ours()
    pairs = [(seconds(plain), seconds(ours)) for _ in range(rounds)]
    took = median(fast for _, fast in pairs)
    ratio = median(slow / fast for slow, fast in pairs)
    of_limit = None if limit is None else limit / took
    return Comparison(name, median(slow for slow, _ in pairs), took, ratio, of_limit, note)


def _settle() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
