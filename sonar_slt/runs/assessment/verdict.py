"""What ratings say: each system's mean, raw and standardised per judge, with its interval; and how good the judges are.

A judge who fails the hidden controls is named and its ratings stay in; the means without it stand beside them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from sonar_slt.metrics.intervals import RESAMPLES, bootstrap
from sonar_slt.metrics.metric import Stats
from sonar_slt.runs.assessment.key import Key
from sonar_slt.runs.assessment.ratings import Rating, Returned
from sonar_slt.runs.assessment.significance import holm, signed_rank

LEVEL = 0.05
NEEDED = 5
"""Controls without which even a judge who gets all of them right is not below the level: 1/2^5 is."""
Means = Mapping[str, Mapping[str, float]]
"""By system, and by clip."""


def verdict(key: Key, returned: Sequence[Returned], *, seed: int) -> dict[str, Any]:
    """All that is known, by language: systems, pairs, controls, judges, comments; and which sheets did not return."""
    languages: dict[str, list[Returned]] = defaultdict(list)
    for sheet in returned:
        languages[sheet.sheet.language].append(sheet)
    back = {sheet.sheet.hash for sheet in returned}
    return {
        "split": key.split,
        "clips_hash": key.clips_hash,
        "systems": {name: dict(run) for name, run in key.systems.items()},
        "missing": [sheet.file for sheet in key.sheets if sheet.hash not in back],
        "resamples": RESAMPLES,
        "seed": seed,
        "languages": {code: _of_language(list(key.systems), sheets, seed) for code, sheets in languages.items()},
    }


def _of_language(systems: Sequence[str], sheets: Sequence[Returned], seed: int) -> dict[str, Any]:
    judges = [_judge(sheet) for sheet in sheets]
    passed = [sheet for sheet, judge in zip(sheets, judges, strict=True) if judge["control"] != "failed"]
    found = {
        "judges": judges,
        "agreement": _agreement(systems, sheets),
        "systems": _scores(systems, sheets, seed),
        "without_failed": _scores(systems, passed, seed) if 0 < len(passed) < len(sheets) else None,
        "controls": {
            kind: _mean([v for one in sheets for v in _control(one, kind)]) for kind in ("reference", "other")
        },
        "pairs": _pairs(systems, sheets),
    }
    return found | {"comments": [comment for sheet in sheets for comment in _comments(sheet)]}


def _scores(systems: Sequence[str], sheets: Sequence[Returned], seed: int) -> list[dict[str, Any]]:
    """The systems, best first; the interval comes from drawing clips anew."""
    raw, standard = _by_clip(systems, sheets, standardised=False), _by_clip(systems, sheets, standardised=True)
    rows = []
    for name in systems:
        if raw[name]:
            statistics = {
                kind: np.array([list(means[name].values())]).T for kind, means in (("raw", raw), ("z", standard))
            }
            counted = {kind: (np.hstack([values, np.ones_like(values)]), _ratio) for kind, values in statistics.items()}
            ends = bootstrap(counted, RESAMPLES, seed)
            scores = {
                kind: {"value": float(values.mean()), "interval": ends[kind]} for kind, values in statistics.items()
            }
            rows.append({"system": name, **scores, "clips": len(raw[name])})
        else:
            rows.append({"system": name, "raw": None, "z": None, "clips": 0})
    return sorted(rows, key=lambda row: -row["z"]["value"] if row["z"] else np.inf)


def _ratio(sums: Stats) -> Stats:
    """Sums of values and of ones, (corpora, 2), to means (corpora,)."""
    means: Stats = sums[:, 0] / sums[:, 1]
    return means


def _by_clip(systems: Sequence[str], sheets: Sequence[Returned], *, standardised: bool) -> Means:
    """The mean over judges for each system and clip; a judge's two ratings of the same count as their mean."""
    gathered: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in systems}
    for sheet in sheets:
        centre, spread = _usual(sheet) if standardised else (0.0, 1.0)
        own: dict[tuple[str, str], list[float]] = defaultdict(list)
        for rating, value in _rated(sheet):
            for name in rating.item.systems:
                own[name, rating.item.clip].append((value - centre) / spread)
        for (name, clip), values in own.items():
            gathered[name][clip].append(float(np.mean(values)))
    return {name: {clip: float(np.mean(values)) for clip, values in clips.items()} for name, clips in gathered.items()}


def _rated(sheet: Returned) -> list[tuple[Rating, float]]:
    return [(rating, float(rating.value)) for rating in sheet.ratings if rating.value is not None]


def _usual(sheet: Returned) -> tuple[float, float]:
    """Mean and spread of what a judge gave to systems; who gives everything the same has a spread of 1."""
    values = [value for rating, value in _rated(sheet) if rating.item.systems]
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return (float(np.mean(values)) if values else 0.0), spread or 1.0


def _pairs(systems: Sequence[str], sheets: Sequence[Returned]) -> list[dict[str, Any]]:
    """Each two systems on the clips that both were rated for: Wilcoxon's test on the standardised means."""
    means = _by_clip(systems, sheets, standardised=True)
    found, chances = {}, {}
    for pair in combinations(systems, 2):
        one, other = (means[name] for name in pair)
        common = [clip for clip in one if clip in other]
        if common:
            apart = np.array([one[clip] - other[clip] for clip in common])
            chances[pair] = signed_rank(apart)
            found[pair] = {"systems": list(pair), "difference": float(apart.mean()), "clips": len(common)}
    corrected = holm(chances)
    return [{**row, "p": chances[pair], "p_holm": corrected[pair]} for pair, row in found.items()]


def _judge(sheet: Returned) -> dict[str, Any]:
    """How far a judge is to be believed."""
    values = [value for rating, value in _rated(sheet) if rating.item.systems]
    twice = _twice(sheet)
    chance, number = _control_test(sheet)
    return {
        "judge": sheet.sheet.judge,
        "name": sheet.name,
        "rated": len(_rated(sheet)),
        "not_judged": sum(rating.value is None for rating in sheet.ratings),
        "open": sheet.open,
        "mean": _mean(values),
        "spread": float(np.std(values, ddof=1)) if len(values) > 1 else None,
        "reference": _mean(_control(sheet, "reference")),
        "other": _mean(_control(sheet, "other")),
        "control": "too few" if number < NEEDED else "passed" if chance < LEVEL else "failed",
        "control_p": chance,
        "controls": number,
        "repeats": len(twice),
        "repeat_difference": _mean([abs(first - second) for first, second in twice]),
    }


def _control(sheet: Returned, kind: str) -> list[float]:
    return [value for rating, value in _rated(sheet) if rating.item.control == kind and not rating.item.again]


def _control_test(sheet: Returned) -> tuple[float, int]:
    """Whether references are rated above other clips' sentences on the same clips: p and the number of such clips."""
    by_kind: dict[str, dict[str, float]] = {"reference": {}, "other": {}}
    for rating, value in _rated(sheet):
        if rating.item.control and not rating.item.again:
            by_kind[rating.item.control][rating.item.clip] = value
    common = sorted(by_kind["reference"].keys() & by_kind["other"].keys())
    apart = np.array([by_kind["reference"][clip] - by_kind["other"][clip] for clip in common])
    return signed_rank(apart, "greater"), len(common)


def _twice(sheet: Returned) -> list[tuple[float, float]]:
    """First and second rating of what a judge saw twice."""
    seen: dict[bool, dict[tuple[str, str], float]] = {False: {}, True: {}}
    for rating, value in _rated(sheet):
        seen[rating.item.again][rating.item.clip, rating.item.text] = value
    return [(seen[False][what], second) for what, second in seen[True].items() if what in seen[False]]


def _agreement(systems: Sequence[str], sheets: Sequence[Returned]) -> float | None:
    """The mean correlation of two judges over what both rated; None where there is none."""
    each = [_by_clip(systems, [sheet], standardised=True) for sheet in sheets]
    found = []
    for one, other in combinations(each, 2):
        both = [(one[name][clip], other[name][clip]) for name in systems for clip in one[name] if clip in other[name]]
        columns = np.array(both).reshape(-1, 2)
        if len(columns) > 2 and columns.std(axis=0).all():
            found.append(float(np.corrcoef(columns.T)[0, 1]))
    return _mean(found)


def _comments(sheet: Returned) -> list[dict[str, Any]]:
    return [
        {"judge": sheet.sheet.judge, "clip": rating.item.clip, "systems": list(rating.item.systems),
         "control": rating.item.control, "text": rating.item.text, "value": rating.value, "comment": rating.comment}
        for rating in sheet.ratings
        if rating.comment
    ]  # fmt: skip


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
