"""One run and its folder, written from the first second to the last.

    with Run.start(folder, verb="train", name="toy", config=config, overrides=overrides) as run:
        run.log("train", step, {"loss": 1.2})
        run.update(metrics={"retrieval_at_1": 97.4})

The block's end writes the status: finished, failed with the reason, or killed. `run.mirror(…)` shows all of it
elsewhere too, such as in W&B.
"""

from __future__ import annotations

import json
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Literal, NoReturn, Self, TextIO

import yaml

from sonar_slt.errors import UserError
from sonar_slt.files import plain, write_atomically, write_json
from sonar_slt.runs.folder import CONFIG, CURVES, RECORD, SAMPLES, WORDS, checkpoint_of, log_of
from sonar_slt.runs.mirrors.broadcast import Mirrors
from sonar_slt.runs.mirrors.mirror import Mirror
from sonar_slt.runs.provenance import slurm
from sonar_slt.runs.provenance.code import git_state, lock_hash, versions
from sonar_slt.runs.provenance.identity import identity
from sonar_slt.runs.provenance.process import this_process

RESERVE, RESERVED = ".reserve", 1 << 17
"""A file of so many bytes that is removed first when a run ends: so there is room to say that the disk was full."""
FACTS = ("device", "seed", "manifest_hash", "space_fingerprint")
KEPT = frozenset({"id", "verb", "name", "status", "started", "ended", "seconds", "parent", "process", "reason"})
"""Fields that only the run itself writes; `update` refuses them."""

ENDING = (signal.SIGTERM, *slurm.SOON)
"""Signals that ask a run to end."""

Split = Literal["train", "dev"]
Handler = Callable[[int, FrameType | None], Any] | int | None


class Terminated(SystemExit):
    """A signal asked this process to end; raised where the run stands so that files and records are closed."""

    @property
    def heard(self) -> signal.Signals:
        """SIGTERM, or what a batch system sends some time before it ends a job."""
        return signal.Signals(int(self.code or 0) - 128)


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """SIGTERM ends the block by `Terminated`, like Ctrl-C, instead of ending the process on the spot."""
    if threading.current_thread() is not threading.main_thread():  # which alone may say what a signal does
        yield
        return
    former = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


class Run:
    """A run that is under way. Made by `start`; closed by leaving its `with` block, or by `close`."""

    def __init__(self, folder: Path, record: dict[str, Any]) -> None:
        """Take over a folder and its record; use `start` instead."""
        self.folder = folder
        self._record = record
        self._logs: dict[str, TextIO] = {}
        self._clock = time.monotonic() - float(record.get("seconds") or 0.0)
        self._former_handlers: dict[int, Handler] = {}
        self._mirrors = Mirrors(lambda noted: self.update(mirrors=noted))

    @classmethod
    def start(
        cls,
        root: Path,
        *,
        verb: str,
        name: str,
        config: Mapping[str, Any],
        overrides: list[str],
        parent: str | None = None,
        facts: Mapping[str, Any] = {},
    ) -> Self:
        """Make a new folder in `root` and write config, overrides and a record with status running into it.

        `facts` are further fields of the record (device, seed, manifest_hash, space_fingerprint, …).
        """
        key = identity(verb, config)
        folder, started = _new_folder(root, name, key)
        (folder / RESERVE).write_bytes(bytes(RESERVED))
        write_atomically(folder / CONFIG, _as_yaml(config))
        write_atomically(folder / WORDS, _as_yaml(overrides))
        record = {
            "id": key, "verb": verb, "name": name, "status": "running", "reason": None,
            "started": started.isoformat(), "ended": None, "seconds": None, "parent": parent,
            "git": git_state(), "lock_hash": lock_hash(), "versions": versions(),
            **dict.fromkeys(FACTS), "seed": config.get("seed"),
            "argv": list(sys.argv), "process": this_process(), "metrics": {},
        }  # fmt: skip
        run = cls(folder, record)
        run.update(**facts)
        return run

    @property
    def id(self) -> str:
        """Eight hex digits of what this run computes."""
        return str(self._record["id"])

    @property
    def status(self) -> str:
        """`running`, `finished`, `failed` or `killed`."""
        return str(self._record["status"])

    def update(self, **facts: Any) -> None:
        """Add or replace fields of the record at once; `metrics` and other mappings are merged into what is there."""
        if refused := KEPT & facts.keys():
            raise ValueError(f"a run writes {', '.join(sorted(refused))} itself")
        for key, value in facts.items():
            former = self._record.get(key)
            both = isinstance(former, dict) and isinstance(value, Mapping)
            self._record[key] = {**former, **value} if isinstance(former, dict) and both else value
        self._write()

    def mirror(self, mirrors: Mapping[str, Mirror] | None) -> None:
        """From now on hand everything to these too, each under its name; what is noted of them is in the record."""
        self._mirrors.open(mirrors or {}, self.folder, self._record)

    def log(self, split: Split, step: int, values: Mapping[str, float]) -> None:
        """Append one line to `train_log.jsonl` and one row per value to `metrics.csv` (step, split, name, value).

        A line of the dev split stands in `dev_log.jsonl` too. The table is long, not wide, so that a new name never
        changes the rows that are there.
        """
        numbers = {name: value if isinstance(value, int) else float(value) for name, value in values.items()}
        line = {"split": split, "step": step, "seconds": self._seconds(), **plain(numbers)}
        self._line(log_of("train"), line)
        if split == "dev":
            self._line(log_of("dev"), line)
        rows = (f"{step},{split},{_csv_word(name)},{number}\n" for name, number in numbers.items())
        self._append(CURVES, "".join(rows), header="step,split,name,value\n")
        self._mirrors.log(split, step, numbers)

    def note(self, event: str, **facts: Any) -> None:
        """Append something that happened to `train_log.jsonl`, such as clips that were skipped."""
        self._line(log_of("train"), {"event": event, "seconds": self._seconds(), **plain(facts)})

    def show(self, step: int, samples: Iterable[Mapping[str, Any]]) -> None:
        """Append what was said of some clips at a step to `samples.jsonl`, each with its references."""
        shown = [plain(sample) for sample in samples]
        for sample in shown:
            self._line(SAMPLES, {"step": step, **sample})
        self._mirrors.samples(step, shown)

    def close(self, status: Literal["finished", "failed", "killed"], reason: str | None = None) -> None:
        """Write how the run ended, then close its mirrors, which may take a while. It ends only once."""
        if self.status != "running":
            return
        (self.folder / RESERVE).unlink(missing_ok=True)
        for stream in self._logs.values():
            with suppress(OSError):  # of a full disk, whose last line is lost
                stream.close()
        self._logs.clear()
        ended = {"ended": _now().isoformat(), "seconds": self._seconds()}
        self._record |= {"status": status, "reason": reason, **ended}
        try:
            self._write()
        finally:
            self._mirrors.finish(status, self.folder, self._record["metrics"])

    def __enter__(self) -> Self:
        """From here on these signals end the block by an exception instead of ending the process on the spot."""
        if threading.current_thread() is threading.main_thread():
            self._former_handlers = {number: signal.signal(number, _terminate) for number in ENDING}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the status that the exception, or its absence, tells."""
        ending = isinstance(error, Terminated)
        if ending:  # SLURM says it twice, and what is left to do is the record
            for number in self._former_handlers:
                signal.signal(number, signal.SIG_IGN)
        try:
            self._end(error)
        finally:
            if not (ending and slurm.job()):
                for number, handler in self._former_handlers.items():
                    signal.signal(number, handler)

    def _end(self, error: BaseException | None) -> None:
        if error is None:
            self.close("finished")
            return
        try:
            self.close(*ending(error))
        except OSError as full:  # a full disk is often the error itself: it must not hide behind this one
            error.add_note(f"The record in {self.folder} could not be closed: {full}")
        if isinstance(error, Terminated):
            self._start_again(error.heard)

    def _start_again(self, heard: signal.Signals) -> None:
        """Under SLURM, have the job started again; a run that left nothing to go on with asks for no new start."""
        if heard in slurm.SOON and not checkpoint_of(self.folder).is_file():
            return
        if heard in slurm.SOON and callable(former := self._former_handlers.get(heard)):
            former(heard, None)  # submitit, which puts its own jobs back into the queue so many times
        elif became := slurm.start_again(heard):
            self._record["reason"] = f"preempted ({heard.name}); {became}"
            self._write()

    def _line(self, name: str, line: Mapping[str, Any]) -> None:
        self._append(name, json.dumps(line, ensure_ascii=False) + "\n")

    def _append(self, name: str, text: str, header: str = "") -> None:
        if name not in self._logs:
            stream = self._logs[name] = (self.folder / name).open("a", encoding="utf-8")
            text = (header if stream.tell() == 0 else "") + text
        self._logs[name].write(text)
        self._logs[name].flush()

    def _seconds(self) -> float:
        return round(time.monotonic() - self._clock, 3)

    def _write(self) -> None:
        if self.status == "running":
            self._record["seconds"] = self._seconds()
        write_json(self.folder / RECORD, self._record)


def _new_folder(root: Path, name: str, key: str) -> tuple[Path, datetime]:
    root.mkdir(parents=True, exist_ok=True)
    word = re.sub(r"[^\w.-]+", "-", name, flags=re.ASCII).strip("-.")[:60] or "run"
    while True:
        started = _now()
        folder = root / f"{started:%Y-%m-%d_%H-%M-%S-%f}_{word}_{key}"
        try:
            folder.mkdir()
        except FileExistsError:  # another run began in this very microsecond: take the next one
            continue
        return folder, started


def ending(error: BaseException) -> tuple[Literal["failed", "killed"], str]:
    """Status and one-line reason. A trainer may turn Ctrl-C into an exit of its own, so its cause is looked for."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, KeyboardInterrupt):
            return "killed", "interrupted (Ctrl-C)"
        if isinstance(cause, Terminated):
            word = "terminated" if cause.heard == signal.SIGTERM else "preempted"
            return "killed", f"{word} ({cause.heard.name})"
        if type(cause).__name__ == "SIGTERMException":
            return "killed", "terminated (SIGTERM)"
        # An ordinary error that was raised while another one was handled is a failure of its own.
        cause = cause.__cause__ or cause.__context__ if isinstance(cause, SystemExit) else None
    text = " ".join(str(error).split())
    line = text if isinstance(error, UserError) else f"{type(error).__name__}: {text}".rstrip(": ")
    return "failed", line if len(line) <= 300 else line[:299] + "…"


def _terminate(signum: int, frame: FrameType | None) -> NoReturn:
    raise Terminated(128 + signum)


def _as_yaml(value: Any) -> str:
    text: str = yaml.safe_dump(plain(value), sort_keys=False, allow_unicode=True, width=120)
    return text


def _csv_word(word: str) -> str:
    return '"' + word.replace('"', '""') + '"' if set(word) & set(',"\n\r') else word


def _now() -> datetime:
    return datetime.now().astimezone()
