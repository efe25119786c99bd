"""Clip after clip to its skeletons: several processes look at clips side by side, and what they find comes in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from queue import SimpleQueue

import numpy as np

from sonar_slt.data.manifest import Row
from sonar_slt.data.unreadable import Unreadable
from sonar_slt.features.extraction.made import Filmed, Made, left_out
from sonar_slt.features.skeletons.holistic import Holistic
from sonar_slt.features.skeletons.persons import person_faults


def skeletons(corpus: Filmed, rows: Sequence[Row], open: Callable[[], Holistic], *, workers: int) -> Iterator[Made]:
    """The points (frames, 543, 3) of every clip; each of `workers` threads has a process of its own."""
    idle: SimpleQueue[Holistic] = SimpleQueue()
    with ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(max(1, workers)))
        stack.callback(threads.shutdown, wait=False, cancel_futures=True)
        for _ in range(max(1, workers)):
            idle.put(stack.enter_context(open()))
        waiting: deque[Future[Made]] = deque()
        for row in rows:
            waiting.append(threads.submit(_clip, corpus, row, idle))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _clip(corpus: Filmed, row: Row, idle: SimpleQueue[Holistic]) -> Made:
    handle = idle.get()
    try:
        return _looked_at(corpus, row, handle)
    finally:
        idle.put(handle)


def _looked_at(corpus: Filmed, row: Row, handle: Holistic) -> Made:
    try:
        film = corpus.film(row)
        try:
            frames = list(handle.skeleton(film, clip=row.id))
        finally:
            film.close()
    except Unreadable as error:
        return Made(row, None, 0, [left_out(row, "unreadable", str(error).rstrip("."))])
    if not frames:
        return Made(row, None, 0, [*film.faults, left_out(row, "empty_clip", "has no picture")])
    points = np.stack(frames)
    found = [replace(fault, id=row.id, split=row.split) for fault in (*film.faults, *person_faults(points))]
    return Made(row, points, len(points), found)
