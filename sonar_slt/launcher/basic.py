"""One job after the other in the process that was given the command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sonar_slt.launcher.job import Ended, Job


class Basic:
    """Runs each job at once, where it stands; torch is loaded for the first and stays."""

    def launch(self, jobs: Sequence[Job]) -> Iterator[Ended]:
        """Each in turn, for jobs that are given as commands."""
        for job in jobs:
            job()
            yield job, ""
