"""How many clips a training step has room for on this machine: tried, with the longest clips that there are.

A step is what a training does: augmentation, forward, backward, and AdamW with its state.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray

from sonar_slt.bench.memory import available, peak
from sonar_slt.bench.timing import now
from sonar_slt.bench.training.loop import learnt
from sonar_slt.errors import UserError
from sonar_slt.objective import Landing
from sonar_slt.task.sign import SignTranslation

MOST = 512
"""Clips in the largest batch that is tried: tiny models end here."""
PATIENCE = 20.0
"""Seconds of one step, beyond which nobody would want a larger batch."""
SHARE = 0.9
"""Of what there is room for, that is advised: other batches leave other gaps in memory."""
EXHAUSTED = ("out of memory", "allocate memory", "ALLOC_FAILED")
"""What allocators other than torch's own for a GPU write."""

Attempt = Callable[[int], "Fit | None"]
"""A size to what a step of it took, or None where it did not fit."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A batch size that fitted."""

    clips: int
    peak: int  # bytes over what was held before
    seconds: float  # of one step


@dataclass(frozen=True, slots=True)
class Capacity:
    """The sizes that fitted, rising; `frames` are those of the longest clip, `most` is where the search would end."""

    fits: Sequence[Fit]
    frames: int
    most: int
    free: int | None  # bytes

    @property
    def advised(self) -> int:
        """The largest size that leaves a margin."""
        largest = self.fits[-1]
        near = self.free is not None and largest.peak > SHARE * self.free
        return max(1, int(SHARE * largest.clips)) if largest.clips < self.most or near else largest.clips


def capacity(task: SignTranslation, *, precision: Callable[[], AbstractContextManager[None]] = nullcontext) -> Capacity:
    """What fits where the task's space is; the task is afterwards as it was before, on that device.

    A forward pass happens in a `precision`.
    """
    data, device = task.data, task.data.space.device
    train = data.rows["train"].numbers
    lengths = data.drawing.lengths[train]
    longest = train[np.argsort(-lengths, kind="stable")]
    task.to(device)
    with _as_before(task):
        task.train()
        if device.type == "cuda":
            torch.cuda.empty_cache()  # what torch keeps for later is free too
        free, most = available(device), min(MOST, len(train))
        _tried(task, longest[:1], precision)  # libraries make themselves at home once, and that is not a clip's cost
        fixed = 3 * sum(weight.nbytes for weight in task.parameters() if weight.requires_grad)  # gradient, AdamW's two
        fits = searched(lambda size: _tried(task, longest[:size], precision), most=most, free=free, fixed=fixed)
    frames = int(lengths.max())
    if not fits:
        raise UserError(
            f"Not even one clip fits: the longest has {frames} frames. task.checkpointing=true and "
            "space.dtype=bfloat16 take less memory, and so does a sampling that reads fewer frames."
        )
    return Capacity(fits, frames, most, free)


def searched(attempt: Attempt, *, most: int, free: int | None, fixed: int = 0) -> list[Fit]:
    """Sizes that fit, rising: doubled until one fails or would, then halfway between, to a sixteenth.

    A size that would take more than is `free`, as the sizes before it grew, is not tried. `fixed` are bytes that any
    size takes.
    """
    fits: list[Fit] = []
    fails = most + 1
    doubling = True
    while (known := fits[-1].clips if fits else 0) < most:
        if not doubling and fails - known <= max(1, known // 16):
            break
        size = min(max(1, 2 * known), most) if doubling else (known + fails) // 2
        hopeless = free is not None and _expected(fits, size, fixed) > free
        found = None if hopeless else attempt(size)
        if found is None:
            doubling, fails = False, size
        else:
            fits.append(found)
            if found.seconds > PATIENCE:
                break
    return fits


def shared(wanted: int, room: int) -> tuple[int, int]:
    """A batch size with room, and how many such batches make up a step of `wanted` clips: exactly so where it goes."""
    fewest = -(-wanted // room)
    together = next((count for count in range(fewest, 2 * fewest + 1) if wanted % count == 0), fewest)
    return -(-wanted // together), together


def _expected(fits: Sequence[Fit], size: int, fixed: int) -> float:
    """Bytes that a size would take; nothing is expected of the first one, which is tried in any case."""
    if not fits:
        return 0.0
    first, last = fits[0] if len(fits) > 1 else Fit(0, fixed, 0.0), fits[-1]
    each = max(0.0, (last.peak - first.peak) / (last.clips - first.clips))
    return last.peak + each * (size - last.clips)


def _tried(
    task: SignTranslation, rows: NDArray[np.int64], precision: Callable[[], AbstractContextManager[None]]
) -> Fit | None:
    took: list[float] = []
    fit = None
    try:
        most = peak(lambda: _steps(task, rows, precision, took), task.data.space.device)
        fit = Fit(len(rows), max(0, most), took[-1])  # what is held is known to a few pages
    except (RuntimeError, MemoryError) as error:
        if not _exhausted(error):
            raise
    finally:
        task.zero_grad(set_to_none=True)
    if fit is None:
        gc.collect()  # behind the handler: until there the error holds what the step held
    return fit


def _steps(
    task: SignTranslation,
    rows: NDArray[np.int64],
    precision: Callable[[], AbstractContextManager[None]],
    took: list[float],
) -> None:
    """Two steps, for only the second one meets the optimiser's state; `took` gets the seconds of each."""
    data, device = task.data, task.data.space.device
    learning = [weight for weight in task.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW(learning, fused=True)
    for number in range(2):
        batch = data.collate(rows, Random(number)).to(device)  # frames as they are most
        begun = now()
        batch = batch.shown(task.augment(batch.tracks, seed=data.seed, step=number))
        with precision():
            z = task(batch.tracks)
            loss = task.objective(Landing(z, batch.target.vectors, task.nll(batch, z))).loss
        if loss is None:
            raise UserError(f"The loss of the clips {', '.join(batch.ids[:5])} is not finite: `sonar-slt check` them.")
        learnt(loss, learning, optimiser)
        took.append(now() - begun)


def _exhausted(error: BaseException) -> bool:
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(sign in str(error) for sign in EXHAUSTED)


@contextmanager
def _as_before(task: SignTranslation) -> Iterator[None]:
    """Weights that learn, buffers, mode and random numbers as they are now, whatever happens."""
    own = [*(weight for weight in task.parameters() if weight.requires_grad), *task.buffers()]
    kept = [value.detach().to("cpu", copy=True) for value in own]
    training, device = task.training, task.data.space.device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        gc.freeze()  # what is there stays: looking through it before each size would take longer than small steps
        try:
            yield
        finally:
            with torch.no_grad():
                for value, before in zip(own, kept, strict=True):
                    value.copy_(before)
            task.train(training)
            gc.unfreeze()
