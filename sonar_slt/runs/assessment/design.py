"""In which order a judge sees what: systems take every place equally often, and controls lie hidden among them.

Sentences that are the same, letter by letter, are shown once and count for all who said them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sonar_slt.runs.assessment.choice import Clip

Control = Literal["reference", "other"]
"""The clip's own reference, which should be rated high; the reference of another clip, which should be rated low."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence to rate, and whose it is: of some systems, a control, or both where they said the same."""

    text: str
    systems: tuple[str, ...]
    control: Control | None = None


@dataclass(frozen=True, slots=True)
class Screen:
    """What a judge sees at a time; `again` when it was there before, to see whether a judge agrees with itself."""

    clip: str
    candidates: tuple[Candidate, ...]
    again: bool = False


def screens(clips: Sequence[Clip], *, controls: float, together: bool, rng: random.Random) -> list[Screen]:
    """All screens of a judge: one per clip with all its sentences, or one per sentence where not `together`.

    A share `controls` of the clips carries both controls; as large a share of the screens comes again, a third of the
    sheet later or more.
    """
    ordered = rng.sample(clips, len(clips))
    with_controls = {clip.id for clip in rng.sample(ordered, _share(controls, len(ordered)))}
    turns = _turns(sorted(clips[0].said), len(ordered), rng)
    sets = [
        Screen(clip.id, _candidates(clip, turn, clip.id in with_controls, rng))
        for clip, turn in zip(ordered, turns, strict=True)
    ]
    shown = sets if together else _one_by_one(sets, rng)
    return _with_repeats(shown, _share(controls, len(shown)), rng)


def _share(share: float, number: int) -> int:
    return min(number, max(1, round(share * number))) if share > 0 else 0


def _turns(systems: Sequence[str], number: int, rng: random.Random) -> list[list[str]]:
    """Orders of the systems: within each block of as many clips as there are systems, each takes every place once."""
    turns: list[list[str]] = []
    while len(turns) < number:
        first = rng.sample(systems, len(systems))
        turns += rng.sample([first[shift:] + first[:shift] for shift in range(len(first))], len(first))
    return turns[:number]


def _candidates(clip: Clip, turn: Sequence[str], controlled: bool, rng: random.Random) -> tuple[Candidate, ...]:
    found = [Candidate(clip.said[name], (name,)) for name in turn]
    kinds: tuple[tuple[Control, str], ...] = (("reference", clip.reference), ("other", clip.other))
    for kind, text in kinds if controlled else ():
        found.insert(rng.randint(0, len(found)), Candidate(text, (), kind))
    merged: dict[str, Candidate] = {}
    for one in found:
        former = merged.get(one.text)
        merged[one.text] = (
            replace(former, systems=former.systems + one.systems, control=former.control or one.control)
            if former
            else one
        )
    return tuple(merged.values())


def _one_by_one(sets: Sequence[Screen], rng: random.Random) -> list[Screen]:
    """One screen per sentence, in rounds over the clips so that the sentences of a clip lie far apart."""
    found: list[Screen] = []
    for place in range(max(len(screen.candidates) for screen in sets)):
        round_ = [screen for screen in sets if place < len(screen.candidates)]
        rng.shuffle(round_)
        if found and round_[0].clip == found[-1].clip:
            round_.append(round_.pop(0))
        found += [replace(screen, candidates=screen.candidates[place : place + 1]) for screen in round_]
    return found


def _with_repeats(shown: Sequence[Screen], number: int, rng: random.Random) -> list[Screen]:
    """Screens of the first half come again later, with the sentences of systems only and in a new order."""
    half = [screen for screen in shown[: -(-len(shown) // 2)] if any(one.systems for one in screen.candidates)]
    found = list(shown)
    for screen in rng.sample(half, min(number, len(half))):
        said = [one for one in screen.candidates if one.systems]
        again = Screen(screen.clip, tuple(rng.sample(said, len(said))), again=True)
        found.insert(rng.randint(min(found.index(screen) + 1 + len(shown) // 3, len(found)), len(found)), again)
    return found
