"""How many clips of each split a run reads, and which faults were found when its corpus was prepared.

What the record of a training or an evaluation says of its data, beside the hash of it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from sonar_slt.data.prepared_folder import prepared_in

if TYPE_CHECKING:
    from sonar_slt.data.clips import Clips

WHOLE = ("hours", "signers")
"""What is known of a split as it was prepared; told where all of it is read."""


def census(data: Clips) -> dict[str, Any]:
    """`splits`: each with its clips, frames and, where known, labelled clips, hours and signers; `faults`: counts."""
    corpus = data.corpus
    outcomes = [outcome for home in corpus.homes.values() if (outcome := prepared_in(home))]
    faults: Counter[str] = Counter()
    for outcome in outcomes:
        faults.update({kind: sum(done.values()) for kind, done in outcome.summary["faults"].items()})
    splits = {}
    for name, rows in data.rows.items():
        found = {"clips": len(rows), "frames": int(corpus.rows.frames[rows.numbers].sum())}
        splits[name] = found | _prepared([outcome.summary["splits"].get(name, {}) for outcome in outcomes], len(rows))
    return {"splits": splits, "faults": dict(sorted(faults.items()))}


def _prepared(summaries: list[dict[str, Any]], read: int) -> dict[str, Any]:
    """What the summaries of the prepared parts add up to; of a part of a split only how many were labelled."""
    if not summaries or not all("labelled" in one for one in summaries):
        return {}
    told = {"labelled": sum(one["labelled"] for one in summaries)}
    if sum(one["clips"] for one in summaries) == read:
        told |= {key: round(sum(one[key] for one in summaries), 4) for key in WHOLE}
    return told
