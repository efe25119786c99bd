"""A command that runs: its one job, or each job of its sweep, here or by a launcher.

Whatever becomes of a job, its entry in the sweep's folder says it, and the others have their turn. The command was
composed once already, to be examined; here Hydra composes it as its app does, with whatever a user set of `hydra.*`.
"""

from __future__ import annotations

import gc
import importlib
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from sonar_slt.cli.command.arguments import Arguments, quoted
from sonar_slt.cli.command.asked import Asked
from sonar_slt.cli.command.entries import DONE_WITH, JOBS, Entry, close, entries_of, exit_code, show_jobs
from sonar_slt.cli.command.hydra_app import SETTINGS, failed, through_hydra
from sonar_slt.cli.command.sweeping import Before, require_one_process
from sonar_slt.config.build import build
from sonar_slt.config.compose import checked_values, floorplan, stem
from sonar_slt.config.permission import permit
from sonar_slt.config.words import allowed
from sonar_slt.errors import UserError
from sonar_slt.launcher.job import Job, Place
from sonar_slt.runs.provenance.process import this_process
from sonar_slt.runs.record import ended_by_sigterm
from sonar_slt.runs.registry import Record

HERE = "sonar_slt.launcher.basic.Basic"


def carry_out(verb: str, arguments: Arguments, words: list[str], config: Mapping[str, Any]) -> int:
    """Run the one job or the sweep that the sorted words ask for; the exit code."""
    call = Call(verb, arguments, tuple(sys.argv), tuple(allowed(words)), Place.taken())
    sweep = _sweep_folder(verb, config)
    own = [*SETTINGS, f"hydra.job.name={verb}", f"hydra.sweep.dir={quoted(str(sweep))}"]
    try:
        through_hydra(verb, [*arguments.options, *own, *words], call.job)
        call.launch()
    except Exception as error:
        call.errors.append(error)
    finally:
        if (sweep / JOBS).is_dir():
            show_jobs(sweep, verb)
    codes = [failed(error) for error in call.errors]
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
        values, problems = checked_values(self.verb, config, floorplan(self.arguments.config_dir))
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
        """Hand the plain config, and what else is known of the job, to the verb."""
        job = HydraConfig.get()
        asked = Asked(
            overrides=_words(job),
            choices={str(room): option for room, option in job.runtime.choices.items()},
            config_dir=self._config_dir(),
            rerun_of=place.rerun_of if place else self.arguments.rerun_of,
            sweep=str(place.sweep) if place else None,
            job=place.number if place else None,
            stopped=stopped,
        )
        gc.enable()
        return importlib.import_module(f"sonar_slt.cli.{stem(self.verb)}").run(values, asked)

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
