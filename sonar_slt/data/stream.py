"""Batches that are functions of their number, as a DataLoader: from any number on, by any number of workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import TypeVar

import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

Batch = TypeVar("Batch")


class Stream(IterableDataset[Batch]):
    """What a function gives when it is called; of several workers each makes every so many-th batch, in turn."""

    def __init__(self, batches: Callable[[], Iterator[Batch]]) -> None:
        self.batches = batches

    def __iter__(self) -> Iterator[Batch]:
        """The batches of this worker."""
        worker = get_worker_info()
        return self.batches() if worker is None else islice(self.batches(), worker.id, None, worker.num_workers)


def loader(batches: Callable[[], Iterator[Batch]], *, workers: int = 0) -> DataLoader[Batch]:
    """A DataLoader over whole batches.

    It draws its seeds from a generator of its own: a run that goes on must find the random state that it was left with.
    """
    return DataLoader(Stream(batches), batch_size=None, num_workers=workers, generator=torch.Generator())
