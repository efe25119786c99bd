"""Whether a difference between runs is more than chance of the test set: their own sentences, paired and resampled.

The mean difference over all pairs (seeds) and languages is taken on every resample of the clips, so that what moves
together stays together. It says nothing of how two trainings with different seeds would lie apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonar_slt.errors import UserError
from sonar_slt.metrics.significance import mean_difference
from sonar_slt.runs.folder import all_hypotheses
from sonar_slt.runs.hypotheses.systems import System, aligned, of_run
from sonar_slt.runs.registry import Record
from sonar_slt.runs.scores.entries import score_rows
from sonar_slt.runs.sweeps.comparable import is_meant
from sonar_slt.runs.sweeps.trainings import SweptRun

if TYPE_CHECKING:
    from sonar_slt.metrics.metric import Measured, Metric

Pair = tuple["Measured", "Measured"]


class PairedSentences:
    """The test for the scores that `metrics` can take again; why it was left out is kept in `remarks`."""

    def __init__(self, metrics: Sequence[Metric], *, resamples: int, seed: int) -> None:
        self._metrics = {metric.name: metric for metric in metrics}
        self.resamples, self._seed = resamples, seed
        self._said: dict[Path, dict[str, System]] = {}
        self._measured: dict[tuple[str, Path, str], Measured] = {}
        self.remarks: dict[str, None] = {}

    def __call__(
        self, target: str, pairs: Sequence[tuple[SweptRun, SweptRun]]
    ) -> tuple[tuple[float, float], int] | None:
        """The 95 % interval of the mean difference, and how many pairs alone exclude 0 on its side."""
        name, _, where = target.partition("/")
        if name not in self._metrics:
            return None
        try:
            measured = [self._pair(name, where, one.judged, other.judged) for one, other in pairs]
            low, high = self._interval([each for pair in measured for each in pair])
            alone = [self._interval(pair) for pair in measured] if len(pairs) > 1 else [(low, high)]
        except UserError as problem:
            self.remarks.setdefault(f"Not tested over sentences: {problem}")
            return None
        up = low + high > 0
        return (low, high), sum(ends[0] > 0 if up else ends[1] < 0 for ends in alone)

    def _interval(self, pairs: Sequence[Pair]) -> tuple[float, float]:
        low, high = mean_difference(pairs, resamples=self.resamples, seed=self._seed)
        return low, high

    def _pair(self, name: str, where: str, one: Record, other: Record) -> list[Pair]:
        """Both sides in every language that the figure is of, all with the same clips in the same order."""
        codes = [
            [str(row.get("language")) for row in score_rows(run.metrics) if name in row and is_meant(row, where)]
            for run in (one, other)
        ]
        if not codes[0] or set(codes[0]) != set(codes[1]):
            raise UserError(f"{one.folder.name} and {other.folder.name} are judged in different languages.")
        if len({tuple(self._system(one, code).ids or ()) for code in codes[0]}) > 1:
            raise UserError(f"{one.folder.name} is judged on other clips in one language than in another.")
        return [(self._of(name, code, one, one), self._of(name, code, other, one)) for code in codes[0]]

    def _of(self, name: str, code: str, run: Record, chief: Record) -> Measured:
        """What a run said in a language, measured once, in the order of the clips of `chief`."""
        said = self._system(run, code)
        system = said if run is chief else aligned(said, self._system(chief, code))
        place = (name, run.folder, code)
        if place in self._measured and system.ids == said.ids:
            return self._measured[place]
        found = self._metrics[name].measure(system.hypotheses, system.references, code)
        signature = next((row[name].get("signature") for row in _rows(run, code)), None)
        if signature not in (None, found.signature):
            raise UserError(
                f"{name} of {run.folder.name} has the signature {signature}, and metrics.{name} here {found.signature}."
            )
        return self._measured.setdefault(place, found) if system.ids == said.ids else found

    def _system(self, run: Record, code: str) -> System:
        if run.folder not in self._said:
            split = str(run.metrics.get("split") or "test")
            if not all_hypotheses(run.folder, split):
                raise UserError(f"{run.folder.name} has no hypotheses of split={split}.")
            systems = of_run(run.folder.parent, str(run.folder), split=split)
            self._said[run.folder] = {system.language: system for system in systems}
        if code not in self._said[run.folder]:
            raise UserError(f"{run.folder.name} has no hypotheses in {code}.")
        return self._said[run.folder][code]


def _rows(run: Record, code: str) -> list[Mapping[str, Any]]:
    return [row for row in score_rows(run.metrics) if row.get("language") == code]
