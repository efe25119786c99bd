"""Batches that are functions of their number, as a DataLoader: from any number on, by any number of workers."""

from __future__ import annotations

import os
import time
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from itertools import count, islice
from threading import Thread
from typing import Any, Generic, TypeVar, cast

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from sonar_slt.data.batches.shared_memory import Slots, can_share, use
from sonar_slt.errors import UserError
from sonar_slt.processes import release_memory

Batch = TypeVar("Batch")


class Stream(IterableDataset[Batch]):
    """What a function makes of some numbers, in their order; of several workers each makes every so many-th batch."""

    def __init__(self, batch: Callable[[int], Batch], numbers: Callable[[], Iterable[int]], *, tracks: int = 1) -> None:
        self.batch, self.numbers, self.tracks = batch, numbers, tracks
        self.slots: Slots | None = None

    def __iter__(self) -> Iterator[Batch]:
        """The batches of this worker."""
        worker = get_worker_info()
        if worker is not None:
            use(self.slots)
            Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
        first, step = (0, 1) if worker is None else (worker.id, worker.num_workers)
        return map(self.batch, islice(self.numbers(), first, None, step))


def _end_with(parent: int) -> None:
    """End a worker whose training was killed: its batches block in a pipe that nobody reads any more."""
    while os.getppid() == parent:
        time.sleep(2)
    os._exit(1)


class Loader(DataLoader[Batch]):
    """A DataLoader whose workers leave clips in slots, new ones for each pass: one that is left early loses its own."""

    def __iter__(self) -> Any:
        """The batches of one pass."""
        stream = cast(Stream[Batch], self.dataset)
        shared = self.num_workers and can_share()
        stream.slots = Slots(workers=self.num_workers, tracks=stream.tracks) if shared else None
        if self.num_workers:
            release_memory()
        batches = super().__iter__()
        batches.slots = stream.slots  # type: ignore[attr-defined]  # they live as long as batches come from them
        return batches


def loader(
    batch: Callable[[int], Batch], numbers: Callable[[], Iterable[int]], *, workers: int = 0, tracks: int = 1
) -> DataLoader[Batch]:
    """A DataLoader over whole batches of so many tracks.

    It draws its seeds from a generator of its own: a run that goes on must find the random state that it was left with.
    """
    stream = Stream(batch, numbers, tracks=tracks)
    return Loader(stream, batch_size=None, num_workers=workers, generator=torch.Generator())


class Streamed(pl.LightningDataModule, Generic[Batch]):
    """A LightningDataModule whose training batches never end and are functions of their number."""

    def __init__(self, *, workers: int = 0) -> None:
        super().__init__()
        if workers < 0:
            raise UserError(f"batches.workers={workers}: a number of processes, or 0 for none.")
        self.workers, self.track_count = workers, 1
        self.served = 0  # batches that a process had been given when the training was stopped that now goes on

    @abstractmethod
    def batch(self, number: int) -> Batch:
        """The training batch of one number."""

    def make_ready(self) -> None:
        """What is to be looked up before the first batch: each worker would do it again."""

    def train_dataloader(self) -> DataLoader[Batch]:
        """Training batches from the one on that comes next; of several processes each has every so many-th."""
        self.make_ready()
        return loader(self.batch, self._numbers, workers=self.workers, tracks=self.track_count)

    def state_dict(self) -> dict[str, Any]:
        """How many batches a process has been given: a training that goes on is given the next one."""
        return {"served": self._given()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on behind the batches that were given."""
        self.served = int(state_dict["served"])

    def _numbers(self) -> Iterator[int]:
        """The numbers of this process's batches from now on."""
        rank, ranks = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        return count(self._given() * ranks + rank, ranks)

    def _given(self) -> int:
        if self.trainer is None:
            return self.served
        done = self.trainer.fit_loop.epoch_loop.batch_progress.total.processed  # type: ignore[attr-defined]
        return max(self.served, int(done))
