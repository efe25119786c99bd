"""The one Hydra app: every verb runs through here, alone or as the jobs of a sweep.

A command is examined first; what it takes to run one is loaded only then.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig

from sonar_slt.cli.arguments import Arguments, overrides
from sonar_slt.cli.outcome import DONE, WRONG_INPUT, complain
from sonar_slt.config.automatic import settled
from sonar_slt.config.compose import examine, floorplan, stem
from sonar_slt.config.location import conf_folder
from sonar_slt.config.permission import permit
from sonar_slt.config.words import allowed
from sonar_slt.errors import UserError

# Hydra's own folders and log files are off; a run's folder is made by the run itself, and a sweep's is named by us.
SETTINGS = [
    "hydra/job_logging=none",
    "hydra/hydra_logging=none",
    "hydra.run.dir=.",
    "hydra.output_subdir=null",
    "hydra.sweep.subdir=.",
]


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
            from sonar_slt.cli.sweeping import require_one_process

            require_one_process(config)
        if config.get("sweeper") and not arguments.only_shown:
            from sonar_slt.cli.searching import is_search, search

            if is_search(words):
                return search(verb, arguments, words, found)
    return show(verb, arguments, words, config)


def show(verb: str, arguments: Arguments, words: list[str], config: Mapping[str, Any] = {}) -> int:
    """Hand the sorted words to Hydra, which prints what an option asks for or runs the jobs."""
    if not arguments.only_shown:
        from sonar_slt.cli.calls import carry_out

        return carry_out(verb, arguments, words, config)
    own = [] if "--shell-completion" in arguments.options else [*SETTINGS, f"hydra.job.name={verb}"]
    try:
        through_hydra(verb, [*arguments.options, *own, *words], lambda config: None)
    except Exception as error:
        return failed(error)
    return DONE


def through_hydra(verb: str, words: Sequence[str], task: Callable[[DictConfig], Any]) -> None:
    """Let Hydra compose the config of a verb by these words, once for each job, and call `task` with it."""
    app = hydra.main(config_path=str(conf_folder()), config_name=stem(verb), version_base="1.3")(task)
    with _argv([sys.argv[0], *words]):
        app()


def failed(error: Exception) -> int:
    """The exit code of an error outside of a sweep's jobs: of the only job, or Hydra's about the command."""
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
