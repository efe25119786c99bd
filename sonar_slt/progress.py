"""A bar on a terminal for work that takes long; elsewhere nothing, so that logs stay short."""

from __future__ import annotations

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
