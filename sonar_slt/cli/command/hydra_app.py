"""The one place where Hydra runs as an app: it composes the config of each job, and calls what it is given.

Hydra makes no folders and writes no logs here; an error comes out as what it was.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig

from sonar_slt.cli.command.outcome import complain
from sonar_slt.config.compose import stem
from sonar_slt.config.location import conf_folder
from sonar_slt.errors import UserError

# Hydra's own folders and log files are off; a run's folder is made by the run itself, and a sweep's is named by us.
SETTINGS = [
    "hydra/job_logging=none",
    "hydra/hydra_logging=none",
    "hydra.run.dir=.",
    "hydra.output_subdir=null",
    "hydra.sweep.subdir=.",
]


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
