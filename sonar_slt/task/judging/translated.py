"""One language of an evaluation: what was said of each clip, and how it stands beside what people said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sonar_slt.data.clips import Clips
from sonar_slt.data.manifest import Row
from sonar_slt.languages import language
from sonar_slt.metrics.breakdown import breakdown, by_length
from sonar_slt.metrics.floors import floors
from sonar_slt.metrics.intervals import RESAMPLES, SEED
from sonar_slt.metrics.metric import Measured, Metric
from sonar_slt.metrics.ngrams.bleu import Bleu
from sonar_slt.metrics.ngrams.chrf import Chrf
from sonar_slt.metrics.oddities import oddities
from sonar_slt.metrics.protocols import Protocol
from sonar_slt.metrics.text import ids_hash, measurements, score_translations, scored
from sonar_slt.metrics.vectors import cosine
from sonar_slt.metrics.words.rouge_l import RougeL
from sonar_slt.space.bridged import readable
from sonar_slt.space.student import Student

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


USUAL = Judging()
"""What is asked where nobody says otherwise."""


class Translated:
    """The clips (n) of a split that have a reference in a language, translated from their vectors `z` (n, dim)."""

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
        self.found: dict[str, Measured] = measurements(self.said, self.references, lang=code, metrics=how.metrics)

    def entry(self, nearest: Sequence[str]) -> dict[str, Any]:
        """Every score of the language, with floors and ceilings: all of `metrics.TranslationScores`, and more.

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
