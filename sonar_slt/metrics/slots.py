"""Slot accuracy: how much of a forecast's meaning a translation says. It holds for sentences of the toy world alone.

Toy references read back to exactly one meaning, so what a hypothesis says can be held against it slot by slot, with
what is wrong, left out and invented counted apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sonar_slt.data.corpora.toy.meaning import Meaning
from sonar_slt.data.corpora.toy.reading import SLOTS, UNMARKED, Reading, read
from sonar_slt.data.corpora.toy.sentences import LANGUAGES
from sonar_slt.errors import UserError
from sonar_slt.metrics.metric import Measured, Stats

Verdict = Literal["right", "wrong", "omitted", "hallucinated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotCounts:
    """How one slot fares; its verdicts add up to `n`, the sentences in which either side says it."""

    right: int
    wrong: int  # another value than the reference's
    omitted: int  # said by the reference only
    hallucinated: int  # said by the hypothesis only

    @property
    def n(self) -> int:
        """The sentences that count."""
        return self.right + self.wrong + self.omitted + self.hallucinated

    @property
    def accuracy(self) -> float:
        """Per cent of them that are right; 0 of none."""
        return 100 * self.right / max(self.n, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotScores:
    """What hypotheses say of their references' meanings; rates are per cent."""

    n: int
    accuracy: float  # of all slots that either side says, over all sentences
    exact: float  # sentences of which every slot is right
    wrong: float  # slots
    omitted: float
    hallucinated: float
    slots: dict[str, SlotCounts]
    sentences: Stats  # (n,) accuracy of each


class Slots:
    """Slot accuracy as a metric beside the others; an error for anything but sentences of the toy world."""

    name, title, higher_is_better = "slots", "slot accuracy", True

    def measure(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]], lang: str) -> Measured:
        """Sums of right slots and of slots that either side says."""
        verdicts = _verdicts(hypotheses, [_meant(given, row, lang) for row, given in enumerate(references)], lang)
        statistics = np.array([[_count(one, "right"), len(one)] for one in verdicts], dtype=np.float64)
        return Measured(
            statistics=statistics,
            formula=slot_rate,
            signature=f"unit:slot|world:toy|slots:{len(SLOTS)}|version:sonar-slt-1",
            value=float(slot_rate(statistics.sum(0, keepdims=True))[0]),
            sentences=slot_rate(statistics),
        )


def slot_accuracy(
    hypotheses: Sequence[str], references: Sequence[Meaning | str | Sequence[str]], code: str
) -> SlotScores:
    """Slots of `hypotheses` against meanings, or against what the references of each say, in the language `code`.

    A clause that only one side has counts as such, and so does each of its slots. Negation, a likelihood below
    certain, and a second clause are invented or left out; a wrong value of them is another than the reference's.
    """
    if len(hypotheses) != len(references) or not hypotheses:
        raise UserError(f"{len(hypotheses)} hypotheses cannot be held against {len(references)} meanings.")
    verdicts = _verdicts(hypotheses, [_meant(given, row, code) for row, given in enumerate(references)], code)
    slots = {slot: _counts([one[slot] for one in verdicts if slot in one]) for slot in SLOTS}
    said = sum(counts.n for counts in slots.values())
    return SlotScores(
        n=len(verdicts),
        accuracy=100 * sum(counts.right for counts in slots.values()) / said,
        exact=100 * sum(set(one.values()) == {"right"} for one in verdicts) / len(verdicts),
        wrong=100 * sum(counts.wrong for counts in slots.values()) / said,
        omitted=100 * sum(counts.omitted for counts in slots.values()) / said,
        hallucinated=100 * sum(counts.hallucinated for counts in slots.values()) / said,
        slots=slots,
        sentences=np.array([100 * _count(one, "right") / len(one) for one in verdicts]),
    )


def slot_rate(sums: Stats) -> Stats:
    """Per cent of right slots of many corpora: (corpora, [right, said]) -> (corpora,)."""
    rate: Stats = 100 * sums[:, 0] / np.maximum(sums[:, 1], 1)
    return rate


def verdicts_of(hypothesis: Reading, reference: Reading) -> dict[str, Verdict]:
    """Slots that either side says, and whether the hypothesis says the reference's value."""
    found: dict[str, Verdict] = {}
    for slot in SLOTS:
        meant, said = getattr(reference, slot), getattr(hypothesis, slot)
        unmarked = UNMARKED.get(slot)
        if meant is None and said is None:
            continue
        if meant == said:
            found[slot] = "right"
        elif said in (None, unmarked):
            found[slot] = "omitted"
        elif meant in (None, unmarked):
            found[slot] = "hallucinated"
        else:
            found[slot] = "wrong"
    return found


def _verdicts(hypotheses: Sequence[str], meant: Sequence[Reading], code: str) -> list[dict[str, Verdict]]:
    return [verdicts_of(read(text, code), reading) for text, reading in zip(hypotheses, meant, strict=True)]


def _meant(given: Meaning | str | Sequence[str], row: int, code: str) -> Reading:
    """What a meaning, or the references of a sentence, say: the one thing that all of its readable ones do."""
    if code not in LANGUAGES:
        raise UserError(f"metrics=[slots] reads toy sentences in {', '.join(LANGUAGES)}, not in {code}.")
    if isinstance(given, Meaning):
        return Reading.of(given)
    ways = [given] if isinstance(given, str) else given
    meanings = {reading for way in ways if (reading := read(way, code)).complete}
    if len(meanings) != 1:
        shown = ways[0] if ways else ""
        raise UserError(
            f"metrics=[slots] reads toy sentences alone: the reference of sentence {row + 1}, {shown!r}, says "
            f"{'no meaning' if not meanings else 'several meanings'} of the toy world."
        )
    return meanings.pop()


def _counts(verdicts: Sequence[Verdict]) -> SlotCounts:
    return SlotCounts(
        right=verdicts.count("right"),
        wrong=verdicts.count("wrong"),
        omitted=verdicts.count("omitted"),
        hallucinated=verdicts.count("hallucinated"),
    )


def _count(verdicts: dict[str, Verdict], verdict: Verdict) -> int:
    return list(verdicts.values()).count(verdict)
