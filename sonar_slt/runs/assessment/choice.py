"""What is assessed: clips that all runs translated, with what each system said and the reference.

Runs that did not translate the same clips of the same split are refused.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sonar_slt.errors import UserError
from sonar_slt.languages import language
from sonar_slt.runs.hypotheses.bundle import Part, hypotheses
from sonar_slt.runs.registry import Record
from sonar_slt.runs.scores.entries import score_rows

NEAR = 20
"""Clips among which the sentence that fits a clip least is looked for."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip, its sentence by system (named by its folder), its reference, and the reference of another clip."""

    id: str
    said: Mapping[str, str]
    reference: str
    other: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The clips to assess in one language of a split."""

    language: str
    split: str
    clips: list[Clip]


def choose(
    records: Sequence[Record], *, languages: Sequence[str] | None, number: int, shown: Collection[str], seed: int
) -> list[Choice]:
    """Draw the clips, the same ones in every language, from those in `shown`, or from all where that is empty.

    Without languages it is the first trained one that every run has.
    """
    _different(records)
    parts = {record.folder.name: _of_one_split(record) for record in records}
    split = _same_split({name: next(iter(found.values())).split for name, found in parts.items()})
    chosen, ids = [], None
    for code in languages or [_first(records, parts)]:
        language(code)
        each = _same_clips({name: _in_language(name, found, code) for name, found in parts.items()})
        ids = ids or _draw(next(iter(each.values())).ids, number, shown, seed)
        chosen.append(Choice(code, split, _clips(each, ids, seed)))
    return chosen


def _different(records: Sequence[Record]) -> None:
    names = [record.folder.name for record in records]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UserError(f"inputs: {twice} is named twice; systems that are assessed beside each other must differ.")


def _of_one_split(record: Record) -> dict[str, Part]:
    """The hypotheses of the split that was scored, by language."""
    found = hypotheses(record.folder)
    splits = sorted({part.split for part in found})
    split = record.metrics.get("split") if record.metrics.get("split") in splits else None
    split = split or ("test" if "test" in splits else splits[0])
    return {part.language: part for part in found if part.split == split}


def _same_split(splits: Mapping[str, str]) -> str:
    if len(set(splits.values())) > 1:
        told = ", ".join(f"{name} {split}" for name, split in splits.items())
        raise UserError(f"Runs of different splits cannot be assessed beside each other: {told}.")
    return next(iter(splits.values()))


def _first(records: Sequence[Record], parts: Mapping[str, Mapping[str, Part]]) -> str:
    """The first trained language that every run has."""
    common = set.intersection(*(set(found) for found in parts.values()))
    rows = sorted(score_rows(records[0].metrics), key=lambda row: not row.get("seen"))
    codes = [str(row.get("language")) for row in rows] + sorted(common)
    if not common:
        raise UserError(f"These runs have no language in common: {', '.join(parts)}.")
    return next(code for code in codes if code in common)


def _in_language(name: str, found: Mapping[str, Part], code: str) -> Part:
    if code not in found:
        raise UserError(f"languages={code}: {name} was not evaluated in it, but in {', '.join(sorted(found))}.")
    return found[code]


def _same_clips(parts: Mapping[str, Part]) -> Mapping[str, Part]:
    """The parts, once it is sure that they are about the same clips with the same references."""
    (first, base), *rest = parts.items()
    references = {line["id"]: line["references"] for line in base.lines}
    for name, part in rest:
        found = {line["id"]: line["references"] for line in part.lines}
        if lone := sorted(found.keys() ^ references.keys()):
            raise UserError(
                f"{first} and {name} did not translate the same clips of {base.name}: {len(lone)} are in one only, "
                f"such as {lone[0]}."
            )
        if other := next((key for key, texts in references.items() if found[key] != texts), None):
            raise UserError(f"{first} and {name} have different references for clip {other} of {base.name}.")
    return parts


def _draw(ids: Sequence[str], number: int, shown: Collection[str], seed: int) -> list[str]:
    drawn = [key for key in ids if key in shown] if shown else list(ids)
    if number < 1 or number > len(drawn):
        kind = "clips with a skeleton or a video" if shown else "clips"
        raise UserError(f"assess.clips={number}: expected 1 to {len(drawn)}, as many {kind} as there are.")
    return random.Random(f"clips {seed}").sample(drawn, number)


def _clips(parts: Mapping[str, Part], ids: Sequence[str], seed: int) -> list[Clip]:
    said = {name: {line["id"]: line["hypothesis"] for line in part.lines} for name, part in parts.items()}
    references = {line["id"]: line["references"] for line in next(iter(parts.values())).lines}
    rng = random.Random(f"others {seed}")
    return [
        Clip(key, {name: texts[key] for name, texts in said.items()}, references[key][0], _other(key, references, rng))
        for key in ids
    ]


def _other(key: str, references: Mapping[str, Sequence[str]], rng: random.Random) -> str:
    """The sentence of another clip that has least in common with this one's, among a few drawn ones."""
    own = {word for text in references[key] for word in _words(text)}
    elsewhere = [texts[0] for name, texts in references.items() if name != key and texts[0] not in references[key]]
    if not elsewhere:
        raise UserError(
            "All clips have the same sentence: none could serve as another clip's, so set assess.controls=0."
        )
    drawn = rng.sample(elsewhere, min(NEAR, len(elsewhere)))
    return min(drawn, key=lambda text: len(own & _words(text)) / len(own | _words(text)))


def _words(text: str) -> set[str]:
    """Words, or characters where a script writes no spaces between them."""
    words = text.casefold().split()
    return set(words) if len(words) > 1 else set(text)
