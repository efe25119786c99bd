"""How two ways of doing one thing are timed: in turn, so that a machine that slows down slows both."""

from __future__ import annotations

import platform
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch

Act = Callable[[], object]

SLOW = 0.05
"""Seconds that a product of 512 rows takes where a processor has no instructions for a precision."""


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
        a, b = (torch.randn(512, 512, device=device).to(precision) for _ in range(2))
        if min(seconds(lambda: a @ b) for _ in range(2)) < SLOW:  # else it is not made for this precision
            a, b = (torch.randn(2048, 2048, device=device).to(precision) for _ in range(2))
        wide, narrow = torch.randn(8192, 8192, device=device).to(precision), a.new_ones(8192)
        fast = min(seconds(lambda: a @ b) for _ in range(8))
        near = min(seconds(lambda: wide @ narrow) for _ in range(8))
        return cls(2 * len(a) ** 3 / fast, wide.nbytes / near)

    def limit(self, work: Work) -> float:
        """Seconds below which the work cannot be done here."""
        return max(work.operations / self.operations, work.bytes / self.bytes)


@dataclass(frozen=True, slots=True)
class Ways:
    """Two ways of doing one thing, ready to be timed; `agreement` is asked for once both have been taken."""

    name: str
    plain: Act
    ours: Act
    limit: float  # seconds
    agreement: Callable[[], str] = str


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


@dataclass(frozen=True, slots=True)
class Share:
    """Seconds of something, and of all that it is a part of."""

    name: str
    part: float
    whole: float
    note: str = ""


Result = Comparison | Footprint | Share


def machine_name(device: str | torch.device = "cpu") -> str:
    """What the processor calls itself."""
    if torch.device(device).type == "cuda":
        return str(torch.cuda.get_device_name(device))
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1].strip() if found else platform.processor() or platform.machine()


def seconds(act: Callable[[], object]) -> float:
    """How long one call takes."""
    began = now()
    act()
    return now() - began


def now() -> float:
    """The time when a GPU has done all that it was asked for."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def compare(name: str, plain: Act, ours: Act, *, rounds: int, limit: float | None = None) -> Comparison:
    """Time both in turn, after a warm-up of each; `limit` is what ours cannot be faster than."""
    plain(), ours()
    slow, fast = in_turn([plain, ours], rounds)
    return compared(name, slow, fast, limit=limit)


def in_turn(acts: Sequence[Act], rounds: int) -> list[list[float]]:
    """The seconds of each act in each round; a round does all of them once."""
    times = [[seconds(act) for act in acts] for _ in range(rounds)]
    return [list(column) for column in zip(*times, strict=True)]


def compared(
    name: str, plain: Sequence[float], ours: Sequence[float], *, limit: float | None = None, note: str = ""
) -> Comparison:
    """The medians of both, and that of their ratios round by round."""
    took = median(ours)
    ratio = median(slow / fast for slow, fast in zip(plain, ours, strict=True))
    return Comparison(name, median(plain), took, ratio, None if limit is None else limit / took, note)
