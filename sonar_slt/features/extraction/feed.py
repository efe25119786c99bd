"""Pictures read ahead: processes decode the next clips and make their pictures small while this one is worked on.

What is under way is bounded, so that memory depends on neither the length of a clip nor the number of clips.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.connection import Connection
from queue import Empty, Full, Queue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.faults import Fault
from sonar_slt.data.manifest import Row
from sonar_slt.data.unreadable import Unreadable
from sonar_slt.errors import UserError
from sonar_slt.features.extraction.made import Filmed

BLOCK = 16
"""Pictures that come together."""
AHEAD = 4
"""Blocks of a clip that wait to be used."""

Pictures = NDArray[np.uint8]
Prepare = Callable[[Pictures], Pictures]


@dataclass(slots=True, eq=False)
class Roll:
    """The pictures of one clip in blocks (pictures, ...); `faults` is complete, and `Unreadable` raised, at the end."""

    row: Row
    blocks: Iterator[Pictures]
    faults: list[Fault] = field(default_factory=list)

    def __iter__(self) -> Iterator[Pictures]:
        return self.blocks


class Feed:
    """Rolls of a corpus' clips in any order that is asked for, `workers` of them read at a time; 0 reads them here."""

    def __init__(self, corpus: Filmed, prepare: Prepare, *, step: int = 1, workers: int = 0) -> None:
        self.corpus, self.prepare, self.step = corpus, prepare, step
        self._readers = [_Reader(corpus, prepare, step) for _ in range(workers)]

    def __enter__(self) -> Feed:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes."""
        for reader in self._readers:
            reader.close()

    def rolls(self, rows: Sequence[Row]) -> Iterator[Roll]:
        """One roll for each row, in order; each is read to its end before the next is asked for."""
        if not self._readers:
            for row in rows:
                roll = Roll(row, iter(()))
                roll.blocks = _read(self.corpus, row, self.prepare, self.step, roll.faults)
                yield roll
            return
        waiting: deque[tuple[Row, _Reader]] = deque()
        left, idle = iter(rows), deque(self._readers)
        while True:
            for row in islice(left, len(idle)):
                reader = idle.popleft()
                reader.begin(row)
                waiting.append((row, reader))
            if not waiting:
                return
            row, reader = waiting.popleft()
            roll = Roll(row, iter(()))
            roll.blocks = reader.blocks(roll.faults)
            yield roll
            idle.append(reader)


def _read(
    corpus: Filmed, row: Row, prepare: Prepare, step: int, faults: list[Fault]
) -> Generator[Pictures, None, None]:
    film = corpus.film(row, step=step)
    try:
        while block := [prepare(picture) for picture in islice(film, BLOCK)]:
            yield np.stack(block)
    finally:
        film.close()
        faults.extend(film.faults)


class _Reader:
    """A process that reads clip after clip, and a thread here that takes what it sends."""

    def __init__(self, corpus: Filmed, prepare: Prepare, step: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, there = context.Pipe()
        self._process = context.Process(target=_serve, args=(there, corpus, prepare, step), daemon=True)
        with _signals_wait():
            self._process.start()
        there.close()
        self._taken: Queue[Any] = Queue(AHEAD)
        self._closed = threading.Event()
        threading.Thread(target=self._take, daemon=True).start()

    def begin(self, row: Row) -> None:
        """Ask for a clip; that nobody is there any more is found out where its pictures are waited for."""
        with suppress(OSError):
            self._pipe.send(row)

    def blocks(self, faults: list[Fault]) -> Iterator[Pictures]:
        """What the process sends of the clip that it was given."""
        while True:
            try:
                sent = self._taken.get(timeout=1.0)
            except Empty:
                continue
            if isinstance(sent, np.ndarray):
                yield sent
            elif isinstance(sent, list):
                faults.extend(sent)
                return
            elif isinstance(sent, BaseException):
                raise sent

    def close(self) -> None:
        self._closed.set()
        self._process.terminate()
        self._process.join()

    def _take(self) -> None:
        """Only so much is taken ahead: the process waits in its pipe."""
        while not self._closed.is_set():
            try:
                sent = self._pipe.recv()
            except (EOFError, OSError):
                told = "A process that reads pictures was ended from outside, perhaps for lack of memory"
                sent = UserError(f"{told}: repeat the command, which goes on where it was, with fewer workers=.")
            while not self._closed.is_set():
                try:
                    self._taken.put(sent, timeout=0.2)
                    break
                except Full:
                    continue
            if isinstance(sent, UserError):
                return


class _signals_wait:
    """A process that is interrupted while it is being started complains at length."""

    def __enter__(self) -> None:
        self._former = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))

    def __exit__(self, *_: object) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._former)


def _serve(pipe: Connection, corpus: Filmed, prepare: Prepare, step: int) -> None:
    """In the process: Ctrl-C is the parent's to answer, and nobody stays behind when the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM))
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    while True:
        row = pipe.recv()
        faults: list[Fault] = []
        try:
            for block in _read(corpus, row, prepare, step, faults):
                pipe.send(block)
            pipe.send(faults)
        except (Unreadable, UserError) as error:
            pipe.send(error)
        except Exception as error:
            pipe.send(RuntimeError(f"clip {row.id}: {type(error).__name__}: {error}"))


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
