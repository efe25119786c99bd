"""What a sign student is worth: its vectors against the teacher's, and its own words against the references.

Every hypothesis is generated from the clip's vector; nothing here ever sees a reference before it scores.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sonar_slt.data.clips import Clips
from sonar_slt.data.manifest import Row
from sonar_slt.data.skeleton import skeletons
from sonar_slt.files import write_atomically
from sonar_slt.languages import language
from sonar_slt.metrics.bleu import Bleu
from sonar_slt.metrics.breakdown import breakdown, by_length
from sonar_slt.metrics.chrf import Chrf
from sonar_slt.metrics.diagnosis import diagnosis
from sonar_slt.metrics.floors import floors
from sonar_slt.metrics.intervals import RESAMPLES, SEED
from sonar_slt.metrics.metric import Measured, Metric
from sonar_slt.metrics.oddities import oddities
from sonar_slt.metrics.protocols import Protocol
from sonar_slt.metrics.rouge_l import RougeL
from sonar_slt.metrics.text import ids_hash, measure, score_translations, scored
from sonar_slt.metrics.vectors import cosine
from sonar_slt.progress import counted
from sonar_slt.space.bridged import readable
from sonar_slt.space.student import Student
from sonar_slt.task.ranks import ALONE, Ranks, collected
from sonar_slt.task.whereabouts import Training, Whereabouts

Adapter = torch.nn.Module
Said = Callable[[str], None]

TOGETHER = 128
"""Sentences whose likelihood is asked for at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """How translations are made and what is asked of them."""

    metrics: Sequence[Metric] = (Bleu(), Chrf(), RougeL())
    protocols: Sequence[Protocol] = ()
    num_beams: int = 1
    resamples: int = RESAMPLES
    seed: int = SEED
    shown: int = 12  # clips kept as moving skeletons
    progress: bool = False


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores by language, and every hypothesis they stand on."""

    metrics: dict[str, Any]
    hypotheses: dict[str, list[dict[str, Any]]]  # language -> one line per clip
    breakdown: dict[str, dict[str, Any]]  # language -> scores by length, signer and whether training knows the sentence
    skeletons: dict[str, Any]  # of some clips, to look at
    whereabouts: Whereabouts

    def write(self, folder: Path) -> None:
        """Hypotheses as json lines per language, and what the page of a run shows of them, into a run folder."""
        (folder / "hypotheses").mkdir(exist_ok=True)
        for code, lines in self.hypotheses.items():
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            write_atomically(folder / "hypotheses" / f"{self.metrics['split']}.{code}.jsonl", text)
        write_atomically(folder / "breakdown.json", json.dumps(self.breakdown, ensure_ascii=False))
        write_atomically(folder / "skeletons.json", json.dumps(self.skeletons))
        write_atomically(folder / "space.json", json.dumps(self.whereabouts.as_json(), ensure_ascii=False))


@torch.no_grad()
def embed(adapter: Adapter, data: Clips, split: str, *, progress: bool = False, ranks: Ranks = ALONE) -> Tensor:
    """Vectors (clips, dim) of a whole split, in the manifest's order, on the CPU; each process reads its share."""
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
    how: Judging = Judging(),
    vectors: Tensor | None = None,
    dev: Sequence[Mapping[str, Any]] = (),
    tell: Said = lambda _: None,
) -> Evaluation:
    """Translate a split into each language and score it; `dev` is the training's log, for what may be wrong with it.

    `vectors` (clips, dim) are where its clips land, if that is known already.
    """
    rows = list(data.rows[split])
    tell(f"Reading {len(rows)} clips")
    z = embed(adapter, data, split, progress=how.progress) if vectors is None else vectors
    training = Training(data, languages)
    whereabouts = Whereabouts.of(data, rows, z)
    near = training.nearest(z)
    metrics: dict[str, Any] = {"split": split, "scores": [], "legacy": []}
    hypotheses: dict[str, list[dict[str, Any]]] = {}
    parts: dict[str, dict[str, Any]] = {}
    for code in languages:
        tell(f"Translating into {code}")
        kept = [i for i, row in enumerate(rows) if row.references(code)]
        judged = _Judged(student, data, [rows[i] for i in kept], z[kept], code, how)
        metrics["scores"].append(judged.entry(training.say([near[i] for i in kept], code)))
        metrics["legacy"] += judged.legacy()
        parts[code] = judged.parts(training.known[code])
        hypotheses[code] = list(judged.lines(training.known[code]))
    metrics["retrieval"] = whereabouts.retrieval
    metrics["retrieval_at_1"] = whereabouts.retrieval["at_1"]
    metrics["mean_bleu"] = _means(metrics["scores"])
    metrics["diagnosis"] = [found.as_json() for found in diagnosis(metrics, lines=hypotheses, dev=dev)]
    return Evaluation(metrics, hypotheses, parts, skeletons(data, rows[: how.shown]), whereabouts)


class _Judged:
    """One language: what was said of each clip, and how it stands beside what people said."""

    def __init__(self, student: Student, data: Clips, rows: Sequence[Row], z: Tensor, code: str, how: Judging) -> None:
        self.rows, self.code, self.how = rows, code, how
        self.seen, self.anchored = code in data.targets, code in data.anchors
        self.references = [list(row.references(code)) for row in rows]
        self.said = student.decode(z, code, num_beams=how.num_beams, progress=how.progress)
        self.likely = _likelihoods(student, z, self.said, code)
        first = [given[0] for given in self.references]
        vectors = data.cache.encode(first, code)
        self.cosines = cosine(z.cpu(), vectors).tolist()
        self.ceiling, self.ae = self._round_trips(student, data, first, vectors)
        self.found: dict[str, Measured] = measure(self.said, self.references, lang=code, metrics=how.metrics)

    def entry(self, nearest: Sequence[str]) -> dict[str, Any]:
        """Every score of the language, with its floors and its ceilings.

        Beside each score stand others on the same sentences: the ceiling, the untouched space's own round trip of the
        reference; `ae`, the same round trip through the adapted decoder, which shows how far it has drifted; and the
        floors, above which a system that looked at its clips must be.
        """
        machine = any(row.origin(self.code) == "pseudo" for row in self.rows)
        drawn = {"resamples": self.how.resamples, "seed": self.how.seed}
        floor = floors(
            self.said, self.references, lang=self.code, metrics=self.how.metrics, seed=self.how.seed, nearest=nearest
        )
        return {
            "language": self.code,
            "name": language(self.code).name,
            "seen": self.seen,
            "anchored": self.anchored,
            "ceiling": self.ceiling,
            "ae": self.ae,
            "cosine": _mean(self.cosines),
            "log_likelihood": _mean(self.likely),
            **scored(self.found, **drawn),
            "n": len(self.said),
            "ids_hash": ids_hash(self.references, [row.id for row in self.rows]),
            "references": "pseudo" if machine else "human",
            **drawn,
            "warnings": oddities(self.said, self.references, self.code),
            "floors": floor,
        }

    def parts(self, known: frozenset[str]) -> dict[str, list[dict[str, Any]]]:
        """The scores by length, by signer, and by whether a sentence is one of training's, where there are groups."""
        groups: dict[str, Sequence[str | None]] = {
            "length": by_length(self.references, self.code),
            "signer": [row.signer or None for row in self.rows],
            "sentence": ["seen in training" if known & set(given) else "new" for given in self.references],
        }
        drawn = {"resamples": self.how.resamples, "seed": self.how.seed}
        found = {name: breakdown(self.found, labels, **drawn) for name, labels in groups.items()}
        return {name: rows for name, rows in found.items() if rows}

    def legacy(self) -> list[dict[str, Any]]:
        """The same sentences by the protocols of older papers, for no other purpose than to be compared with those."""
        return [
            {
                "language": self.code,
                "protocol": protocol.name,
                "title": protocol.title,
                "scores": protocol.scores(self.said, self.references),
            }
            for protocol in self.how.protocols
            if self.code in protocol.languages
        ]

    def lines(self, known: frozenset[str]) -> Iterator[dict[str, Any]]:
        """What was said of each clip, with its own scores."""
        own = {name: one.sentences for name, one in self.found.items()}
        for i, row in enumerate(self.rows):
            yield {
                "id": row.id,
                "language": self.code,
                "hypothesis": self.said[i],
                "references": self.references[i],
                "seen": self.seen,
                "scores": {name: round(float(values[i]), 2) for name, values in own.items()},
                "cosine": round(self.cosines[i], 4),
                "log_likelihood": self.likely[i],
                "signer": row.signer,
                "frames": row.frames,
                "fps": row.fps,
                "known": bool(known & set(self.references[i])),
            }

    def _round_trips(
        self, student: Student, data: Clips, first: list[str], vectors: Tensor
    ) -> tuple[float | None, float]:
        """BLEU of the first reference through the space and back, before and after adaptation.

        The former is None where the untouched decoder reads other vectors than those of the space.
        """

        def bleu(texts: list[str]) -> float:
            found = score_translations(texts, self.references, lang=self.code, resamples=0)
            return float(found["scores"]["bleu"]["value"])

        beams, readably = self.how.num_beams, readable(data.space, vectors, first, self.code)
        drifted = bleu(student.decode(vectors, self.code, num_beams=beams))
        if readably is None:
            return None, drifted
        with student.as_teacher() as space:
            return bleu(space.decode(readably, self.code, num_beams=beams)), drifted


@torch.inference_mode()
def _likelihoods(student: Student, z: Tensor, said: Sequence[str], code: str) -> list[float | None]:
    """The student's mean log-probability of a token in each of its own sentences; none where it said nothing."""
    found: list[float | None] = [None] * len(said)
    spoken = [i for i, text in enumerate(said) if text.strip()]
    for start in range(0, len(spoken), TOGETHER):
        places = spoken[start : start + TOGETHER]
        likely = student.log_likelihood(z[places].to(student.space.device), [said[i] for i in places], code)
        for i, value in zip(places, likely.tolist(), strict=True):
            found[i] = round(value, 4)
    return found


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None


def _means(scores: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Mean BLEU over the languages that training saw, and over those that it did not."""
    groups: dict[str, list[float]] = {"trained": [], "unseen": []}
    for entry in scores:
        if "bleu" in entry:
            groups["trained" if entry["seen"] else "unseen"].append(entry["bleu"]["value"])
    return {name: sum(values) / len(values) for name, values in groups.items() if values}
