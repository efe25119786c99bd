"""How much of a training's time goes by while it waits for its next batch, with and without worker processes.

The steps are those of a bare loop: whatever else a training does between them would only make the share smaller.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from sonar_slt.bench.timing import Share, seconds
from sonar_slt.bench.training.loop import stepping
from sonar_slt.data.batches.batch import ClipBatch
from sonar_slt.data.batches.stream import loader
from sonar_slt.task.sign import SignTranslation

AHEAD = 8
"""Steps before the clock starts: workers have started, and the batches that they made meanwhile are gone."""


def bench_waiting(task: SignTranslation, *, workers: int, steps: int) -> Share:
    """The seconds until batches are on the task's device, and those of all of so many steps."""
    data = task.data
    data.make_ready()
    batches = iter(loader(data.batch, count, workers=workers, tracks=data.track_count))
    step, came = stepping(task), list[ClipBatch]()
    waited, worked = [], []
    for _ in range(AHEAD + steps):
        waited.append(seconds(lambda: came.append(_next(batches, task))))
        worked.append(seconds(lambda: step(came.pop())))
    part, whole = sum(waited[AHEAD:]), sum(waited[AHEAD:]) + sum(worked[AHEAD:])
    name = f"waiting for {steps} batches of {data.size} clips, {workers} workers"
    return Share(name, part, whole, f"at worst {max(waited[AHEAD:]) * 1e3:.1f} ms")


def _next(batches: Iterator[ClipBatch], task: SignTranslation) -> ClipBatch:
    return next(batches).to(task.device)
