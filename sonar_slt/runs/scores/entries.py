"""The scores in a record, one entry per language, as old and new versions wrote them.

A score of an entry is what has a value and a signature; everything else there may be lacking.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sonar_slt.runs.scores.numbers import is_number
from sonar_slt.runs.scores.titles import TITLES

FACTS = (
    *("n", "ids_hash", "language", "references", "resamples", "seed", "warnings", "floors"),
    *("seen", "ceiling", "ae", "cosine"),
)
"""What `output=FILE` says of a language beside its scores, where it is known."""


def score_rows(metrics: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The rows of `metrics["scores"]`, one per language; anything else there is passed over."""
    return _rows(metrics, "scores")


def legacy_rows(metrics: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The rows of `metrics["legacy"]`, one per language and protocol."""
    return _rows(metrics, "legacy")


def comparisons(metrics: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The rows of `metrics["significance"]`, one per language."""
    return _rows(metrics, "significance")


def scores_in(entry: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The scores of an entry by name, in the order in which they are shown; unknown ones come last."""
    found = {
        name: score for name, score in entry.items() if isinstance(score, Mapping) and is_number(score.get("value"))
    }
    return {name: found[name] for name in (*TITLES, *found) if name in found}


def machine_readable(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """The scores of one language as one object, those of several by language code."""
    by_language = {str(entry["language"]): _machine_readable(entry) for entry in score_rows(metrics)}
    for row in legacy_rows(metrics):
        if (into := by_language.get(str(row.get("language")))) is not None:
            into.setdefault("legacy", {})[str(row.get("protocol"))] = row.get("scores")
    for row in comparisons(metrics):
        if (into := by_language.get(str(row.get("language")))) is not None:
            into["significance"] = {key: value for key, value in row.items() if key != "language"}
    return next(iter(by_language.values())) if len(by_language) == 1 else {"languages": by_language}


def _machine_readable(entry: Mapping[str, Any]) -> dict[str, Any]:
    facts = {name: entry[name] for name in FACTS if name in entry}
    return {"scores": {name: dict(score) for name, score in scores_in(entry).items()}, **facts}


def _rows(metrics: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    rows = metrics.get(key)
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
