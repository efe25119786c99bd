"""The way of the cluster without a cluster: submitit runs the jobs as processes of this machine."""

from __future__ import annotations

from typing import Any

from sonar_slt.errors import UserError
from sonar_slt.launcher.job import Job
from sonar_slt.launcher.submitted import Handles, Submitted


class SlurmLocal(Submitted):
    """`at_once` jobs at a time, each for `time` minutes at most; each sees the first `gpus` GPUs."""

    name = "slurm_local"
    pause = 0.2

    def __init__(self, *, at_once: int = 1, time: int = 1440, gpus: int = 0) -> None:
        """The cluster's own options have no meaning here."""
        if at_once < 1:
            raise UserError(f"launcher.at_once={at_once}: expected a number from 1.")
        self.at_once, self.time, self.gpus = at_once, time, gpus

    def executor(self, submitit: Any, folder: str) -> Any:
        """Processes with a controller each."""
        executor = submitit.AutoExecutor(folder=folder, cluster="local")
        executor.update_parameters(timeout_min=self.time, gpus_per_node=self.gpus)
        return executor

    def submit(self, executor: Any, waiting: list[Job], running: int) -> Handles:
        """As many as there is room for: submitit would begin all of them."""
        free = max(0, self.at_once - running)
        begun, waiting[:] = waiting[:free], waiting[free:]
        return {job: executor.submit(job) for job in begun}

    def over(self, handles: Handles) -> dict[Job, str]:
        """Those whose controller is gone."""
        return {job: "" for job, handle in handles.items() if handle.done()}

    def leave(self, handles: Handles) -> None:
        """The jobs end with us: the controller hands on what it is told, and is waited for."""
        processes = [handle._process for handle in handles.values()]
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
