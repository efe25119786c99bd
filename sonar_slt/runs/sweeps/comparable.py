"""Whether runs may be held against each other at all: the same clips, languages, references, corpus, space and code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from sonar_slt.runs.registry import Record
from sonar_slt.runs.scores.entries import score_rows

STANDS_ON = {"manifest_hash": "corpora", "space_fingerprint": "spaces", "lock_hash": "sets of packages"}


class Judged(Protocol):
    """What is asked of a run here: its training, the record with its scores, and the groups that it is counted in."""

    @property
    def record(self) -> Record:
        """The training."""

    @property
    def judged(self) -> Record:
        """The record that holds the scores."""

    @property
    def groups(self) -> Mapping[str, str]:
        """Swept key to group."""


def doubts(runs: Sequence[Judged], target: str) -> Iterator[str]:
    """What differs between runs and is not what was swept: each a sentence."""
    name, _, where = target.partition("/")
    if name not in ("dev", "train"):
        yield from _scored(runs, name, where)
    elif where == "loss" and any(key.startswith("objective") for run in runs for key in run.groups):
        yield "The loss is not the same sum in all runs, as its terms were swept: it is no measure of which is better."
    for key, what in STANDS_ON.items():
        if _unexplained(runs, [getattr(run.record, key) for run in runs]):
            yield f"The runs are of different {what}: their figures may differ for that alone."
    if _unexplained(runs, [run.record.facts.get("code") for run in runs]):
        yield "The code was changed between the runs: a figure may differ for that alone."


def _scored(runs: Sequence[Judged], name: str, where: str) -> Iterator[str]:
    rows = [[row for row in score_rows(run.judged.metrics) if isinstance(row.get(name), Mapping)] for run in runs]
    if not any(rows):
        return
    chosen = [[row for row in one if is_meant(row, where)] for one in rows]
    languages = {frozenset(str(row.get("language")) for row in one) for one in chosen}
    if len(languages) > 1:
        shown = "; ".join(sorted((" ".join(sorted(codes)) for codes in languages), key=len))
        common = sorted(frozenset.intersection(*languages))
        hint = f", while {name}/{common[0]} is" if common else ""
        yield f"The runs are judged in different languages ({shown}): this mean is not of the same thing{hint}."
    clips: dict[Any, set[Any]] = {}
    for run, one in zip(runs, chosen, strict=True):
        for row in one:
            split = (run.judged.metrics.get("split"), row.get("n"))
            clips.setdefault(row.get("language"), set()).add(row.get("ids_hash") or split)
    if any(len(hashes) > 1 for hashes in clips.values()):
        yield "The runs are judged on different clips: their scores cannot be held against each other."
    signatures = {(row["language"], row[name].get("signature")) for one in chosen for row in one}
    if len(signatures) > len({language for language, _ in signatures}):
        yield "The scores have different signatures: they were reckoned in different ways."
    if len({row.get("references") for one in chosen for row in one}) > 1:
        yield "Some runs are judged by human references and some by machine translations."


def is_meant(row: Mapping[str, Any], where: str) -> bool:
    """Whether a row of scores belongs to a figure: of one language, of the unseen ones, or of the trained ones."""
    return row.get("language") == where if where not in ("", "unseen") else row.get("seen") is (where == "")


def _unexplained(runs: Sequence[Judged], facts: Sequence[Any]) -> bool:
    """Whether something differs between runs that no swept key decides; a key that parts all runs decides nothing."""
    known = [(run.groups, str(fact)) for run, fact in zip(runs, facts, strict=True) if fact is not None]
    if len({fact for _, fact in known}) < 2:
        return False
    for key in known[0][0]:
        pairs = {(groups[key], fact) for groups, fact in known}
        levels = {group for group, _ in pairs}
        if len(pairs) == len(levels) < len(known):
            return False
    return True
