"""What the jobs of a sweep say of themselves: `jobs/<N>.json` in its folder, written as each begins and ends.

A job that was skipped names the run that had done its work; one that failed before its run began says why here alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sonar_slt.runs.provenance.process import is_alive
from sonar_slt.runs.registry import Record, Status

JOBS = "jobs"
UNBORN: dict[str, Status] = {"running": "running", "failed": "failed", "killed": "killed"}
"""What a job without a run is listed as; any other word about one is not to be believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job: the words of its command, and the name of the run that did its work, if any did."""

    sweep: Path
    number: int
    words: tuple[str, ...] = ()
    id: str = ""
    run: str | None = None
    status: str = "unreadable"
    reason: str | None = None
    began: datetime | None = None
    ended: datetime | None = None
    process: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What it is called where it has no run."""
        return f"job {self.number} of {self.sweep.name}"

    @property
    def skipped(self) -> bool:
        """Whether its work had been done before."""
        return self.status == "skipped"

    def record(self) -> Record:
        """It as a run without a folder, for a job whose own run is not there."""
        status, reason = UNBORN.get(self.status, "unreadable"), self.reason
        if status == "running" and is_alive(self.process) is False:
            status, reason = "killed", f"process {self.process.get('pid')} is gone"
        if self.run is not None:
            status, reason = "unreadable", f"its run {self.run} is not there any more"
        elif status == "unreadable":
            reason = reason or f"{self.status} without a run"
        else:
            reason = f"before its run began: {reason}" if reason else "before its run began"
        seed = next((word[5:] for word in self.words if re.fullmatch(r"seed=-?\d+", word)), None)
        return Record(
            folder=self.sweep / JOBS / f"{self.number}.json",
            id=self.id or f"job{self.number}",
            verb="train",
            name=self.name,
            status=status,
            reason=reason,
            started=self.began,
            ended=self.ended,
            seed=int(seed) if seed is not None else None,
            process=self.process,
            facts={"sweep": str(self.sweep), "job": self.number},
        )


def jobs_of(sweep: Path) -> list[Job]:
    """The jobs of a sweep that began, by number; a damaged file is one that says so. Older sweeps have none."""
    paths = [path for path in (sweep / JOBS).glob("*.json") if path.stem.isdecimal()]
    return [_read(sweep, path) for path in sorted(paths, key=lambda path: int(path.stem))]


def _read(sweep: Path, path: Path) -> Job:
    try:
        return _parse(sweep, int(path.stem), json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        return Job(sweep=sweep, number=int(path.stem), reason=f"{path.name} cannot be read: {error}")


def _parse(sweep: Path, number: int, raw: Any) -> Job:
    words = raw.get("overrides") or ()
    return Job(
        sweep=sweep,
        number=number,
        words=tuple(map(str, words if isinstance(words, Sequence) and not isinstance(words, str) else ())),
        id=str(raw.get("id") or ""),
        run=Path(raw["run"]).name if raw.get("run") else None,
        status=str(raw["status"]),
        reason=" ".join(str(raw["reason"]).split()) if raw.get("reason") else None,
        began=datetime.fromisoformat(raw["began"]) if raw.get("began") else None,
        ended=datetime.fromisoformat(raw["ended"]) if raw.get("ended") else None,
        process=dict(raw.get("process") or {}),
    )
