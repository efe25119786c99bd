"""The variants of a corpus that circulate, and which of them a release on disk is.

Counts and hashes of ids tell variants apart; a number that fits none is said, never mended.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant: clips per split and, where they are known, frames and the hash of the ids per split.

    `source` says who counted.
    """

    name: str
    counts: Mapping[str, int]
    frames: Mapping[str, int] | None = None
    ids: Mapping[str, str] | None = None
    source: str = ""


def ids_hash(ids: Iterable[str]) -> str:
    """The hash of a set of ids, whatever their order: 16 digits of the sha256 of the sorted ids, one in a line."""
    return hashlib.sha256("\n".join(sorted(ids)).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def sources(known: Sequence[Variant]) -> list[str]:
    """Who counted the variants, in one sentence; none where nobody is named."""
    told = [f"{variant.name} by {variant.source}" for variant in known if variant.source]
    return [f"Counted: {'; '.join(told)}."] if told else []


def compare(
    counts: Mapping[str, int],
    ids: Mapping[str, str],
    known: Sequence[Variant],
    *,
    frames: Mapping[str, int] = MappingProxyType({}),
) -> list[str]:
    """Which variant each split is, and what differs from the nearest one; a sentence per split, none without variants.

    `counts` and `ids` are the clips and the hash of the ids of each split that was found, `frames` its frames where
    all of its clips were measured.
    """
    if not known:
        return []
    return [
        _of_split(split, counts.get(split, 0), ids.get(split), known) + _in_frames(split, counts, frames, known)
        for split in _splits(counts, known)
    ]


def _in_frames(split: str, counts: Mapping[str, int], frames: Mapping[str, int], known: Sequence[Variant]) -> str:
    """How the frames of a split compare to those of a variant with as many clips."""
    alike = [
        one.frames[split]
        for one in known
        if one.frames and split in one.frames and one.counts.get(split) == counts.get(split)
    ]
    if not alike or split not in frames:
        return ""
    nearest = min(alike, key=lambda number: abs(number - frames[split]))
    differs = frames[split] - nearest
    told = (
        f"{abs(differs):,} {'more' if differs > 0 else 'fewer'} than the {nearest:,} known" if differs else "as known"
    )
    return f" They have {frames[split]:,} frames, {told}."


def _splits(counts: Mapping[str, int], known: Sequence[Variant]) -> list[str]:
    return list(dict.fromkeys([*counts, *(split for variant in known for split in variant.counts)]))


def _of_split(split: str, count: int, hashed: str | None, known: Sequence[Variant]) -> str:
    offered = [variant for variant in known if split in variant.counts]
    said = f"{split}: {count:,} clips"
    if not offered:
        return f"{said}; no known variant has such a split."
    if same := [variant.name for variant in offered if hashed and (variant.ids or {}).get(split) == hashed]:
        return f"{said}, clip for clip {' and '.join(same)}."
    alike = [variant for variant in offered if variant.counts[split] == count]
    if equal := [variant.name for variant in alike if split not in (variant.ids or {})]:
        return f"{said}, as many as {' and '.join(equal)}."
    if alike:
        return f"{said}, as many as {' and '.join(variant.name for variant in alike)}, but not the same clips."
    nearest = min(offered, key=lambda variant: abs(variant.counts[split] - count))
    differs = count - nearest.counts[split]
    said += f", {abs(differs):,} {'more' if differs > 0 else 'fewer'} than {nearest.name} ({nearest.counts[split]:,})"
    others = [f"{variant.name} ({variant.counts[split]:,})" for variant in offered if variant is not nearest]
    return f"{said}; known too: {', '.join(others)}." if others else f"{said}."
