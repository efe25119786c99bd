"""A score by groups of sentences, such as their lengths or signers, from the statistics that are already there.

Nothing is scored again: a group's value and interval come from the sums over its sentences.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sonar_slt.metrics.intervals import RESAMPLES, SEED, bootstrap
from sonar_slt.metrics.metric import Measured
from sonar_slt.metrics.words.cutting import spaced, words

BUCKETS = 4
LEAST = 5


def breakdown(
    measured: Mapping[str, Measured],
    groups: Sequence[str | None],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    least: int = LEAST,
) -> list[dict[str, Any]]:
    """One row per group with its number of sentences, and the value and interval of every score.

    `groups` names the group of each sentence; None belongs to none. Groups of fewer than `least` sentences share the
    last row, and a row that is still smaller has no interval. Fewer than two rows are none.
    """
    counts = Counter(group for group in groups if group is not None)
    small = {group for group, count in counts.items() if count < least}
    order = sorted(counts.keys() - small, key=_natural)
    members = {group: [row for row, own in enumerate(groups) if own == group] for group in order}
    if small:
        name = f"{len(small)} smaller groups" if len(small) > 1 else next(iter(small))
        members[name] = [row for row, own in enumerate(groups) if own in small]
    if len(members) < 2:
        return []
    return [{"group": name, **_row(measured, rows, resamples, seed, least)} for name, rows in members.items()]


def by_length(references: Sequence[Sequence[str]], lang: str) -> list[str]:
    """The length of each sentence's first reference, as one of some ranges that hold about equally many sentences.

    Lengths are words without punctuation, or characters where the language puts no spaces between words.
    """
    lengths = np.asarray([len(words(given[0], lang, punctuation=False)) for given in references])
    inner = np.quantile(lengths, np.arange(1, BUCKETS) / BUCKETS, method="lower")
    bucket = np.searchsorted(np.unique(inner), lengths)  # a range ends at its upper bound, which belongs to it
    unit = "word" if spaced(lang) else "character"
    names = {int(one): _range(lengths[bucket == one], unit) for one in set(bucket.tolist())}
    return [names[int(one)] for one in bucket]


def _row(
    measured: Mapping[str, Measured], rows: Sequence[int], resamples: int, seed: int, least: int
) -> dict[str, Any]:
    chosen = {name: (one.statistics[rows], one.formula) for name, one in measured.items()}
    intervals = bootstrap(chosen, resamples, seed) if len(rows) >= least else {}
    values = {name: float(formula(part.sum(0, keepdims=True))[0]) for name, (part, formula) in chosen.items()}
    return {"n": len(rows)} | {
        name: {"value": value, "interval": intervals.get(name)} for name, value in values.items()
    }


def _range(lengths: Any, unit: str) -> str:
    low, high = int(lengths.min()), int(lengths.max())
    plural = "" if high == 1 else "s"
    return f"{low} {unit}{plural}" if low == high else f"{low} to {high} {unit}{plural}"


def _natural(name: str) -> list[tuple[int, str]]:
    """Numbers within names are sorted as numbers: 2 before 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]
