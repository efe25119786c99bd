"""Clips worked on side by side in processes of their own; what they made comes back in the order of the labels.

Each process gets the corpus once; few chunks are under way at a time, so that memory stays flat.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from sonar_slt.data.preparation.clip import Prepared, prepare_clip
from sonar_slt.data.preparation.preparable import Preparable
from sonar_slt.data.release import Entry
from sonar_slt.errors import UserError

CHUNK = 8
"""Clips that go to a process at a time."""
WORTHWHILE = 300
"""Fewer clips are done sooner here than processes start."""
STOPPING = (signal.SIGINT, signal.SIGTERM)
GUARD = "In a script of your own, prepare below `if __name__ == '__main__':`, for each process reads the script."
_given: list[tuple[Preparable, str | None]] = []  # in a worker: what it was told when it started


def prepared_clips(
    corpus: Preparable, entries: Sequence[Entry], *, layout: str | None, workers: int
) -> Generator[Prepared, None, None]:
    """Each entry's clip, in order; `workers` 0 works in this process."""
    if not workers:
        for entry in entries:
            yield prepare_clip(corpus, entry, layout=layout)
        return
    pool = ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start,
        initargs=(corpus, layout),
    )
    try:
        yield from _in_order(pool, entries, most=2 * workers + 2)
    except BrokenProcessPool as error:
        raise UserError(
            "A process that prepares clips was ended from outside, perhaps for lack of memory: repeat the command, "
            f"which goes on where it was, with fewer than workers={workers}. {GUARD}"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def require_guard() -> None:
    """Refuse to prepare in a process that is only reading the script of its parent, which waits for it."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):  # as multiprocessing itself asks
        raise UserError(GUARD)


def suitable(workers: int | None, clips: int) -> int:
    """How many processes work: as many as asked for, else one per core where there are clips enough."""
    if workers is not None:
        if workers < 0:
            raise UserError(f"workers={workers}: a number of processes, 0 to work in this one, or null.")
        return workers
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores if cores > 1 and clips >= WORTHWHILE else 0


def _in_order(pool: ProcessPoolExecutor, entries: Sequence[Entry], *, most: int) -> Generator[Prepared, None, None]:
    waiting: deque[Future[list[Prepared]]] = deque()
    for start in range(0, len(entries), CHUNK):
        with _unbroken():
            waiting.append(pool.submit(_work, entries[start : start + CHUNK]))
        if len(waiting) >= most:
            yield from waiting.popleft().result()
    while waiting:
        yield from waiting.popleft().result()


@contextmanager
def _unbroken() -> Iterator[None]:
    """Signals wait: a process that is interrupted while it is being started complains at length."""
    former = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


def _start(corpus: Preparable, layout: str | None) -> None:
    """In a new process: Ctrl-C is the parent's to answer, and nobody stays behind when the parent is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    _given[:] = [(corpus, layout)]
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(entries: Sequence[Entry]) -> list[Prepared]:
    [(corpus, layout)] = _given
    return [prepare_clip(corpus, entry, layout=layout) for entry in entries]
