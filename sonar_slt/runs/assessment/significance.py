"""Exact tests on paired differences: no draws and no normal approximation, however few the pairs.

Signed ranks are added up under every choice of signs at once, by the distribution of the sum.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Side = Literal["two", "greater"]


def signed_rank(differences: NDArray[np.float64], side: Side = "two") -> float:
    """The p of Wilcoxon's signed ranks, exact also with ties; differences (pairs,), of which zeros are left out.

    `greater` asks whether differences are above zero, `two` whether they are on either side of it.
    """
    apart = np.round(differences, 9)
    apart = apart[apart != 0]
    if not len(apart):
        return 1.0
    ranks = _twice_ranks(np.abs(apart))  # (pairs,)
    chances = np.zeros(ranks.sum() + 1)  # of each sum of the ranks of positive differences
    chances[0] = 1.0
    for rank in ranks:
        chances[rank:] = (chances[rank:] + chances[:-rank]) / 2
        chances[:rank] /= 2
    found = int(ranks[apart > 0].sum())
    above, below = float(chances[found:].sum()), float(chances[: found + 1].sum())
    return min(1.0, above) if side == "greater" else min(1.0, 2 * min(above, below))


def holm(chances: Mapping[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    """Each p corrected for the number of comparisons, by Holm's steps."""
    corrected, worst = {}, 0.0
    for passed, (pair, chance) in enumerate(sorted(chances.items(), key=lambda entry: entry[1])):
        worst = max(worst, min(1.0, chance * (len(chances) - passed)))
        corrected[pair] = worst
    return corrected


def _twice_ranks(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Twice the rank of each value from 1 up, equal ones sharing the mean of theirs; whole numbers."""
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(sizes)
    twice: NDArray[np.int64] = (2 * last - sizes + 1)[group]
    return twice
