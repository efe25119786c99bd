"""Memory in which workers leave clips for the training process: made once, before they start, and used again and again.

torch's own way opens a file in shared memory for each tensor of each batch and touches every page of it anew, which
costs more than reading the clips; and a container's limit on /dev/shm does not count for this memory.
"""

from __future__ import annotations

import itertools
import math
import mmap
import multiprocessing
import os
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import get_worker_info

WAITING = 2
"""Batches that a worker makes ahead of being asked, as DataLoader does by itself."""

IN_HAND = 3
"""Batches of one worker that are used, fetched ahead by a trainer, or being made, beside those that wait."""

SIZE = 2**26
"""Bytes of a slot: addresses alone until something is written there."""

_numbers = itertools.count()
_known: weakref.WeakValueDictionary[int, Slots] = weakref.WeakValueDictionary()
_mine: list[Slots] = []  # in a worker: where it writes
_filled: dict[int, Told] = {}  # in a worker: what lies at an address and was not sent yet

Told = tuple[int, int, tuple[int, ...], str]
"""Where an array lies: the number of the slots, the slot, shape and type."""


class Slots:
    """Room for the batches of some workers, of so many tracks; made before they are forked, else they cannot see it.

    An array in a slot is the training process's until the last tensor over it is gone; then the worker may write there
    again. Who finds no slot free, or too small a one, sends a batch torch's way: nobody waits for a slot.
    """

    def __init__(self, *, workers: int, tracks: int = 1, size: int = SIZE) -> None:
        self.size, self.number, self._owner = size, next(_numbers), os.getpid()
        each = tracks * (WAITING + IN_HAND)
        self._maps = [mmap.mmap(-1, size) for _ in range(workers * each)]
        self._free = [os.pipe() for _ in range(workers)]
        for ends in self._free:
            os.set_blocking(ends[0], False)
        weakref.finalize(self, _close, self._free).atexit = False
        self._each = each
        for slot in range(len(self._maps)):
            self._release(slot)
        _known[self.number] = self

    def array(self, worker: int, shape: Sequence[int], dtype: np.dtype[Any]) -> NDArray[Any] | None:
        """An array in a free slot of a worker, not filled; None where there is none."""
        if math.prod(shape) * dtype.itemsize > self.size:
            return None
        try:
            offset = os.read(self._free[worker][0], 1)[0]
        except BlockingIOError:
            return None
        slot = worker * self._each + offset
        made = self._over(slot, shape, dtype)
        _filled[made.ctypes.data] = (self.number, slot, tuple(shape), dtype.str)
        return made

    def received(self, slot: int, shape: Sequence[int], dtype: str) -> Tensor:
        """In the training process: the array that a worker filled; its end frees the slot."""
        held = self._over(slot, shape, np.dtype(dtype))
        weakref.finalize(held, self._release, slot).atexit = False
        return torch.from_numpy(held)

    def _over(self, slot: int, shape: Sequence[int], dtype: np.dtype[Any]) -> NDArray[Any]:
        return np.ndarray(shape, dtype, buffer=self._maps[slot])

    def _release(self, slot: int) -> None:
        if os.getpid() != self._owner:  # a forked process has copies of what this one holds; they free nothing
            return
        worker, offset = divmod(slot, self._each)
        os.write(self._free[worker][1], bytes([offset]))


def use(slots: Slots | None) -> None:
    """In a worker: write there from now on."""
    _mine[:] = [] if slots is None else [slots]


def blank(shape: Sequence[int], dtype: np.dtype[Any]) -> Tensor:
    """A tensor to be filled: in a worker's slot where there is one, else in memory that torch shares."""
    kind = torch.from_numpy(np.empty(0, dtype)).dtype
    worker = get_worker_info()
    if worker is None:
        return torch.empty(tuple(shape), dtype=kind)
    if _mine and (made := _mine[0].array(worker.id, shape, dtype)) is not None:
        return torch.from_numpy(made)
    size = math.prod(shape) * dtype.itemsize
    shared = torch.UntypedStorage._new_shared(size)  # type: ignore[no-untyped-call]
    return torch.empty(0, dtype=kind).set_(shared, 0, tuple(shape))  # type: ignore[call-overload,no-any-return]


def sent(tensor: Tensor) -> Tensor | Told:
    """What is pickled for a tensor that `blank` gave: where it lies, or the tensor itself."""
    told = _filled.pop(tensor.data_ptr(), None)
    return tensor if told is None or told[2] != tuple(tensor.shape) else told


def received(told: Tensor | Told) -> Tensor:
    """The tensor that was sent."""
    if isinstance(told, Tensor):
        return told
    number, slot, shape, dtype = told
    return _known[number].received(slot, shape, dtype)


def can_share() -> bool:
    """Whether workers are forked, and so see the memory of their parent."""
    return multiprocessing.get_start_method() == "fork"


def _close(pipes: Sequence[tuple[int, int]]) -> None:
    for end in itertools.chain.from_iterable(pipes):
        os.close(end)
