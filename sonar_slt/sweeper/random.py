"""Values drawn at random, each trial for itself: what every other way of choosing has to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonar_slt.sweeper.sweeper import Direction, Sweeper

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


class Random(Sweeper):
    """No trial knows of another."""

    name = "random"

    def __init__(
        self,
        *,
        n_trials: int = 20,
        n_jobs: int = 1,
        metric: str | None = None,
        direction: Direction | None = None,
        study_name: str | None = None,
        seed: int = 1,
    ) -> None:
        """What every sweeper has."""
        super().__init__(
            n_trials=n_trials, n_jobs=n_jobs, metric=metric, direction=direction, study_name=study_name, seed=seed
        )

    def sampler(self, place: int) -> BaseSampler:
        """Optuna's random sampler with a seed for this place."""
        from optuna.samplers import RandomSampler

        return RandomSampler(seed=self.drawn(place))
