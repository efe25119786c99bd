"""The one Hydra app: every verb runs through here, alone or as the jobs of a sweep.

A command is examined first; a run's folder is made by the run itself, so Hydra writes none.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from sonar_slt.cli.arguments import Arguments, overrides
from sonar_slt.cli.outcome import DONE, FAILED, WRONG_INPUT, complain
from sonar_slt.config.automatic import settled
from sonar_slt.config.compose import examine, floorplan, settle, stem
from sonar_slt.config.location import conf_folder
from sonar_slt.config.permission import permit
from sonar_slt.config.words import allowed
from sonar_slt.errors import UserError

# Hydra's own folders and log files are off; a sweep has a folder for its plan, named to the microsecond.
SWEEP = "${oc.select:paths.outputs,outputs}/sweeps/${now:%Y-%m-%d_%H-%M-%S-%f}_${oc.select:name,${hydra.job.name}}"
SETTINGS = [
    "hydra/job_logging=none",
    "hydra/hydra_logging=none",
    "hydra.run.dir=.",
    "hydra.output_subdir=null",
    f"hydra.sweep.dir='{SWEEP}'",
    "hydra.sweep.subdir=.",
]

Verb = Callable[[dict[str, Any]], float | None]


def launch(verb: str, arguments: Arguments) -> int:
    """Examine the command, then run it; the exit code of ``sonar-slt``."""
    plan = floorplan(arguments.config_dir)
    words = overrides(verb, arguments, plan)
    permit(allowed(words))
    if not {"--info", "--hydra-help", "--shell-completion"} & set(arguments.options):
        if arguments.only_shown:
            found = examine(verb, words, arguments.config_dir, multirun=arguments.multirun, complete=False)
        else:
            words, found = settled(verb, words, arguments.config_dir, multirun=arguments.multirun)
        if found.problems:
            print(*found.problems, sep="\n", file=sys.stderr)
            return WRONG_INPUT
    return show(verb, arguments, words)


def show(verb: str, arguments: Arguments, words: list[str]) -> int:
    """Hand the sorted words to Hydra, which prints what an option asks for or runs the jobs."""
    ends: list[BaseException | None] = []
    argv, completing = list(sys.argv), "--shell-completion" in arguments.options
    named = [] if completing else allowed(words)

    def task(config: DictConfig) -> float | None:
        sys.argv = argv  # as the user gave it, for what is started by repeating it
        swept = HydraConfig.get().mode == RunMode.MULTIRUN
        try:
            permit(named)
            value = _job(verb, config, arguments)
        except Exception as error:
            ends.append(error)
            if not swept:
                return None
            complain(error)
            raise
        ends.append(None)
        return value

    app = hydra.main(config_path=str(conf_folder()), config_name=stem(verb), version_base="1.3")(task)
    own = [] if completing else [*SETTINGS, f"hydra.job.name={verb}"]
    with _argv([argv[0], *arguments.options, *own, *words]):
        try:
            app()
        except Exception as error:
            if not any(ends):
                return _hydra_failed(error)
    return _code(ends)


def _job(verb: str, config: DictConfig, arguments: Arguments) -> float | None:
    """One job: the plain config with what is known about the call, handed to the verb."""
    values, problems = settle(verb, config, floorplan(arguments.config_dir))
    if problems:
        raise UserError(" ".join(problem.text for problem in problems))
    job = HydraConfig.get()
    swept = job.mode == RunMode.MULTIRUN
    if swept:
        print(f"Job {job.job.num}: {' '.join(job.overrides.task)}", flush=True)
    values["call"] = {
        "config_dir": arguments.config_dir,
        "overrides": [str(word) for word in job.overrides.task],
        "choices": OmegaConf.to_container(job.runtime.choices),
        "sweep": str(job.sweep.dir) if swept else None,
        "job": int(job.job.num) if swept else None,
    }
    run: Verb = importlib.import_module(f"sonar_slt.cli.{stem(verb)}").run
    return run(values)


def _code(ends: Sequence[BaseException | None]) -> int:
    errors = [end for end in ends if end is not None]
    if not errors:
        return DONE
    if len(ends) == 1:
        return complain(errors[0])
    print(f"{len(errors)} of {len(ends)} jobs failed.", file=sys.stderr)
    return WRONG_INPUT if all(isinstance(error, UserError) for error in errors) else FAILED


def _hydra_failed(error: Exception) -> int:
    """An error outside of our own jobs: Hydra's about the command, or a job's in another process."""
    if isinstance(error, HydraException | UserError):
        return complain(UserError(str(error)))
    return complain(error)


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
