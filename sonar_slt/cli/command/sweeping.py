"""What of a sweep is left to do: a job is known by what it computes, and is done once.

A sweep that is started again skips what any run has finished, and goes on with trainings that were stopped.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sonar_slt.cli.command.entries import Entry
from sonar_slt.errors import UserError
from sonar_slt.launcher.job import Place
from sonar_slt.runs.folder import checkpoint_of
from sonar_slt.runs.pinned import pinned
from sonar_slt.runs.provenance.identity import identity
from sonar_slt.runs.provenance.process import is_alive
from sonar_slt.runs.registry import Record, all_runs
from sonar_slt.source_hash import code_hash


@dataclass(frozen=True)
class Before:
    """What was done of a job before: a run that finished it, or one that was stopped and can be gone on with."""

    finished: Record | None = None
    stopped: Record | None = None

    @classmethod
    def of(cls, verb: str, config: Mapping[str, Any], entry: Entry, *, patient: bool = True) -> Before:
        """Look among the runs; `patient` waits for one that a sweep left behind which nobody waits for any more."""
        key = computed_by(verb, config)
        if entry.path.is_file():
            entry.write(id=key)
        if "again" not in config:
            return cls()
        told = False
        while True:
            runs = same_job(verb, key, Path(config["paths"]["runs"]), entry.place if config["again"] else None)
            finished = next((run for run in runs if run.status == "finished"), None)
            orphan = next((run for run in runs if _is_orphan(run)), None)
            if finished or not (patient and orphan):
                return cls(finished, _stopped(runs) if verb == "train" else None)
            if not told:
                print(f"Waiting for run {orphan.folder.name}, which a former sweep left at this very work.", flush=True)
            told = True
            time.sleep(1.0)


def computed_by(verb: str, config: Mapping[str, Any]) -> str:
    """The id of what a job computes. A run that it names wrongly is left to the verb, which will say so."""
    asked = {**config, "resume": None} if config.get("resume") == "auto" else config
    try:
        return identity(verb, pinned(verb, asked))
    except UserError:
        return identity(verb, asked)


def same_job(verb: str, key: str, root: Path, place: Place | None) -> list[Record]:
    """The runs that did, or do, this work, the newest first; with a place only those of this very job."""
    runs = (run for run in all_runs(root) if run.verb == verb and key in (run.id, run.facts.get("asked")))
    return [run for run in runs if place is None or _place(run) == (place.sweep.name, place.number)]


def _place(run: Record) -> tuple[str, Any]:
    return Path(str(run.facts.get("sweep"))).name, run.facts.get("job")


def _is_orphan(run: Record) -> bool:
    """Whether a run lives on though the command that started its sweep is gone."""
    if run.status != "running" or run.facts.get("sweep") is None or not is_alive(run.process):
        return False
    launcher = Entry(Place(Path(run.facts["sweep"]), int(run.facts["job"]), {})).read().get("launcher")
    return launcher is not None and is_alive(launcher) is False


def _stopped(runs: Sequence[Record]) -> Record | None:
    """The newest run that was killed and left a checkpoint of today's code; none where a newer one failed."""
    for run in runs:
        if run.status == "failed":
            return None
        if run.status == "killed" and checkpoint_of(run.folder).is_file():
            return run if run.facts.get("code") == code_hash() else None
    return None


def require_one_process(config: Mapping[str, Any]) -> None:
    """Refuse a job that would be several processes: each would run the sweep once more."""
    trainer = config.get("trainer") or {}
    for key in ("devices", "num_nodes"):
        asked = trainer.get(key, 1)
        if str(len(asked) if isinstance(asked, list) else asked) != "1":
            raise UserError(
                f"trainer.{key}={asked} in a sweep: each of its jobs is one process on one device. Leave out -m and "
                f"give one value for each key, or write trainer.{key}=1 (launcher=joblib runs one job per GPU)."
            )
