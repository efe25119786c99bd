"""Values like those of the good trials and unlike those of the others: a tree of Parzen estimators (Bergstra 2011)."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from sonar_slt.errors import UserError
from sonar_slt.sweeper.sweeper import Direction, Sweeper

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


class Tpe(Sweeper):
    """The first `startup` trials are drawn at random; the keys are then chosen together, not each for itself."""

    name = "tpe"

    def __init__(
        self,
        *,
        n_trials: int = 20,
        n_jobs: int = 1,
        startup: int = 8,
        metric: str | None = None,
        direction: Direction | None = None,
        study_name: str | None = None,
        seed: int = 1,
    ) -> None:
        """What every sweeper has, and `startup`."""
        if startup < 1:
            raise UserError(f"sweeper.startup={startup}: expected a number from 1.")
        super().__init__(
            n_trials=n_trials, n_jobs=n_jobs, metric=metric, direction=direction, study_name=study_name, seed=seed
        )
        self.startup = startup

    def sampler(self, place: int) -> BaseSampler:
        """Optuna's, with a seed for this place; trials under way count as bad, so that none is drawn twice."""
        from optuna.exceptions import ExperimentalWarning
        from optuna.samplers import TPESampler

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return TPESampler(
                seed=self.drawn(place), n_startup_trials=self.startup, multivariate=True, constant_liar=True
            )
