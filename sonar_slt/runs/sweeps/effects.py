"""What each swept key does to a figure: its values beside each other, differences in pairs, and its share of the whole.

Runs that differ only in their seed are replicates. Nothing here knows of files; points come in, plain numbers go out.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

PAIRED_UP_TO = 8
"""Keys with more values than this are held against their first value only."""
TIMES = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
"""Student's t, both sides, 95 %, for 1 to 30 degrees of freedom."""

Floats = NDArray[np.float64]
Place = TypeVar("Place", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One run: the value of each swept key as it is written, its seed, and the figure that it reached."""

    settings: Mapping[str, str]
    seed: int | None
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """All runs with one value of a key."""

    value: str
    n: int
    mean: float
    spread: float | None  # standard deviation over seeds, all other keys held; None without replicates
    low: float  # the least of the runs
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """`value` minus `against`, over pairs of runs that are alike in everything else, else between the means."""

    value: str
    against: str
    mean: float
    pairs: int  # 0: no two runs are alike in everything else
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One key: its values in the order in which they were swept, their differences, and the key's share."""

    key: str
    levels: tuple[Level, ...]
    differences: tuple[Difference, ...]
    share: float | None  # eta squared, 0 to 1; None where nothing varies


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """Everything about one figure. The shares and the three rests add up to 1 where the design is balanced."""

    n: int
    mean: float
    sd: float | None
    effects: tuple[Effect, ...] = ()
    together: float | None = None  # what only the keys' combinations explain
    seeds: float | None = None  # what differs between runs with the same keys
    shared: float | None = None  # what several keys could explain alike, in an unbalanced design
    caveats: tuple[str, ...] = ()


def effects(points: Sequence[Point], levels: Mapping[str, Sequence[str]]) -> Effects:
    """The effects of keys on the figure of some runs; `levels` says which values each key has, in order."""
    values = np.array([point.value for point in points], dtype=np.float64)
    reached = {key: [name for name in names if _at(points, key, name)] for key, names in levels.items()}
    swept = {key: names for key, names in reached.items() if len(names) > 1}
    shares, rests = _shares(points, values, swept)
    found = tuple(
        Effect(
            key=key,
            levels=tuple(_level(points, list(swept), key, name) for name in names),
            differences=tuple(_differences(points, list(swept), key, names)),
            share=shares.get(key),
        )
        for key, names in swept.items()
    )
    sd = float(values.std(ddof=1)) if values.size > 1 else None
    whole = Effects(n=len(points), mean=float(values.mean()), sd=sd, effects=found, caveats=(*_caveats(points, swept),))
    return replace(whole, **rests)


def _level(points: Sequence[Point], keys: Sequence[str], key: str, value: str) -> Level:
    chosen = _at(points, key, value)
    values = [point.value for point in chosen]
    within = [np.array(cell) for cell in _cells(chosen, keys).values() if len(cell) > 1]
    freedom = sum(len(cell) - 1 for cell in within)
    squares = sum(float(((cell - cell.mean()) ** 2).sum()) for cell in within)
    return Level(
        value=value,
        n=len(values),
        mean=sum(values) / len(values),
        spread=math.sqrt(squares / freedom) if freedom else None,
        low=min(values),
        high=max(values),
    )


def _differences(points: Sequence[Point], keys: Sequence[str], key: str, names: Sequence[str]) -> Iterator[Difference]:
    """Later values against earlier ones: all pairs of a few values, of many each against the first."""
    few = len(names) <= PAIRED_UP_TO
    others = [other for other in keys if other != key]
    for against, value in itertools.combinations(names, 2) if few else ((names[0], name) for name in names[1:]):
        apart = _apart(_at(points, key, value), _at(points, key, against), others)
        mean = float(apart.mean()) if apart.size else _mean(points, key, value) - _mean(points, key, against)
        low, high = interval(apart)
        yield Difference(value=value, against=against, mean=mean, pairs=apart.size, low=low, high=high)


def _apart(ones: Sequence[Point], others: Sequence[Point], keys: Sequence[str]) -> Floats:
    """Differences between runs with the same other keys and seed; where no seed is in both, with the same keys."""
    for seeded in (True, False):
        one, other = (
            _grouped(((_cell(point, keys), point.seed if seeded else None), point.value) for point in side)
            for side in (ones, others)
        )
        if common := [place for place in one if place in other]:
            return np.array([np.mean(one[place]) - np.mean(other[place]) for place in common])
    return np.array([])


def interval(apart: Floats) -> tuple[float | None, float | None]:
    """The 95 % interval of a mean difference by Student's t; none of a single pair."""
    if apart.size < 2:
        return None, None
    times = TIMES[apart.size - 2] if apart.size - 2 < len(TIMES) else 1.96
    reach = times * float(apart.std(ddof=1)) / math.sqrt(apart.size)
    return float(apart.mean()) - reach, float(apart.mean()) + reach


def _shares(
    points: Sequence[Point], values: Floats, levels: Mapping[str, Sequence[str]]
) -> tuple[dict[str, float], dict[str, Any]]:
    """Each key's share of the variance in an additive model of all keys, and the shares of what is left.

    A key's share is what the model loses without it. It is eta squared where the design is balanced; elsewhere what
    several keys explain alike belongs to none of them.
    """
    total = float(((values - values.mean()) ** 2).sum())
    columns = {key: _columns(points, key, names) for key, names in levels.items()}
    left, free = _left(list(columns.values()), values)
    if total <= 1e-12 * max(1.0, float((values**2).sum())) or not free:
        return {}, {}
    shares = {
        key: (_left([block for other, block in columns.items() if other != key], values)[0] - left) / total
        for key in columns
    }
    cells = [np.array(cell) for cell in _cells(points, list(levels)).values()]
    within = sum(float(((cell - cell.mean()) ** 2).sum()) for cell in cells)
    rests = {"together": max(0.0, left - within) / total, "seeds": within / total}
    shared = 1.0 - sum(shares.values()) - left / total
    return shares, {**rests, "shared": shared if abs(shared) > 1e-9 else None}


def _columns(points: Sequence[Point], key: str, names: Sequence[str]) -> Floats:
    """One column per value but the first: 1.0 where a run has it."""
    return np.array([[float(point.settings[key] == name) for name in names[1:]] for point in points])


def _left(blocks: Sequence[Floats], values: Floats) -> tuple[float, int]:
    """Squares that an additive model leaves, and how many of the runs are free of it."""
    design = np.hstack([np.ones((values.size, 1)), *blocks])
    fitted, _, rank, _ = np.linalg.lstsq(design, values, rcond=None)
    return float(((values - design @ fitted) ** 2).sum()), values.size - int(rank)


def _caveats(points: Sequence[Point], levels: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """What one has to know before one believes the effects: each a sentence."""
    sizes = [len(cell) for cell in _cells(points, list(levels)).values()]
    crossed = math.prod(len(names) for names in levels.values())
    if len(sizes) < crossed:
        yield (
            f"Unbalanced: {len(sizes)} of {crossed} combinations were run. Means of a key mix in the other keys, "
            "and what several keys explain alike is no key's share."
        )
    elif len(set(sizes)) > 1:
        yield (
            f"Unbalanced: the combinations have {min(sizes)} to {max(sizes)} runs each, so that means of a key mix in "
            "a little of the other keys."
        )
    if list(levels) == ["seed"]:
        yield "Only the seed differs: the runs are replicates of one training, and their spread is chance."
    elif levels and max(sizes) == 1:
        yield "Every combination was run once: what is chance cannot be told from what the keys do together."
    for one, other in itertools.combinations(levels, 2):
        if (
            len({(point.settings[one], point.settings[other]) for point in points})
            == len(levels[one])
            == len(levels[other])
        ):
            yield f"{one} and {other} always change together: their effects cannot be told apart."


def _at(points: Sequence[Point], key: str, value: str) -> list[Point]:
    return [point for point in points if point.settings[key] == value]


def _cell(point: Point, keys: Sequence[str]) -> tuple[str, ...]:
    return tuple(point.settings[key] for key in keys)


def _cells(points: Sequence[Point], keys: Sequence[str]) -> dict[tuple[str, ...], list[float]]:
    return _grouped((_cell(point, keys), point.value) for point in points)


def _grouped(pairs: Iterable[tuple[Place, float]]) -> dict[Place, list[float]]:
    found: dict[Place, list[float]] = {}
    for place, value in pairs:
        found.setdefault(place, []).append(value)
    return found


def _mean(points: Sequence[Point], key: str, value: str) -> float:
    return float(np.mean([point.value for point in _at(points, key, value)]))
