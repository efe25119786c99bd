"""Jobs handed to submitit, and the wait for them; what it keeps for itself lies in the sweep's folder under `slurm`.

Whether a job is over is asked of whoever runs it: what came of it, the job itself has written.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

from sonar_slt.launcher.extra import needed
from sonar_slt.launcher.job import Ended, Job

Handles = dict[Job, Any]
"""Jobs under way, each with the submitit job that carries it."""


class Submitted(ABC):
    """Submits, waits, asks."""

    name: str
    pause: float
    """Seconds between questions."""

    @abstractmethod
    def executor(self, submitit: Any, folder: str) -> Any:
        """The submitit executor, told what each job needs."""

    @abstractmethod
    def submit(self, executor: Any, waiting: list[Job], running: int) -> Handles:
        """Hand over what may be handed over now, taking it from `waiting`."""

    @abstractmethod
    def over(self, handles: Handles) -> dict[Job, str]:
        """Those that are over, each with what is known of its end."""

    @abstractmethod
    def leave(self, handles: Handles) -> None:
        """What becomes of jobs under way when nobody waits for them any more."""

    def launch(self, jobs: Sequence[Job]) -> Iterator[Ended]:
        """Submit all, and wait until the last is over."""
        if not jobs:
            return
        executor = self.executor(needed("submitit", self.name), str(jobs[0].place.sweep / "slurm"))
        waiting, running = list(jobs), Handles()
        try:
            while waiting or running:
                running |= self.submit(executor, waiting, len(running))
                for job, how in self.over(running).items():
                    del running[job]
                    yield job, how
                if running:
                    time.sleep(self.pause)
        finally:
            self.leave(running)
