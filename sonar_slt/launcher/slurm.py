"""The jobs of a sweep as one array of a SLURM cluster, through submitit; this process waits for them.

`squeue` alone is asked what became of them: not every cluster keeps accounts that `sacct` could read.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from sonar_slt.errors import UserError
from sonar_slt.launcher.job import Job
from sonar_slt.launcher.submitted import Handles, Submitted

OVER = frozenset({"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE"})
"""States after which a job does nothing more; one that was preempted comes back."""


class Slurm(Submitted):
    """An array of jobs, each with what is asked for here; `extra` are further options of sbatch by their names."""

    name = "slurm"
    pause = 3.0

    def __init__(
        self,
        *,
        partition: str | None = None,
        account: str | None = None,
        qos: str | None = None,
        gpus: int = 1,
        cpus: int = 4,
        mem: str | None = "32G",
        time: int = 1440,
        at_once: int = 32,
        requeues: int = 3,
        warning: int = 120,
        setup: list[str] | None = None,
        srun: bool = True,
        extra: dict[str, Any] | None = None,
    ) -> None:
        """Time in minutes, warning in seconds; None asks for nothing, so that the cluster decides."""
        for key, value, least in (("cpus", cpus, 1), ("time", time, 1), ("at_once", at_once, 1), ("gpus", gpus, 0)):
            if value < least:
                raise UserError(f"launcher.{key}={value}: expected a number from {least}.")
        named = {"slurm_partition": partition, "slurm_account": account, "slurm_qos": qos, "slurm_mem": mem}
        self.asked: dict[str, Any] = {
            "name": "sonar-slt",
            "timeout_min": time,
            "cpus_per_task": cpus,
            "slurm_array_parallelism": at_once,
            "slurm_signal_delay_s": warning,
            "slurm_use_srun": srun,
            **{key: value for key, value in named.items() if value is not None},
            **({"gpus_per_node": gpus} if gpus else {}),
            **({"slurm_setup": setup} if setup else {}),
            **({"slurm_additional_parameters": extra} if extra else {}),
        }
        self.requeues = requeues

    def executor(self, submitit: Any, folder: str) -> Any:
        """One that calls sbatch."""
        try:
            executor = submitit.AutoExecutor(folder=folder, cluster="slurm", slurm_max_num_timeout=self.requeues)
        except RuntimeError as error:
            raise UserError(
                f"launcher=slurm: {str(error).splitlines()[0]} Give the command where sbatch and srun are, or try "
                "launcher=slurm_local."
            ) from None
        executor.update_parameters(**self.asked)
        return executor

    def submit(self, executor: Any, waiting: list[Job], running: int) -> Handles:
        """All of them at once, as one array: the cluster knows how many may run."""
        if not waiting:
            return {}
        jobs, waiting[:] = list(waiting), []
        with executor.batch():
            handles = [executor.submit(job) for job in jobs]
        print(f"SLURM has them: {', '.join(handle.job_id for handle in handles)}.", file=sys.stderr, flush=True)
        return dict(zip(jobs, handles, strict=True))

    def over(self, handles: Handles) -> dict[Job, str]:
        """Those that `squeue` no longer lists, or lists with a last state; none where it does not answer."""
        states = _states({handle.job_id for handle in handles.values()})
        if states is None:
            return {}
        found = {job: states.get(handle.job_id, "COMPLETED") for job, handle in handles.items()}
        return {
            job: "" if state == "COMPLETED" else f"SLURM says {state}" for job, state in found.items() if state in OVER
        }

    def leave(self, handles: Handles) -> None:
        """The cluster keeps them, and they go on: how to end them is said."""
        if arrays := sorted({handle.job_id.partition("_")[0] for handle in handles.values()}):
            print(f"The jobs stay with SLURM: scancel {' '.join(arrays)} ends them.", file=sys.stderr, flush=True)


def _states(ids: set[str]) -> dict[str, str] | None:
    """The state of each job that `squeue` still knows; None where it cannot be asked just now."""
    arrays = ",".join(sorted({name.partition("_")[0] for name in ids}))
    asked = ["squeue", "--noheader", "--array", "--states=all", f"--jobs={arrays}", "--format=%i %T"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode and "Invalid job id" not in done.stderr:
        return None
    return dict(line.split(maxsplit=1) for line in done.stdout.splitlines() if line.strip())
