"""A bar on a terminal for work that takes long; elsewhere nothing, so that logs stay short."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


@contextmanager
def counted(title: str, total: int, *, shown: bool = True) -> Iterator[Callable[[int], None]]:
    """A bar for `total` things; what is given says how many more are done."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not (shown and console.is_terminal)) as bar:
        number = bar.add_task(title, total=total)
        yield lambda done: bar.advance(number, done)


@contextmanager
def paced(title: str, total: int, *, shown: bool = True, every: float = 60.0) -> Iterator[Callable[[int, bool], None]]:
    """A bar for hours of work on frames, with frames a second and the time left; elsewhere than on a terminal a line
    every minute. What is given says how many more are done, and whether they were done now and not before.
    """
    console = Console(stderr=True)
    speed, columns = (
        TextColumn("{task.fields[pace]}"),
        (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()),
    )
    pace = _Pace(total)
    with Progress(*columns, speed, console=console, disable=not (shown and console.is_terminal)) as bar:
        number = bar.add_task(title, total=total, pace="")

        def advance(frames: int, now: bool) -> None:
            pace.add(frames, now)
            bar.update(number, advance=frames, pace=str(pace))
            if shown and not console.is_terminal and pace.silent > every:
                pace.told = time.monotonic()
                console.print(f"{title}: {pace.done:,} of {total:,} frames, {pace}", highlight=False, soft_wrap=True)

        yield advance


class _Pace:
    """How fast frames are done, from what was done now."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.now = total, 0, 0
        self.began = self.told = time.monotonic()

    def add(self, frames: int, now: bool) -> None:
        self.done += frames
        self.now += frames if now else 0

    @property
    def silent(self) -> float:
        return time.monotonic() - self.told

    def __str__(self) -> str:
        seconds = time.monotonic() - self.began
        if not self.now or seconds <= 0:
            return ""
        speed = self.now / seconds
        left = (self.total - self.done) / speed / 3600
        told = f"{left:.1f} h" if left >= 1 else f"{60 * left:.0f} min"
        return f"{speed:,.1f} frames/s, {told} left"
