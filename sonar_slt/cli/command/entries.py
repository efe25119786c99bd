"""What each job of a sweep says of itself: `jobs/<N>.json` in the sweep's folder, from its beginning to its end.

Nothing else is asked for the end of a sweep: a job may have run in another process, or on another machine.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sonar_slt.cli.command.outcome import DONE, FAILED, WRONG_INPUT, complain
from sonar_slt.files import write_json
from sonar_slt.launcher.job import Place
from sonar_slt.runs.provenance.process import this_process
from sonar_slt.runs.record import ended_by_sigterm, ending
from sonar_slt.runs.registry import Record

JOBS = "jobs"
DONE_WITH = ("finished", "skipped")
"""Jobs whose work is done."""


class Entry:
    """`jobs/<N>.json` of one job, written by the process that runs it."""

    def __init__(self, place: Place, overrides: Sequence[str] = ()) -> None:
        """Nothing is written yet."""
        self.place, self.path = place, place.sweep / JOBS / f"{place.number}.json"
        self.overrides = list(overrides)

    def read(self) -> dict[str, Any]:
        """What it says, nothing if it is not there."""
        try:
            said: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return said

    def write(self, **facts: Any) -> None:
        """Put these in the place of what it says of the same."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_json(self.path, {**self.read(), **facts})

    def begin(self) -> None:
        """The job runs from now on."""
        self.write(
            job=self.place.number, overrides=self.overrides, id=None, run=None, status="running", reason=None,
            value=None, process=this_process(), launcher=self.place.launcher, began=_now(), ended=None, exit=None,
        )  # fmt: skip

    def end(self, status: str, reason: str | None = None, *, code: int = DONE, **facts: Any) -> None:
        """The job is over; `code` is the exit code that it would have alone."""
        self.write(status=status, reason=reason, exit=code, ended=_now(), **facts)

    def skip(self, done: Record) -> float | None:
        """Its work was done by another run, whose value comes back."""
        value = worth(done.metrics)
        print(f"Job {self.place.number}: done before, by run {done.id} ({done.folder.name}).", flush=True)
        self.end("skipped", f"done before by {done.folder.name}", run=done.folder.name, value=value)
        return value

    @contextmanager
    def kept(self) -> Iterator[None]:
        """However the block ends, the entry says so; an error ends the job and no other one."""
        try:
            with ended_by_sigterm():
                self.begin()
                yield
        except Exception as error:
            status, reason = ending(error)
            self.end(status, reason, code=complain(error))
        except BaseException as error:
            self.end("killed", ending(error)[1], code=FAILED)
            raise
        else:
            if self.read().get("status") == "running":
                self.end("finished")


def note_run(facts: Mapping[str, Any], folder: Path) -> None:
    """The run of a swept job has its folder: its entry names it from now on."""
    if facts.get("sweep") is not None:
        Entry(Place(Path(facts["sweep"]), int(facts["job"]), {})).write(run=folder.name)


def worth(metrics: Mapping[str, Any]) -> float | None:
    """What a sweep may be after: the mean BLEU over trained languages, over all that there are without such."""
    means = metrics.get("mean_bleu") or {}
    value = means.get("trained", next(iter(means.values()), None))
    return None if value is None else float(value)


def exit_code(entries: Sequence[Mapping[str, Any]]) -> int:
    """Of a sweep: 0 where all is done, 2 where nothing but wrong input went wrong, else 1."""
    codes = {entry.get("exit") for entry in entries if entry["status"] not in DONE_WITH}
    return DONE if not codes else WRONG_INPUT if codes == {WRONG_INPUT} else FAILED


def close(place: Place, how: str) -> dict[str, Any]:
    """What is written of a job whose process is over; where it could not say so itself, that is added."""
    entry = Entry(place)
    said = entry.read()
    if said.get("status") not in (*DONE_WITH, "failed", "killed"):
        entry.write(**{"job": place.number, "overrides": [], "id": None, "run": None, "value": None, **said})
        entry.end("killed", how or "its process ended without a word, as after kill -9 or out of memory", code=FAILED)
    elif how and said["status"] == "killed":
        entry.write(reason=f"{said['reason']}; {how}")
    return entry.read()


def entries_of(sweep: Path) -> list[dict[str, Any]]:
    """What the jobs of a sweep say of themselves, by number."""
    numbers = sorted(int(path.stem) for path in (sweep / JOBS).glob("*.json") if path.stem.isdecimal())
    return [said for number in numbers if (said := Entry(Place(sweep, number, {})).read())]


def show_jobs(sweep: Path, verb: str) -> None:
    """A line per job, and what can be done next."""
    from rich.console import Console
    from rich.table import Table

    entries = entries_of(sweep)
    shared = set.intersection(*(set(entry["overrides"]) for entry in entries)) if len(entries) > 1 else set()
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("job", "settings", "ended", "run, or reason"):
        table.add_column(name, overflow="fold")
    for entry in entries:
        run = str(entry["run"] or "").rpartition("_")[2]
        said = run if entry["status"] in DONE_WITH else entry["reason"]
        words = " ".join(word for word in entry["overrides"] if word not in shared)
        table.add_row(str(entry["job"]), words, str(entry["status"]), said or "")
    console = Console(highlight=False, markup=False)
    console.print(table)
    if verb in ("train", "evaluate"):
        console.print(f"Its figures: sonar-slt table {sweep.name}", soft_wrap=True)
    failed = [entry for entry in entries if entry["status"] not in DONE_WITH]
    if failed:
        print(f"{len(failed)} of {len(entries)} jobs failed.", file=sys.stderr, flush=True)


def _now() -> str:
    return datetime.now().astimezone().isoformat()
