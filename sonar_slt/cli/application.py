"""The one Hydra app: every verb runs through here, alone or as the jobs of a sweep.

A command is examined first; a run's folder is made by the run itself, so Hydra writes none.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from sonar_slt.cli.arguments import Arguments, overrides, quoted
from sonar_slt.cli.entries import DONE_WITH, JOBS, Entry, close, entries_of, exit_code, show_jobs
from sonar_slt.cli.outcome import WRONG_INPUT, complain
from sonar_slt.cli.sweeping import Before, require_one_process
from sonar_slt.config.automatic import settled
from sonar_slt.config.build import build
from sonar_slt.config.compose import examine, floorplan, settle, stem
from sonar_slt.config.location import conf_folder
from sonar_slt.config.permission import permit
from sonar_slt.config.words import allowed
from sonar_slt.errors import UserError
from sonar_slt.launcher.job import Job, Place
from sonar_slt.runs.provenance import this_process
from sonar_slt.runs.record import ended_by_sigterm
from sonar_slt.runs.registry import Record

# Hydra's own folders and log files are off; a sweep has a folder, which is named by `_sweep_folder`.
SETTINGS = [
    "hydra/job_logging=none",
    "hydra/hydra_logging=none",
    "hydra.run.dir=.",
    "hydra.output_subdir=null",
    "hydra.sweep.subdir=.",
]
HERE = "sonar_slt.launcher.basic.Basic"


def launch(verb: str, arguments: Arguments) -> int:
    """Examine the command, then run it; the exit code of ``sonar-slt``."""
    plan = floorplan(arguments.config_dir)
    words = overrides(verb, arguments, plan)
    permit(allowed(words))
    config: Mapping[str, Any] = {}
    if not {"--info", "--hydra-help", "--shell-completion"} & set(arguments.options):
        if arguments.only_shown:
            found = examine(verb, words, arguments.config_dir, multirun=arguments.multirun, complete=False)
        else:
            words, found = settled(verb, words, arguments.config_dir, multirun=arguments.multirun)
        config = found.config
        if found.problems:
            print(*found.problems, sep="\n", file=sys.stderr)
            return WRONG_INPUT
        if arguments.multirun and not arguments.only_shown:
            require_one_process(config)
        if config.get("sweeper") and not arguments.only_shown:
            from sonar_slt.cli.searching import is_search, search

            if is_search(words):
                return search(verb, arguments, words, found)
    return show(verb, arguments, words, config)


def show(verb: str, arguments: Arguments, words: list[str], config: Mapping[str, Any] = {}) -> int:
    """Hand the sorted words to Hydra, which prints what an option asks for or runs the jobs."""
    completing = "--shell-completion" in arguments.options
    named = () if completing else tuple(allowed(words))
    call = Call(verb, arguments, tuple(sys.argv), named, Place.taken())

    def task(config: DictConfig) -> Any:
        return call.job(config)

    app = hydra.main(config_path=str(conf_folder()), config_name=stem(verb), version_base="1.3")(task)
    sweep = _sweep_folder(verb, config)
    own = [*SETTINGS, f"hydra.job.name={verb}", f"hydra.sweep.dir={quoted(str(sweep))}"]
    with _argv([call.argv[0], *arguments.options, *([] if completing else own), *words]):
        try:
            app()
            call.launch()
        except Exception as error:
            call.errors.append(error)
        finally:
            if (sweep / JOBS).is_dir():
                show_jobs(sweep, verb)
    codes = [_failed(error) for error in call.errors]
    jobs = [Entry(call.place).read()] if call.place else entries_of(sweep)
    return max(codes) if codes else exit_code(jobs)


@dataclass
class Call:
    """A command on its way: it runs its one job, or each of its sweep here, or keeps them for a launcher."""

    verb: str
    arguments: Arguments
    argv: tuple[str, ...]
    named: tuple[str, ...]  # packages that may be built from
    place: Place | None  # in the sweep of another process
    errors: list[Exception] = field(default_factory=list)
    waiting: list[Job] = field(default_factory=list)
    launcher: tuple[str, Any] = ("", None)  # its name and its config

    def job(self, config: DictConfig) -> Any:
        """What Hydra calls for each job; an error is kept, so that the next one has its turn."""
        sys.argv = list(self.argv)  # as the user gave it, for what is started by repeating it
        permit(self.named)
        hydra_job = HydraConfig.get()
        if self.place is None and hydra_job.mode != RunMode.MULTIRUN:
            try:
                return self._run(self._values(config))
            except Exception as error:
                self.errors.append(error)
                return None
        entry = Entry(self.place or self._place(hydra_job), _words(hydra_job))
        if self.place is None and OmegaConf.select(config, "launcher._target_") not in (None, HERE):
            return self._kept_for_later(config, entry)
        if (said := entry.read()).get("status") in DONE_WITH:  # a cluster started it again though it was done
            return said["value"]
        with entry.kept():
            print(f"Job {entry.place.number}: {' '.join(entry.overrides)}", flush=True)
            return self._done(config, entry)
        return None

    def launch(self) -> None:
        """Run elsewhere what was kept for that, and tell of each job when it is over."""
        if not self.waiting:
            return
        (name, config), left = self.launcher, len(self.waiting)
        launcher = build(config)
        print(f"{left} jobs through {name} in {self.waiting[0].place.sweep}", file=sys.stderr, flush=True)
        with ended_by_sigterm():
            for job, how in launcher.launch(self.waiting):
                said, left = close(job.place, how), left - 1
                why = f": {said['reason']}" if said["status"] not in DONE_WITH else ""
                print(f"Job {said['job']} {said['status']}{why}. {left} to go.", file=sys.stderr, flush=True)

    def _values(self, config: DictConfig) -> dict[str, Any]:
        values, problems = settle(self.verb, config, floorplan(self.arguments.config_dir))
        if problems:
            raise UserError(" ".join(problem.text for problem in problems))
        return values

    def _done(self, config: DictConfig, entry: Entry) -> Any:
        """One job of a sweep, unless it was done before; a training that was stopped is gone on with."""
        values = self._values(config)
        require_one_process(values)
        before = Before.of(self.verb, values, entry)
        if before.finished:
            return entry.skip(before.finished)
        if before.stopped:
            print(f"Going on with run {before.stopped.folder.name}, which was stopped.", flush=True)
        value = self._run(values, entry.place, before.stopped)
        entry.write(value=value)
        return value

    def _kept_for_later(self, config: DictConfig, entry: Entry) -> Any:
        """A job that another process will run, unless it is wrong or was done before."""
        before, values = Before(), dict[str, Any]()
        try:
            values = self._values(config)
            require_one_process(values)
            before = Before.of(self.verb, values, entry, patient=False)
        except Exception as error:
            with entry.kept():
                raise error
            return None
        if before.finished:
            entry.begin()
            return entry.skip(before.finished)
        self.launcher = str(HydraConfig.get().runtime.choices["launcher"]), values["launcher"]
        own = ("--config-dir", self._config_dir()) if self.arguments.config_dir else ()
        self.waiting.append(Job(entry.place, (self.verb, *own, *entry.overrides, "hydra.mode=RUN")))
        return None

    def _run(self, values: dict[str, Any], place: Place | None = None, stopped: Record | None = None) -> Any:
        """Hand the plain config, with what is known about the call, to the verb."""
        job = HydraConfig.get()
        values["call"] = {
            "config_dir": self._config_dir(),
            "overrides": _words(job),
            "choices": OmegaConf.to_container(job.runtime.choices),
            "rerun_of": place.rerun_of if place else self.arguments.rerun_of,
            "sweep": str(place.sweep) if place else None,
            "job": place.number if place else None,
            "stopped": stopped,
        }
        return importlib.import_module(f"sonar_slt.cli.{stem(self.verb)}").run(values)

    def _place(self, job: Any) -> Place:
        return Place(Path(str(job.sweep.dir)), int(job.job.num), this_process(), self.arguments.rerun_of)

    def _config_dir(self) -> str | None:
        named = self.arguments.config_dir
        return os.path.abspath(os.path.expanduser(named)) if named else None


def _words(job: Any) -> list[str]:
    return [str(word) for word in job.overrides.task]


def _sweep_folder(verb: str, config: Mapping[str, Any]) -> Path:
    """Where the jobs of a sweep leave word, named to the microsecond."""
    outputs = (config.get("paths") or {}).get("outputs", "outputs")
    name = re.sub(r"[^\w.-]+", "-", str(config.get("name") or verb), flags=re.ASCII).strip("-.")[:60] or verb
    return Path(outputs) / "sweeps" / f"{datetime.now():%Y-%m-%d_%H-%M-%S-%f}_{name}"


def _failed(error: Exception) -> int:
    """An error of a command that is no sweep, or one outside of its jobs: Hydra's about the command."""
    return complain(UserError(str(error)) if isinstance(error, HydraException) else error)


@contextmanager
def _argv(words: list[str]) -> Iterator[None]:
    """Hydra reads ``sys.argv``, and raises what a job raised only where this variable asks for it."""
    before, full = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv = words
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        sys.argv = before
        if full is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = full
