"""Another process for what kills, limits or interrupts one: a fork of this one, which has imported everything already.

A fresh one imports for five seconds before it begins; those are for tests of just that.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from multiprocessing import get_context
from multiprocessing.context import ForkProcess
from pathlib import Path


def forked(job: Callable[[], object], said: Path) -> ForkProcess:
    """`job` under way in a process of its own, which ends with what it gives; all that it says is in the file."""
    process = get_context("fork").Process(target=_run, args=(job, said))
    with warnings.catch_warnings():  # of Python 3.12, where this process has threads; the job needs none of them
        warnings.simplefilter("ignore", DeprecationWarning)
        process.start()
    return process


def _run(job: Callable[[], object], said: Path) -> None:
    with said.open("w", encoding="utf-8", buffering=1) as file, redirect_stdout(file), redirect_stderr(file):
        for stream in (1, 2):  # for the processes that it starts, too
            os.dup2(file.fileno(), stream)
        sys.exit(job())
