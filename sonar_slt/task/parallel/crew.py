"""The processes of one training on one machine: started by the first of them, watched, and ended with it.

What torchrun or srun started is theirs to watch; here it is only checked to be as many as the config asks for.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import IO, Any, Self

import torch
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from torch import distributed

from sonar_slt.errors import UserError
from sonar_slt.processes import Place
from sonar_slt.task.parallel.ranks import ALONE, Ranks, join, leave

MODULE = "sonar_slt.cli.training.following"
"""What each of the other processes runs."""
GRACE = 20.0
"""Seconds in which process 0 may find out by itself that another one died, before it is ended, too."""
HERE = "127.0.0.1"


def on_gpu(settings: Mapping[str, Any]) -> bool:
    """Whether these trainer settings mean GPUs on this machine."""
    asked = settings.get("accelerator") or "auto"
    if asked in ("gpu", "cuda") and not torch.cuda.is_available():
        raise UserError(f"trainer.accelerator={asked}: torch finds no GPU on this machine; trainer.accelerator=cpu.")
    return asked in ("auto", "gpu", "cuda") and torch.cuda.is_available()


def devices(settings: Mapping[str, Any]) -> int:
    """How many processes these trainer settings want on this machine."""
    asked = settings.get("devices")
    there = torch.cuda.device_count() if on_gpu(settings) else None
    if asked in (None, "auto", -1, "-1"):
        return there or 1
    if isinstance(asked, str) and not asked.isdecimal():
        asked = asked.split(",")
    count = len(asked) if isinstance(asked, list) else int(asked)
    if count < 1:
        raise UserError(f"trainer.devices={settings['devices']}: expected a number of devices from 1 on, or auto.")
    if there is not None and count > there:
        raise UserError(f"trainer.devices={settings['devices']}: this machine has {there} GPU{'s' * (there > 1)}.")
    return count


class Crew:
    """The processes that trainer settings ask for; `lost` is told why one of them died, where nobody else can tell.

    A context: from its beginning to its end the others are there.
    """

    def __init__(self, settings: Mapping[str, Any], ranks: Ranks | None, *, lost: Callable[[str], object]) -> None:
        self.ranks, self.lost = ranks or ALONE, lost
        self.nodes, self.own = int(settings.get("num_nodes") or 1), devices(settings)
        self.gpu = on_gpu(settings)
        self._require_sense(settings)
        self.settings = {**settings, "strategy": self._strategy(settings.get("strategy") or "auto")}
        self.place = Place(0, self.own, 0, 0, HERE, _free_port())
        self._children: list[tuple[subprocess.Popen[bytes], IO[bytes]]] = []
        self._before: dict[str, str | None] = {}
        self._over = threading.Event()
        self._met = distributed.is_initialized()  # by whoever started this

    @property
    def count(self) -> int:
        """How many they are."""
        return self.own * self.nodes

    @property
    def many(self) -> bool:
        """Whether there are several."""
        return self.count > 1

    def __enter__(self) -> Self:
        """Start the others, unless they were started with this one."""
        if self.many and not self.ranks.many:
            self._before = {name: os.environ.get(name) for name in self.place.told()}
            os.environ |= self.place.told()
            self._children = [self._child(rank) for rank in range(1, self.own)]
            threading.Thread(target=self._watch, daemon=True, name="crew").start()
        return self

    def parts(self) -> dict[str, Any]:
        """What a trainer is built with so that it finds its place."""
        return {"plugins": [LightningEnvironment()]} if self.many else {}

    def meet(self) -> Ranks:
        """Wait until all are there."""
        if self.many and not self.ranks.many:
            self.ranks = join(self.place, gpu=self.gpu)
        return self.ranks

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the others; where one of them died, that is the error, and not what came of it here."""
        self._over.set()
        why = None
        if self._children:
            why = self._dead(3.0) if isinstance(error, Exception) else None
            self._end(60.0 if error is None else 0.0)
        if not self._met:
            leave()
        for name, value in self._before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        if why and not isinstance(error, UserError):
            raise RuntimeError(why) from error

    # --- inside -------------------------------------------------------------------------------------------------

    def _require_sense(self, settings: Mapping[str, Any]) -> None:
        asked = f"trainer.devices={settings.get('devices')} trainer.num_nodes={self.nodes}"
        if self.ranks.many and self.ranks.count != self.count:
            raise UserError(
                f"{self.ranks.count} processes were started, and {asked} asks for {self.count}: devices are "
                "the processes of one machine."
            )
        if not self.ranks.many and self.nodes > 1:
            raise UserError(f"{asked}: processes on several machines are started by torchrun or srun.")

    def _strategy(self, asked: Any) -> Any:
        """Terms of the loss may begin late, and a weight that nothing uses yet must not stop the others."""
        return "ddp_find_unused_parameters_true" if self.many and asked in ("auto", "ddp") else asked

    def _child(self, rank: int) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
        place = Place(rank, self.own, rank, 0, HERE, self.place.port)
        said = tempfile.TemporaryFile()  # noqa: SIM115 - `_end` closes it
        words = [str(rank), str(self.own), str(place.port), "gpu" if self.gpu else "cpu"]
        path = os.pathsep.join(one for one in sys.path if one)
        child = subprocess.Popen(
            [sys.executable, "-m", MODULE, *words],
            env={**os.environ, **place.told(), "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,  # Ctrl-C reaches process 0, which tells the others
        )
        return child, said

    def _watch(self) -> None:
        while not self._over.wait(0.5):
            if any(child.poll() for child, _ in self._children):
                if not self._over.wait(GRACE):
                    why = self._dead(0.0) or "another process died"
                    print(why, file=sys.stderr, flush=True)
                    self.lost(why)
                    self._end(0.0)
                    os._exit(1)
                return

    def _dead(self, patience: float) -> str | None:
        """Which of the others died and how, in a sentence; what it said goes to the terminal."""
        until = time.monotonic() + patience
        while not any(child.poll() for child, _ in self._children) and time.monotonic() < until:
            time.sleep(0.05)
        for rank, (child, said) in enumerate(self._children, start=1):
            if child.poll():
                said.seek(0)
                text = said.read().decode(errors="replace").strip()
                if text:
                    print(text, file=sys.stderr, flush=True)
                how = f"signal {-child.returncode}" if child.returncode < 0 else f"exit code {child.returncode}"
                last = f": {text.splitlines()[-1]}" if text and child.returncode > 0 else ""
                return f"process {rank} of {self.own} ended by {how}{last}"
        return None

    def _end(self, patience: float) -> None:
        """Let the others come to their end, then end those that have not."""
        until = time.monotonic() + patience
        for child, said in self._children:
            try:
                child.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            said.close()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind((HERE, 0))
        return int(one.getsockname()[1])
