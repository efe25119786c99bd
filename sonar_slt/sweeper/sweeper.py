"""The settings that every sweeper has, and the part in which they differ: who draws the next trial.

Optuna is the extra `tune`: it is loaded once a study begins, so that every other command does without it.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Literal

from sonar_slt.errors import UserError

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

Direction = Literal["maximize", "minimize"]


class Sweeper(ABC):
    """Decides on the values of trials; `n_trials` of them in all, `n_jobs` at the same time."""

    name: str

    def __init__(
        self,
        *,
        n_trials: int,
        n_jobs: int,
        metric: str | None,
        direction: Direction | None,
        study_name: str | None,
        seed: int,
    ) -> None:
        """`metric` None is the value that the verb returns; `direction` None is the better one of the metric."""
        for key, value, least in (("n_trials", n_trials, 1), ("n_jobs", n_jobs, 1), ("seed", seed, 0)):
            if value < least:
                raise UserError(f"sweeper.{key}={value}: expected a number from {least}.")
        if study_name is not None and not re.fullmatch(r"\w[\w.-]*", study_name):
            raise UserError(f"sweeper.study_name={study_name}: expected letters, digits and . _ - for a folder's name.")
        self.n_trials, self.n_jobs, self.metric, self.seed = n_trials, n_jobs, metric, seed
        self.direction, self.study_name = direction, study_name

    @abstractmethod
    def sampler(self, place: int) -> BaseSampler:
        """Who draws the trial at this place: the same for the same place, so that a study that goes on is the same."""

    @property
    def maximises(self) -> bool:
        """Whether more is better."""
        from sonar_slt.runs.scores.titles import higher_is_better

        if self.direction is None:
            return self.metric is None or higher_is_better(self.metric)
        return self.direction == "maximize"

    def drawn(self, place: int) -> int:
        """The seed of a place."""
        from numpy.random import SeedSequence

        return int(SeedSequence([self.seed, place]).generate_state(1)[0])
