"""What a toy forecast says, before any language says it.

A meaning is a small typed record; sentences and signs are two renderings of it. Splits are made here, by
meaning, so that no sentence and no clip of a held-out meaning can leak into training through another rendering.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

Time = Literal[
    "today", "tonight", "tomorrow", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"
]
Region = Literal["north", "south", "east", "west", "coast", "mountains", "bavaria", "saxony", "berlin", "hamburg"]
Phenomenon = Literal["rain", "snow", "sun", "fog", "thunderstorm", "clouds", "hail", "frost", "storm", "showers"]
Likelihood = Literal["certain", "probable", "possible"]
Direction = Literal["north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest"]
Strength = Literal["light", "moderate", "strong"]
Extreme = Literal["lowest", "highest"]
Relation = Literal["but", "and"]
Split = Literal["train", "dev", "test"]

TIMES: tuple[Time, ...] = get_args(Time)
REGIONS: tuple[Region, ...] = get_args(Region)
PHENOMENA: tuple[Phenomenon, ...] = get_args(Phenomenon)
LIKELIHOODS: tuple[Likelihood, ...] = get_args(Likelihood)
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
STRENGTHS: tuple[Strength, ...] = get_args(Strength)
EXTREMES: tuple[Extreme, ...] = get_args(Extreme)
RELATIONS: tuple[Relation, ...] = get_args(Relation)
DEGREES = range(-10, 36)

HELD_OUT_PAIRS = frozenset(
    (region, phenomenon)
    for r, region in enumerate(REGIONS)
    for p, phenomenon in enumerate(PHENOMENA)
    if (3 * r + p) % 13 == 0
)
"""Region and phenomenon of a main clause that never meet in training, though each is seen often by itself."""


@dataclass(frozen=True, slots=True)
class Temperature:
    """The lowest or the highest temperature, in whole degrees Celsius."""

    extreme: Extreme
    degrees: int


@dataclass(frozen=True, slots=True)
class Wind:
    """Where the wind comes from and how strong it is."""

    direction: Direction
    strength: Strength


@dataclass(frozen=True, slots=True)
class Contrast:
    """Another phenomenon in another region, set against the first (`but`) or beside it (`and`)."""

    relation: Relation
    region: Region
    phenomenon: Phenomenon


@dataclass(frozen=True, slots=True)
class Meaning:
    """One forecast: a main clause, and at most one more clause."""

    time: Time
    region: Region
    phenomenon: Phenomenon
    likelihood: Likelihood
    negated: bool
    second: Temperature | Wind | Contrast | None

    @property
    def held_out(self) -> bool:
        """Whether the main clause joins a region and a phenomenon that training never joins."""
        return (self.region, self.phenomenon) in HELD_OUT_PAIRS

    @property
    def key(self) -> str:
        """A short name, the same in every process and on every machine."""
        return hashlib.blake2b(repr(self).encode(), digest_size=6).hexdigest()

    @property
    def split(self) -> Split:
        """Where the meaning belongs: one in ten is held out, and every held-out pair is."""
        bucket = int(self.key[:6], 16) % 20
        if self.held_out:
            return "test" if bucket % 2 else "dev"
        return "test" if bucket == 0 else "dev" if bucket == 1 else "train"


def count() -> int:
    """How many distinct meanings the grammar holds."""
    seconds = 1 + len(EXTREMES) * len(DEGREES) + len(DIRECTIONS) * len(STRENGTHS)
    seconds += len(RELATIONS) * (len(REGIONS) - 1) * (len(PHENOMENA) - 1)
    return len(TIMES) * len(REGIONS) * len(PHENOMENA) * len(LIKELIHOODS) * 2 * seconds


def draw(random: Random) -> Meaning:
    """Draw any meaning; the four kinds of second clause are equally frequent, negation is one in four."""
    region, phenomenon = random.choice(REGIONS), random.choice(PHENOMENA)
    second: Temperature | Wind | Contrast | None = None
    kind = random.randrange(4)
    if kind == 1:
        second = Temperature(random.choice(EXTREMES), random.choice(DEGREES))
    elif kind == 2:
        second = Wind(random.choice(DIRECTIONS), random.choice(STRENGTHS))
    elif kind == 3:
        other_region = random.choice([r for r in REGIONS if r != region])
        other_phenomenon = random.choice([p for p in PHENOMENA if p != phenomenon])
        second = Contrast(random.choice(RELATIONS), other_region, other_phenomenon)
    return Meaning(
        time=random.choice(TIMES),
        region=region,
        phenomenon=phenomenon,
        likelihood=random.choice(LIKELIHOODS),
        negated=random.random() < 0.25,
        second=second,
    )


def draw_split(split: Split, size: int, seed: int) -> list[Meaning]:
    """Draw `size` distinct meanings of one split. In dev and test one in five joins a held-out pair."""
    held_out = size // 5 if split != "train" else 0
    random = Random(f"{split}-{seed}")
    chosen: dict[Meaning, None] = {}
    for meaning in _matching(random, split, held_out=False):
        if len(chosen) == size - held_out:
            break
        chosen[meaning] = None
    for meaning in _matching(random, split, held_out=True) if held_out else ():
        if len(chosen) == size:
            break
        chosen[meaning] = None
    return random.sample(list(chosen), size)


def one_slot_changes(meaning: Meaning, random: Random, size: int) -> list[Meaning]:
    """Meanings that differ from `meaning` in one slot only: the hard negatives of xsim++."""
    changes: dict[Meaning, None] = {}
    while len(changes) < size:
        other = draw(random)
        slot = random.choice(("time", "region", "phenomenon", "likelihood", "negated", "second"))
        values = {name: getattr(meaning, name) for name in Meaning.__slots__}
        values[slot] = not meaning.negated if slot == "negated" else getattr(other, slot)
        if slot == "second" and not _same_kind(meaning, other):
            continue
        changed = Meaning(**values)
        if changed != meaning and _sensible(changed):
            changes[changed] = None
    return list(changes)


def _same_kind(meaning: Meaning, other: Meaning) -> bool:
    return type(meaning.second) is type(other.second) or meaning.second is None


def _sensible(meaning: Meaning) -> bool:
    second = meaning.second
    if not isinstance(second, Contrast):
        return True
    return second.region != meaning.region and second.phenomenon != meaning.phenomenon


def _matching(random: Random, split: Split, *, held_out: bool) -> Iterator[Meaning]:
    while True:
        meaning = draw(random)
        if meaning.split == split and meaning.held_out == held_out:
            yield meaning
