"""How much memory a piece of work takes at its peak, over what the process held before.

On Linux the kernel keeps the peak and can be told to start anew; on a GPU torch does both.
"""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch

from sonar_slt.processes import release_memory

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def peak(act: Callable[[], object], device: str | torch.device = "cpu") -> int:
    """Bytes at the peak of a call, over those held before it; 0 where the system does not say."""
    if torch.device(device).type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        act()
        return torch.cuda.max_memory_allocated() - before
    if not RESET.exists():
        return 0
    release_memory()
    RESET.write_text("5")  # the peak becomes what is held now
    before = held("VmRSS")
    act()
    return held("VmHWM") - before


def available(device: str | torch.device = "cpu") -> int | None:
    """Bytes that a process may still take; None where the system does not say."""
    if torch.device(device).type == "cuda":
        free, _ = torch.cuda.mem_get_info()
        return int(free)
    found = [_kib(Path("/proc/meminfo"), "MemAvailable:")]
    found += [_left(Path("/sys/fs/cgroup"))]  # what a container or a cluster's job may take
    known = [size for size in found if size is not None]
    return min(known) if known else None


def in_a_fresh_process(act: Callable[..., Any], *given: object) -> Any:
    """What a call answers in a process of its own, that nothing else has left its memory in."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(there, act, given))
    process.start()
    there.close()
    try:
        return here.recv()
    finally:
        process.join()


def _answer(pipe: Connection, act: Callable[..., Any], given: Sequence[object]) -> None:
    pipe.send(act(*given))


def _left(group: Path) -> int | None:
    try:
        most, now = ((group / name).read_text().strip() for name in ("memory.max", "memory.current"))
        return None if most == "max" else max(0, int(most) - int(now))
    except (OSError, ValueError):
        return None


def _kib(path: Path, field: str) -> int | None:
    try:
        found = re.search(rf"{field}\s+(\d+) kB", path.read_text())
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None


def held(field: str) -> int:
    """Bytes that this process has, by the name that Linux gives them: VmRSS now, VmHWM at the peak."""
    found = _kib(STATUS, f"{field}:")
    if found is None:
        raise RuntimeError(f"{STATUS} has no {field}")
    return found
