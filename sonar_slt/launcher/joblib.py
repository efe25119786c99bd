"""Several jobs at a time on this machine, each a process of its own with a GPU of its own.

The GPU is chosen before the process begins, so torch sees no other; a job that is killed takes no other with it.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from queue import SimpleQueue
from threading import Event

from sonar_slt.errors import UserError
from sonar_slt.launcher.extra import needed
from sonar_slt.launcher.job import Ended, Job

DEVICES, THREADS = "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS"


class Joblib:
    """`n_jobs` places for jobs; each place has one of `gpus`, in turn, and `threads` of the processor."""

    def __init__(self, *, n_jobs: int | None = None, gpus: list[int] | None = None, threads: int | None = None) -> None:
        """None stands for one job per GPU, all GPUs that are visible, and an even share of the processor."""
        for key, value in (("n_jobs", n_jobs), ("threads", threads)):
            if value is not None and value < 1:
                raise UserError(f"launcher.{key}={value}: expected a number from 1, or null.")
        self.gpus = visible_gpus() if gpus is None else [str(gpu) for gpu in gpus]
        self.n_jobs = n_jobs or len(self.gpus) or 1
        self.threads = threads or max(1, (os.cpu_count() or 1) // self.n_jobs)

    def launch(self, jobs: Sequence[Job]) -> Iterator[Ended]:
        """As many at a time as there are places; where this is stopped, the jobs are, and are waited for."""
        joblib = needed("joblib", "joblib")
        pool = joblib.Parallel(n_jobs=self.n_jobs, prefer="threads", batch_size=1, return_as="generator_unordered")
        places: SimpleQueue[str | None] = SimpleQueue()
        for number in range(self.n_jobs):
            places.put(self.gpus[number % len(self.gpus)] if self.gpus else None)
        desk = _Desk(places, self.threads)
        try:
            yield from pool(joblib.delayed(desk.run)(job) for job in jobs)
        finally:
            desk.close()


class _Desk:
    """Hands out the places and knows the processes that have one."""

    def __init__(self, places: SimpleQueue[str | None], threads: int) -> None:
        self.places, self.threads = places, threads
        self.running: set[subprocess.Popen[bytes]] = set()
        self.closed = Event()

    def run(self, job: Job) -> Ended:
        """One job from beginning to end, in a process that hears nothing of a Ctrl-C meant for us."""
        gpu = self.places.get()
        try:
            if self.closed.is_set():
                return job, "not begun"
            job.log.parent.mkdir(parents=True, exist_ok=True)
            with job.log.open("ab") as log:
                child = subprocess.Popen(
                    job.command(),
                    env=os.environ | self._environment(gpu) | job.environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            self.running.add(child)
            if self.closed.is_set():  # meanwhile
                child.terminate()
            code = child.wait()
            self.running.discard(child)
            return job, f"its process was ended by {signal.Signals(-code).name}" if code < 0 else ""
        finally:
            self.places.put(gpu)

    def close(self) -> None:
        """No further job begins; those that run are told to end, and have all the time that they need for it."""
        self.closed.set()
        for child in tuple(self.running):
            child.terminate()
        for child in tuple(self.running):
            child.wait()

    def _environment(self, gpu: str | None) -> dict[str, str]:
        share = {} if THREADS in os.environ else {THREADS: str(self.threads)}
        return share if gpu is None else {**share, DEVICES: gpu}


def visible_gpus() -> list[str]:
    """The GPUs that a process of ours would see, told without torch; none where there is no driver."""
    named = os.environ.get(DEVICES)
    if named is not None:
        return [word.strip() for word in named.split(",") if word.strip() not in ("", "-1")]
    try:
        asked = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return done.stdout.split()
