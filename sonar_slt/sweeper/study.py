"""A study in a folder: every trial with its values and what it reached, in a journal that outlives the process.

Several processes may share it. What was under way in one that is gone is tried again.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
from filelock import FileLock
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState

from sonar_slt.errors import UserError
from sonar_slt.runs.provenance.process import is_alive, this_process
from sonar_slt.sweeper.space import Choice, Number, Space

if TYPE_CHECKING:
    from sonar_slt.sweeper.sweeper import Sweeper

PROCESS, REASON, QUESTION = "process", "reason", "question"
ENOUGH = 8
"""Finished trials before anything is said of which key counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One trial: the words of its values, and the value or the reason that came of it."""

    number: int
    words: tuple[str, ...]
    value: float | None = None
    reason: str | None = None

    @property
    def over(self) -> bool:
        """Whether it is not under way any more."""
        return self.value is not None or self.reason is not None


class Study:
    """Asks and tells; a trial that failed counts, one that was given up does not."""

    def __init__(self, folder: Path, question: Mapping[str, Any], space: Space, sweeper: Sweeper) -> None:
        """Open the journal in `folder`, or begin it; one that asks something else is refused."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.space, self.sweeper = folder, space, sweeper
        self._lock = FileLock(folder / "study.lock")
        self._mine: dict[int, optuna.Trial] = {}
        self._kinds = {key: _distribution(kind) for key, kind in space.items()}
        with self._lock, _quietly():
            backend = JournalFileBackend(str(folder / "journal.log"), lock_obj=_Held(self._lock))
            self._study = optuna.create_study(
                storage=JournalStorage(backend),
                study_name=folder.name,
                direction="maximize" if sweeper.maximises else "minimize",
                load_if_exists=True,
            )
            asked = self._study.user_attrs.get(QUESTION)
            if asked is None:
                self._study.set_user_attr(QUESTION, dict(question))
        if asked is not None and (key := _apart(asked, dict(question))):
            raise UserError(
                f"Study {folder.name} asks something else: {key} was {asked.get(key)} and is {question.get(key)}; "
                "give it another name by sweeper.study_name=…."
            )

    @property
    def trials(self) -> list[Trial]:
        """All that count, those under way among them, by number."""
        return [self._told(one) for one in self._counted()]

    @property
    def best(self) -> Trial | None:
        """The finished trial with the best value, the first one of several."""
        finished = [trial for trial in self.trials if trial.value is not None]
        sign = 1 if self.sweeper.maximises else -1
        return max(finished, key=lambda trial: (sign * (trial.value or 0.0), -trial.number), default=None)

    def ask(self) -> list[Trial]:
        """The next trials to be run together; none once there are enough."""
        with self._lock, _quietly():
            self._give_up(lambda one: PROCESS not in one.user_attrs or is_alive(one.user_attrs[PROCESS]) is False)
            left = self.sweeper.n_trials - len(self._counted())
            return [self._ask() for _ in range(min(self.sweeper.n_jobs, left))]

    def tell(self, number: int, value: float | None, reason: str | None = None) -> None:
        """What a trial of this process reached; without a value it failed for this reason."""
        trial = self._mine.pop(number)
        if value is not None and math.isfinite(value):
            self._study.tell(trial, value)
            return
        trial.set_user_attr(REASON, reason or f"its value is {value}")
        self._study.tell(trial, state=TrialState.FAIL)

    def leave(self) -> None:
        """Give up what is under way in this process, so that it is tried again."""
        with self._lock, _quietly():
            self._give_up(lambda one: one.number in self._mine)
        self._mine.clear()

    def importance(self) -> dict[str, float]:
        """How much each key parts good trials from others, adding up to 1, by PED-ANOVA (Watanabe 2023).

        Empty where there are too few trials, or nothing to be parted.
        """
        values = [one.value for one in self._study.trials if one.state == TrialState.COMPLETE]
        if len(values) < ENOUGH or len(set(values)) < 2 or len(self.space) < 2:
            return {}
        with _quietly():
            found = get_param_importances(self._study, evaluator=PedAnovaImportanceEvaluator())
        return {key: share for key, share in found.items() if math.isfinite(share)}

    def _counted(self) -> list[FrozenTrial]:
        """Trials that are over or under way; given-up ones have failed without a reason."""
        states = (TrialState.COMPLETE, TrialState.FAIL, TrialState.RUNNING)
        found = self._study.get_trials(deepcopy=False, states=states)
        return [one for one in found if one.state != TrialState.FAIL or REASON in one.user_attrs]

    def _ask(self) -> Trial:
        self._study.sampler = self.sweeper.sampler(len(self._counted()))
        trial = self._study.ask(fixed_distributions=self._kinds)
        trial.set_user_attr(PROCESS, this_process())
        self._mine[trial.number] = trial
        return Trial(number=trial.number, words=self._words(trial.params))

    def _give_up(self, gone: Callable[[FrozenTrial], bool]) -> None:
        """Trials of which nothing more will come have failed, and their values are the next to be tried."""
        for one in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if gone(one):
                self._study.tell(one.number, state=TrialState.FAIL)
                if one.params.keys() == self.space.keys():
                    self._study.enqueue_trial(one.params)

    def _told(self, one: FrozenTrial) -> Trial:
        return Trial(
            number=one.number,
            words=self._words(one.params),
            value=one.value if one.state == TrialState.COMPLETE else None,
            reason=one.user_attrs.get(REASON),
        )

    def _words(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(kind.word(key, values[key]) for key, kind in self.space.items() if key in values)


class _Held(JournalFileOpenLock):
    """The lock of the study as the journal wants it: one that the system opens when its holder is killed."""

    def __init__(self, lock: FileLock) -> None:
        self._lock = lock

    def acquire(self) -> bool:
        """Wait for it."""
        self._lock.acquire()
        return True

    def release(self) -> None:
        """Let others in."""
        self._lock.release()


def _distribution(kind: Choice | Number) -> BaseDistribution:
    if isinstance(kind, Choice):
        return CategoricalDistribution(kind.values)
    if kind.whole:
        return IntDistribution(int(kind.low), int(kind.high), log=kind.log, step=int(kind.step or 1))
    return FloatDistribution(kind.low, kind.high, log=kind.log, step=kind.step)


def _apart(one: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
    """The first key in which two questions differ."""
    return next((key for key in dict.fromkeys([*other, *one]) if one.get(key) != other.get(key)), None)


@contextmanager
def _quietly() -> Iterator[None]:
    """Without Optuna's remarks on what is new in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        yield
