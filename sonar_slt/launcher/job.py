"""One job of a sweep, to be run in a process of its own: a plain command, and in its environment where it belongs.

Nothing is pickled but these words, so that a job is what anyone could type again.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

VARIABLE = "SONAR_SLT_JOB"
"""Tells a command which job of which sweep it is."""


@dataclass(frozen=True)
class Place:
    """Where a job belongs: the sweep's folder, its number there, and the process that waits for the sweep."""

    sweep: Path
    number: int
    launcher: Mapping[str, Any] = field(hash=False)
    rerun_of: str | None = None

    def written(self) -> str:
        """As the environment of the job says it."""
        return json.dumps({**vars(self), "sweep": str(self.sweep)})

    @classmethod
    def taken(cls) -> Place | None:
        """What the environment says, None for a command of its own; what this process starts will not inherit it."""
        text = os.environ.pop(VARIABLE, None)
        if text is None:
            return None
        said = json.loads(text)
        return cls(**{**said, "sweep": Path(said["sweep"])})


@dataclass(frozen=True)
class Job:
    """One job: its place and the words of its command, verb first."""

    place: Place
    words: tuple[str, ...]
    home: str = field(default_factory=os.getcwd)

    @property
    def log(self) -> Path:
        """Where what it prints goes, unless a cluster has files of its own."""
        return self.place.sweep / "logs" / f"{self.place.number}.log"

    def command(self) -> list[str]:
        """What runs it, as a program and its arguments."""
        return [sys.executable, "-m", "sonar_slt", *self.words]

    def environment(self) -> dict[str, str]:
        """What its process finds in its environment beside what is in ours."""
        return {VARIABLE: self.place.written()}

    def __call__(self) -> int:
        """Run it in this process, which a cluster started; the exit code."""
        os.chdir(self.home)
        os.environ.update(self.environment())
        sys.argv = ["sonar-slt", *self.words]
        try:
            runpy.run_module("sonar_slt", run_name="__main__")
        except SystemExit as ended:
            return ended.code if isinstance(ended.code, int) else 1
        return 0

    def checkpoint(self) -> Any:
        """What submitit shall run when the job was put back into the queue: the same, which goes on where it was."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


Ended = tuple[Job, str]
"""A job whose process is over, and what is known of its end from outside ("" if that is not remarkable)."""


class Launcher(Protocol):
    """What an option of `conf/launcher` builds."""

    def launch(self, jobs: Sequence[Job]) -> Iterator[Ended]:
        """Run all of them, each as it can; each comes back when it is over, however it ended."""
