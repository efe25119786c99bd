"""The process of a run: what tells it from every other one, and whether it is still there."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sonar_slt.runs.provenance import slurm


def this_process() -> dict[str, Any]:
    """What tells this process from every other one, also after its number was given to another."""
    pid = os.getpid()
    known = {"pid": pid, "host": socket.gethostname(), "boot": _boot(), "born": _born(pid)}
    return {**known, "slurm": slurm.job(), "restarts": slurm.restarts()} if slurm.job() else known


def is_alive(process: Mapping[str, Any]) -> bool | None:
    """Whether a recorded process still runs; None when it cannot be known from this machine."""
    if why_gone(process) is not None:
        return False
    return True if is_local(process) else None


def is_local(process: Mapping[str, Any]) -> bool:
    """Whether a recorded process began on this machine, so that it can be looked for here."""
    pid = process.get("pid")
    return isinstance(pid, int) and pid > 0 and process.get("host") == socket.gethostname()


def why_gone(process: Mapping[str, Any]) -> str | None:
    """Why a recorded process of this machine cannot be running any more; None where it is, or where nothing is known.

    A machine that crashed has another boot id since; the number of a process that ended may be another one's by now.
    """
    if over := slurm.why_over(process):
        return over
    if not is_local(process):
        return None
    pid, boot, born = process["pid"], process.get("boot"), process.get("born")
    if boot and (now := _boot()) and boot != now:
        return f"the machine was started anew since, with process {pid} on it"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return f"process {pid} is gone"
    except PermissionError:  # it exists and is another user's, whose /proc may be hidden
        other = _born(pid)
        return None if other in (None, born) else f"process {pid} is gone, its number is another one's now"
    if born is None:  # not Linux
        return None
    if (other := _born(pid)) is None:
        return f"process {pid} is gone"
    return None if other == born else f"process {pid} is gone, its number is another one's now"


def _boot() -> str | None:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:  # not Linux
        return None


def _born(pid: int) -> int | None:
    """When the process began, in clock ticks since the machine started."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, *fields = stat.rpartition(")")[2].split()  # the command's name may hold spaces and brackets
    return None if state in "ZX" else int(fields[18])
