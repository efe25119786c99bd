"""A sweep whose values are chosen by a sweeper: trials in the place of every combination, each one a job.

Hydra starts none of them. A job is a plain command, run by the launcher; what it reached is read from its entry.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonar_slt.cli.command.arguments import Arguments
from sonar_slt.cli.command.entries import DONE_WITH, close, exit_code
from sonar_slt.config.build import build
from sonar_slt.config.compose import Examined, floorplan
from sonar_slt.config.search import Search, search_of
from sonar_slt.errors import UserError
from sonar_slt.launcher.job import VARIABLE, Job, Place
from sonar_slt.runs.provenance.identity import NOT_COMPUTED
from sonar_slt.runs.provenance.process import this_process
from sonar_slt.runs.record import ended_by_sigterm
from sonar_slt.sweeper.space import Space
from sonar_slt.sweeper.sweeper import Sweeper

if TYPE_CHECKING:
    from sonar_slt.sweeper.study import Study

HERE = {"_target_": "sonar_slt.launcher.basic.Basic"}
ALONE = "hydra.mode=RUN"
"""Keeps a job of a named sweep from being the whole sweep."""


def is_search(words: Sequence[str]) -> bool:
    """Whether a command with a sweeper is one, and not a job of one."""
    return VARIABLE not in os.environ and ALONE not in words


def search(verb: str, arguments: Arguments, words: Sequence[str], found: Examined) -> int:
    """Run trials until there are enough of them, and tell which was best; the exit code of ``sonar-slt``."""
    asked = search_of(words, found.params, floorplan(arguments.config_dir))
    chosen = found.choices["sweeper"]
    if not asked.space:
        raise UserError(
            f"sweeper={chosen} has nothing to choose: give some key several values, by key=a,b, key='range(1,5)' or "
            "key='interval(0,1)'."
        )
    hunt = _Hunt(verb, arguments, asked, found.config, bool(found.params))
    try:
        with ended_by_sigterm():
            hunt.run()
    finally:
        hunt.study.leave()
        hunt.show()
    return exit_code(hunt.entries)


class _Hunt:
    """A study on its way."""

    def __init__(self, verb: str, arguments: Arguments, asked: Search, config: Mapping[str, Any], named: bool) -> None:
        self.sweeper, self.launcher = build(config["sweeper"]), build(config.get("launcher") or HERE)
        own = arguments.config_dir
        self.before = (verb, *(("--config-dir", os.path.abspath(os.path.expanduser(own))) if own else ()), *asked.fixed)
        self.rerun_of, self.runs, self.named = arguments.rerun_of, Path(config["paths"]["runs"]), named
        question = {
            "the verb": verb,
            **_settings(asked.fixed),
            **asked.typed,
            "the metric": self.sweeper.metric,
            "the direction": "maximize" if self.sweeper.maximises else "minimize",
        }
        name = self.sweeper.study_name or _name(str(config.get("name") or verb), question, self.sweeper)
        self.folder = Path(config["paths"]["outputs"]) / "studies" / name
        self.study = _opened(self.sweeper, self.folder, question, asked.space)
        self.entries: list[dict[str, Any]] = []

    def run(self) -> None:
        """Trials by the batch, each told as soon as it is over."""
        argv = list(sys.argv)
        while batch := self.study.ask():
            places = [Place(self.folder, trial.number, this_process(), self.rerun_of) for trial in batch]
            jobs = [Job(place, (*self.before, *trial.words, ALONE)) for place, trial in zip(places, batch, strict=True)]
            try:
                for job, how in self.launcher.launch(jobs):
                    self.tell(job, how)
            finally:
                sys.argv = argv  # a job in this process has its own
                os.environ.pop(VARIABLE, None)

    def tell(self, job: Job, how: str) -> None:
        """What a job reached, or why it failed; one that the user stopped, or that has no value, ends the search."""
        said, number = close(job.place, how), job.place.number
        if said["status"] == "killed" and said.get("process") == this_process():
            raise KeyboardInterrupt  # it was heard by the job, which runs in this very process
        self.entries.append(said)
        done = said["status"] in DONE_WITH
        value, why = (self.reached(said), "") if done else (None, str(said["reason"]))
        self.study.tell(number, value, why)
        best, left = self.study.best, self.sweeper.n_trials - sum(trial.over for trial in self.study.trials)
        told = f"{said['status']}, {why.rstrip('.')}" if value is None else f"{value:.6g}"
        lead = f" (best: {best.value:.6g} by trial {best.number})" if best else ""
        print(f"Trial {number}: {told}{lead}. {left} to go.", file=sys.stderr, flush=True)

    def reached(self, said: Mapping[str, Any]) -> float:
        """The value of a job that is done."""
        if (metric := self.sweeper.metric) is None:
            if said["value"] is None:
                raise UserError(
                    f"Job {said['job']} ended well and reached no mean BLEU to be optimised: name another figure of "
                    "its run by sweeper.metric, such as dev/loss."
                )
            return float(said["value"])
        from sonar_slt.sweeper.goal import figure

        return figure(self.runs, said["run"], metric)

    def show(self) -> None:
        """All trials, which key counts, and the best one as a command."""
        from sonar_slt.sweeper.trials_table import show

        best = self.study.best
        alone = (ALONE,) if self.named else ()
        command = shlex.join(["sonar-slt", *self.before, *best.words, *alone]) if best else None
        show(self.study, command)


def _opened(sweeper: Sweeper, folder: Path, question: Mapping[str, Any], space: Space) -> Study:
    """The study in a folder, new or to be gone on with."""
    try:
        from sonar_slt.sweeper.study import Study
    except ModuleNotFoundError as error:
        if error.name != "optuna":
            raise
        raise UserError(
            f"sweeper={sweeper.name} needs optuna, which is not installed: pip install 'sonar-slt[tune]'."
        ) from None
    return Study(folder, question, space, sweeper)


def _settings(words: Sequence[str]) -> dict[str, str]:
    """The fixed words that decide what is computed, by key."""
    pairs = (word.partition("=") for word in words)
    return {key: value for key, _, value in pairs if not _is_elsewhere(key)}


def _is_elsewhere(key: str) -> bool:
    parts = tuple(key.lstrip("+~").split("."))
    return any(parts[: len(place)] == place for place in NOT_COMPUTED)


def _name(name: str, question: Mapping[str, Any], sweeper: Any) -> str:
    """The same for the same command, whatever the number of trials."""
    text = json.dumps([question, sweeper.name, sweeper.seed], sort_keys=True)
    plain = re.sub(r"[^\w.-]+", "-", name, flags=re.ASCII).strip("-.")[:60] or "study"
    return f"{plain}_{hashlib.sha256(text.encode()).hexdigest()[:8]}"
