"""Is one system better than another on the same sentences? Paired tests by sacrebleu, for every metric of ours.

Both tests draw the noise of a test set only: how far two trainings of the same system lie apart they do not know.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, TypedDict

import numpy as np
from sacrebleu.significance import PairedTest

from sonar_slt.errors import UserError
from sonar_slt.metrics.intervals import RESAMPLES, SEED, bootstrap
from sonar_slt.metrics.metric import Formula, Measured, Stats

TRIALS = 10_000
FIRST, SECOND = 0, 1


class Test(TypedDict):
    """How likely a difference of this size is where both systems are equally good."""

    p: float
    signature: str


class Comparison(TypedDict):
    """One metric of two systems; `delta` is the first less the second, with its 95 % interval."""

    value: float
    other: float
    delta: float
    delta_interval: list[float]
    interval: list[float]
    other_interval: list[float]
    bootstrap: Test
    randomisation: Test


def compared(
    first: Mapping[str, Measured],
    second: Mapping[str, Measured],
    *,
    resamples: int = RESAMPLES,
    trials: int = TRIALS,
    seed: int = SEED,
) -> dict[str, Comparison]:
    """Compare what two systems scored on the same sentences in the same order, metric by metric."""
    if resamples < 1 or trials < 1 or seed < 1:
        raise UserError(f"Paired tests need resamples, trials and a seed of 1 at least, not {resamples, trials, seed}.")
    if len({len(one.statistics) for one in (*first.values(), *second.values())}) != 1:
        raise UserError("Paired tests compare the same sentences: the two systems have different numbers of them.")
    metrics = {name: Prepared(name, first[name], second[name]) for name in first if name in second}
    tests = {kind: _test(metrics, kind, n, seed) for kind, n in (("bs", resamples), ("ar", trials))}
    intervals = bootstrap(_resampled(first, second, metrics), resamples, seed)
    return {
        name: {
            "value": first[name].value,
            "other": second[name].value,
            "delta": first[name].value - second[name].value,
            "delta_interval": intervals[f"delta {name}"],
            "interval": intervals[f"first {name}"],
            "other_interval": intervals[f"second {name}"],
            "bootstrap": tests["bs"][name],
            "randomisation": tests["ar"][name],
        }
        for name in metrics
    }


def mean_difference(
    pairs: Sequence[tuple[Measured, Measured]], *, resamples: int = RESAMPLES, seed: int = SEED
) -> list[float]:
    """The 95 % interval of the mean difference of pairs of systems on the same sentences in the same order.

    A pair is two trainings with the same seed, in one language. All pairs see the same resamples, for their sentences
    are of the same clips and move together: averaging the pairs' own intervals would call them independent.
    """
    if len({len(one.statistics) for pair in pairs for one in pair}) != 1:
        raise UserError("Paired tests compare the same sentences: the systems have different numbers of them.")
    widths = np.cumsum([0, *(one.statistics.shape[1] + two.statistics.shape[1] for one, two in pairs)])
    formulas = [_difference(one) for one, _ in pairs]

    def formula(sums: Stats) -> Stats:
        found: Stats = np.mean(
            [each(sums[:, first:last]) for each, first, last in zip(formulas, widths, widths[1:], strict=False)], axis=0
        )
        return found

    together = np.hstack([one.statistics for pair in pairs for one in pair])
    return bootstrap({"mean": (together, formula)}, resamples, seed)["mean"]


class Prepared:
    """A metric as sacrebleu's tests want one, over statistics that were already taken.

    A "sentence" that it is asked to look at is the number of its system.
    """

    def __init__(self, name: str, first: Measured, second: Measured) -> None:
        self.name, self._systems = name, {FIRST: first, SECOND: second}

    @property
    def equal(self) -> bool:
        """Whether both systems have the same score."""
        return self._systems[FIRST].value == self._systems[SECOND].value

    def get_signature(self) -> Signature:
        """Of the metric; the test adds its seed and its number of draws."""
        return Signature(self._systems[FIRST].signature)

    def _extract_corpus_statistics(self, hypotheses: Sequence[int], references: None) -> Stats:
        return self._systems[hypotheses[0]].statistics

    def _aggregate_and_compute(self, stats: Any) -> SimpleNamespace:
        return self._compute_score_from_stats(np.asarray(stats).sum(0))

    def _compute_score_from_stats(self, sums: Stats) -> SimpleNamespace:
        score = self._systems[FIRST].formula(np.asarray(sums, dtype=np.float64)[None])[0]
        return SimpleNamespace(name=self.name, score=float(score))


class Signature:
    """A signature that grows by what a test adds."""

    def __init__(self, text: str) -> None:
        self.text = text

    def update(self, key: str, value: object) -> None:
        """Add a pair."""
        self.text += f"|{key}:{value}"


def _test(metrics: Mapping[str, Prepared], kind: str, draws: int, seed: int) -> dict[str, Test]:
    n = len(next(iter(metrics.values()))._systems[FIRST].statistics)
    with _seeded(seed):
        test = PairedTest(
            [("first", [FIRST] * n), ("second", [SECOND] * n)],  # type: ignore[list-item]
            metrics,  # type: ignore[arg-type]
            references=None,
            test_type=kind,
            n_samples=draws,
        )
        signatures, results = test()
    # sacrebleu counts larger differences than the real one, and calls two equal systems significantly different.
    p = {name: 1.0 if one.equal else float(results[name][1].p_value) for name, one in metrics.items()}  # type: ignore
    return {name: {"p": p[name], "signature": signatures[name].text} for name in metrics}  # type: ignore


def _resampled(
    first: Mapping[str, Measured], second: Mapping[str, Measured], names: Mapping[str, object]
) -> dict[str, tuple[Stats, Formula]]:
    """Both systems on the same resamples, and their difference on each."""
    found: dict[str, tuple[Stats, Formula]] = {}
    for name in names:
        one, two = first[name], second[name]
        found[f"first {name}"], found[f"second {name}"] = (one.statistics, one.formula), (two.statistics, two.formula)
        found[f"delta {name}"] = (np.hstack([one.statistics, two.statistics]), _difference(one))
    return found


def _difference(measured: Measured) -> Formula:
    width = measured.statistics.shape[1]

    def formula(sums: Stats) -> Stats:
        return measured.formula(sums[:, :width]) - measured.formula(sums[:, width:])

    return formula


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """sacrebleu takes its seed from the environment alone."""
    former = os.environ.get("SACREBLEU_SEED")
    os.environ["SACREBLEU_SEED"] = str(seed)
    try:
        yield
    finally:
        if former is None:
            del os.environ["SACREBLEU_SEED"]
        else:
            os.environ["SACREBLEU_SEED"] = former
