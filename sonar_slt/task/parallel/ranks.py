"""Several processes that train one model: who each of them is, and how they tell each other what they have.

Work is dealt out like cards: of some rows process `rank` has every `count`-th from its own number on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed

from sonar_slt.processes import Place

PATIENCE = timedelta(days=7)
"""How long one process waits while another one prepares, translates or scores; who died is noticed at once."""

Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among others. `group` carries whatever can be pickled, over the network and not between GPUs."""

    rank: int = 0
    count: int = 1
    group: Any = None

    @property
    def many(self) -> bool:
        """Whether there are others."""
        return self.count > 1

    def share(self, rows: Sequence[Kept]) -> Sequence[Kept]:
        """This process's part of some rows."""
        return rows[self.rank :: self.count]

    def broadcast(self, value: Any) -> Any:
        """What process 0 has, in every process; what the others give is not looked at."""
        if not self.many:
            return value
        told = [value if self.rank == 0 else None]
        distributed.broadcast_object_list(told, src=0, group=self.group)
        return told[0]

    def everyone(self, value: Any) -> list[Any]:
        """What each process has, by its number, in every process."""
        if not self.many:
            return [value]
        told: list[Any] = [None] * self.count
        distributed.all_gather_object(told, value, group=self.group)
        return told

    def most(self, number: int) -> int:
        """The largest of the numbers that the processes have."""
        if not self.many:
            return number
        told = torch.tensor(number)
        distributed.all_reduce(told, op=distributed.ReduceOp.MAX, group=self.group)
        return int(told)

    def total(self, values: Tensor) -> Tensor:
        """The sum of a tensor over all processes, on its device."""
        if self.many:
            distributed.all_reduce(values)
        return values

    def rows(self, rows: Tensor) -> list[Tensor]:
        """The rows (some, …) of each process, by its number; each may have another number of them, or none."""
        if not self.many:
            return [rows]
        counts = torch.zeros(self.count, dtype=torch.long, device=rows.device)
        counts[self.rank] = len(rows)
        sizes = self.total(counts).tolist()
        padded = rows.new_zeros((max(1, *sizes), *rows.shape[1:]))
        padded[: len(rows)] = rows
        theirs = [torch.empty_like(padded) for _ in sizes]
        distributed.all_gather(theirs, padded)
        return [part[:size] for part, size in zip(theirs, sizes, strict=True)]


ALONE = Ranks()
"""One process."""


def join(place: Place, *, gpu: bool) -> Ranks:
    """Meet the others; returns when all are there."""
    backend = "nccl" if gpu else "gloo"
    distributed.init_process_group(backend, rank=place.rank, world_size=place.count)
    return Ranks(place.rank, place.count, distributed.new_group(backend="gloo", timeout=PATIENCE))


def leave() -> None:
    """Part from the others."""
    if distributed.is_initialized():
        distributed.destroy_process_group()


def dealt(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """The order in which rows were dealt to processes that have so many: (process, its row), the first row first."""
    return sorted(
        ((rank, row) for rank, size in enumerate(sizes) for row in range(size)), key=lambda one: (one[1], one[0])
    )


def collected(parts: Sequence[Sequence[Kept]]) -> list[Kept]:
    """Rows that were dealt to processes, in one list again."""
    return [parts[rank][row] for rank, row in dealt([len(part) for part in parts])]
