"""This process among others: which of them it is, as torchrun, srun and our own start say it, and what it gives back.

Nothing here imports torch: whoever only wants to know whether to speak asks `rank()`.
"""

from __future__ import annotations

import ctypes
import gc
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

PORTS = 15_000
"""Where the port of a SLURM job lies: its number decides which of the next 10,000 it is."""


@dataclass(frozen=True, slots=True)
class Place:
    """One process among `count`; process 0 listens at `address`, where all of them meet."""

    rank: int
    count: int
    local: int  # its number on its machine
    node: int  # the number of its machine
    address: str
    port: int

    def told(self) -> dict[str, str]:
        """The environment in which Lightning and torch find this place."""
        return {
            "LOCAL_RANK": str(self.local),
            "NODE_RANK": str(self.node),
            "WORLD_SIZE": str(self.count),
            "MASTER_ADDR": self.address,
            "MASTER_PORT": str(self.port),
        }


def place(environ: Mapping[str, str] = os.environ) -> Place | None:
    """The place that torchrun or srun gave this process; None where it was started alone."""
    found = _torchrun(environ) or _srun(environ)
    return found if found and found.count > 1 else None


def rank(environ: Mapping[str, str] = os.environ) -> int:
    """The number of this process, 0 where it was started alone: who has another one is silent and writes nothing."""
    found = place(environ)
    return found.rank if found else int(environ.get("LOCAL_RANK", 0))


def _torchrun(environ: Mapping[str, str]) -> Place | None:
    if not {"RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"} <= environ.keys():
        return None
    return Place(
        rank=int(environ["RANK"]),
        count=int(environ["WORLD_SIZE"]),
        local=int(environ["LOCAL_RANK"]),
        node=int(environ.get("GROUP_RANK", 0)),
        address=environ["MASTER_ADDR"],
        port=int(environ["MASTER_PORT"]),
    )


def _srun(environ: Mapping[str, str]) -> Place | None:
    if not {"SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"} <= environ.keys():
        return None  # in a batch script, but not started by srun: alone
    nodes = environ.get("SLURM_STEP_NODELIST") or environ.get("SLURM_JOB_NODELIST", "127.0.0.1")
    port = PORTS + int(environ.get("SLURM_JOB_ID", 0)) % 10_000
    return Place(
        rank=int(environ["SLURM_PROCID"]),
        count=int(environ["SLURM_STEP_NUM_TASKS"]),
        local=int(environ["SLURM_LOCALID"]),
        node=int(environ.get("SLURM_NODEID", 0)),
        address=environ.get("MASTER_ADDR") or first_host(nodes),
        port=int(environ.get("MASTER_PORT", port)),
    )


def first_host(nodes: str) -> str:
    """The first machine of SLURM's short form: node07 of `node[07-09,12],big1`."""
    short = re.match(r"([^\[,]+)(?:\[(\d+)[^\]]*\])?", nodes)
    return f"{short[1]}{short[2] or ''}" if short else nodes


def release_memory() -> None:
    """Give back to the system what is free: what counts as taken is then in use, and forked workers inherit no more."""
    gc.collect()
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):
        return  # another C library keeps less
