"""The SLURM job that this process runs in, if it does: which start of it this is, and having it started once more.

SLURM itself starts a job again that it preempts. A job that nears its time limit is started again if it asks for it.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from typing import Any

SOON = (signal.SIGUSR1, signal.SIGUSR2)
"""What a job is sent some time before its limit, as its script or its launcher asked: `--signal=USR1@120`."""


def job() -> str | None:
    """The job as `scontrol` calls it, None outside of SLURM. A task of an array has its number there, for all of it."""
    array, task = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    return f"{array}_{task}" if array and task else os.environ.get("SLURM_JOB_ID")


def restarts() -> int:
    """How often SLURM started this job before."""
    count = os.environ.get("SLURM_RESTART_COUNT", "")
    return int(count) if job() and count.isdecimal() else 0


def why_over(process: Mapping[str, Any]) -> str | None:
    """Why a recorded process cannot be running any more, wherever it was: it belongs to a former start of this job."""
    number, former = process.get("slurm"), process.get("restarts")
    if number is None or number != job() or not isinstance(former, int) or former >= restarts():
        return None
    return f"SLURM has started its job {number} again since"


def start_again(heard: int) -> str | None:
    """After this signal, see to it that SLURM starts the job again if it is to be; what became of that, in a clause.

    SIGTERM alone may mean that the job is cancelled. Then nothing is done and None comes back.
    """
    number = job()
    if number is None:
        return None
    if heard not in SOON:
        known = _shown(number)
        if int(known.get("Restarts", 0)) > restarts():
            return "SLURM starts it again"
        in_grace = known.get("JobState") == "RUNNING" and known.get("PreemptTime", "None") != "None"
        if not in_grace:
            return None
    refused = _scontrol("requeue", number)[1]
    return f"SLURM does not start it again: {refused}" if refused else "SLURM starts it again"


def _shown(number: str) -> dict[str, str]:
    """What SLURM says of a job, whose values may hold blanks that do not matter here."""
    said, _ = _scontrol("show", "job", "--oneliner", number)
    return dict(re.findall(r"(\w+)=(\S*)", said))


def _scontrol(*words: str) -> tuple[str, str]:
    """What it says, and why it refuses, of which one is empty."""
    try:
        done = subprocess.run(["scontrol", *words], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError) as error:
        return "", str(error)
    if done.returncode == 0:
        return done.stdout, ""
    return "", " ".join(done.stderr.split()) or f"scontrol ended with {done.returncode}"
