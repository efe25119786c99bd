"""What a sign student is worth: its vectors against the teacher's, and its own words against the references.

Every hypothesis is generated from the clip's vector; nothing here ever sees a reference before it scores.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sonar_slt.adapter import Adapter
from sonar_slt.data.clips import Clips
from sonar_slt.data.skeleton import skeletons
from sonar_slt.files import write_atomically
from sonar_slt.metrics.diagnosis import diagnosis
from sonar_slt.progress import counted
from sonar_slt.runs.folder import BREAKDOWN, SKELETONS, SPACE, hypotheses_of
from sonar_slt.space.student import Student
from sonar_slt.task.judging.translated import USUAL, Judging, Translated
from sonar_slt.task.judging.whereabouts import Training, Whereabouts
from sonar_slt.task.parallel.ranks import ALONE, Ranks, collected


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores by language, and every hypothesis they stand on."""

    metrics: dict[str, Any]
    hypotheses: dict[str, list[dict[str, Any]]]  # language -> one line per clip
    breakdown: dict[str, dict[str, Any]]  # language -> scores by length, signer and whether training knows the sentence
    skeletons: dict[str, Any]  # of some clips, to look at
    whereabouts: Whereabouts

    def write(self, run: Path) -> None:
        """Hypotheses as json lines per language, and what the page of a run shows of them, into a run folder."""
        for code, lines in self.hypotheses.items():
            path = hypotheses_of(run, self.metrics["split"], code)
            path.parent.mkdir(exist_ok=True)
            write_atomically(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
        write_atomically(run / BREAKDOWN, json.dumps(self.breakdown, ensure_ascii=False))
        write_atomically(run / SKELETONS, json.dumps(self.skeletons))
        write_atomically(run / SPACE, json.dumps(self.whereabouts.as_json(), ensure_ascii=False))


@torch.no_grad()
def land(adapter: Adapter, data: Clips, split: str, *, progress: bool = False, ranks: Ranks = ALONE) -> Tensor:
    """Where a whole split lands (clips, dim), in the manifest's order, on the CPU; each process reads its share."""
    adapter.eval()
    found = []
    with counted("reading", len(data.rows[split]), shown=progress) as advance:
        for batch in data.in_order(split):
            z = adapter(batch.to(data.space.device).tracks).float().cpu()
            found.append(z if batch.counts else z[:0])
            advance(len(batch.ids))
    theirs = zip(*ranks.everyone(found), strict=True)  # piece by piece, of each process its share
    return torch.cat(found) if not ranks.many else torch.stack([row for parts in theirs for row in collected(parts)])


def evaluate(
    adapter: Adapter,
    student: Student,
    data: Clips,
    *,
    split: str,
    languages: Sequence[str],
    how: Judging = USUAL,
    vectors: Tensor | None = None,
    dev: Sequence[Mapping[str, Any]] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """Translate a split into each language and score it; `dev` is the training's log, for what may be wrong with it.

    `vectors` (clips, dim) are where its clips land, if that is known already.
    """
    rows = list(data.rows[split])
    tell(f"Reading {len(rows)} clips")
    z = land(adapter, data, split, progress=how.progress) if vectors is None else vectors
    training = Training(data, languages)
    whereabouts = Whereabouts.of(data, rows, z)
    near = training.nearest(z)
    metrics: dict[str, Any] = {"split": split, "scores": [], "legacy": []}
    said: dict[str, list[dict[str, Any]]] = {}
    parts: dict[str, dict[str, Any]] = {}
    for code in languages:
        tell(f"Translating into {code}")
        kept = [i for i, row in enumerate(rows) if row.references(code)]
        spoken = Translated(student, data, [rows[i] for i in kept], z[kept], code, how)
        metrics["scores"].append(spoken.entry(training.say([near[i] for i in kept], code)))
        metrics["legacy"] += spoken.legacy()
        parts[code] = spoken.parts(training.known[code])
        said[code] = list(spoken.lines(training.known[code]))
    metrics["retrieval"] = whereabouts.retrieval
    metrics["retrieval_at_1"] = whereabouts.retrieval["at_1"]
    metrics["mean_bleu"] = _means(metrics["scores"])
    metrics["diagnosis"] = [found.as_json() for found in diagnosis(metrics, lines=said, dev=dev)]
    return Evaluation(metrics, said, parts, skeletons(data, rows[: how.shown]), whereabouts)


def _means(scores: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Mean BLEU over the languages that training saw, and over those that it did not."""
    groups: dict[str, list[float]] = {"trained": [], "unseen": []}
    for entry in scores:
        if "bleu" in entry:
            groups["trained" if entry["seen"] else "unseen"].append(entry["bleu"]["value"])
    return {name: sum(values) / len(values) for name, values in groups.items() if values}
