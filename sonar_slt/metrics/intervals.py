"""95 % intervals by resampling sentences through their statistics, which is a matrix product and not a rescoring."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sonar_slt.metrics.metric import Formula, Stats

RESAMPLES = 1000
SEED = 12345
BLOCK = 4_000_000
"""Draws held at a time: 32 MB of counts."""


def bootstrap(metrics: Mapping[str, tuple[Stats, Formula]], resamples: int, seed: int) -> dict[str, list[float]]:
    """Percentile intervals; all metrics see the same resamples, and the same seed gives the same ones.

    Each metric comes as statistics (sentences, k) and the formula that turns their sums into scores.
    """
    if resamples < 1 or not metrics:
        return {}
    n = len(next(iter(metrics.values()))[0])
    rng = np.random.default_rng(seed)
    block = max(1, BLOCK // n)
    drawn: dict[str, list[Stats]] = {name: [] for name in metrics}
    for first in range(0, resamples, block):
        rows = min(block, resamples - first)
        picks = rng.integers(n, size=(rows, n)) + n * np.arange(rows)[:, None]
        counts = np.bincount(picks.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)
        for name, (stats, formula) in metrics.items():
            drawn[name].append(formula(counts @ stats))
    ends = {name: np.percentile(np.concatenate(scores), [2.5, 97.5]) for name, scores in drawn.items()}
    return {name: [float(low), float(high)] for name, (low, high) in ends.items()}
