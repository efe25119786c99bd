"""What a sign student is worth: its vectors against the teacher's, and its own words against the references.

Every hypothesis is generated from the clip's vector; nothing here ever sees a reference before it scores.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sonar_slt.data.clips import Clips
from sonar_slt.data.manifest import Row
from sonar_slt.data.skeleton import skeletons
from sonar_slt.languages import language
from sonar_slt.metrics.text import score_translations
from sonar_slt.metrics.vectors import cosine, retrieval_at_1
from sonar_slt.runs.files import write_atomically
from sonar_slt.space.bridged import readable
from sonar_slt.space.spread import mean_and_spread
from sonar_slt.space.student import Student

Adapter = torch.nn.Module
Said = Callable[[str], None]

SHOWN = 12
"""How many clips are kept as skeletons."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores by language, and every hypothesis they stand on."""

    metrics: dict[str, Any]
    hypotheses: dict[str, list[dict[str, Any]]]  # language -> one line per clip
    skeletons: dict[str, Any]  # a few of the clips, to look at

    def write(self, folder: Path) -> None:
        """Hypotheses as json lines per language, and the skeletons, into a run folder."""
        (folder / "hypotheses").mkdir(exist_ok=True)
        for code, lines in self.hypotheses.items():
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            write_atomically(folder / "hypotheses" / f"{self.metrics['split']}.{code}.jsonl", text)
        write_atomically(folder / "skeletons.json", json.dumps(self.skeletons))


@torch.inference_mode()
def embed(adapter: Adapter, data: Clips, split: str) -> Tensor:
    """Vectors (clips, dim) of a whole split, in the manifest's order, on the CPU."""
    adapter.eval()
    batches = (batch.to(data.space.device) for batch in data.in_order(split))
    return torch.cat([adapter(batch.tracks).float().cpu() for batch in batches])


def evaluate(
    adapter: Adapter,
    student: Student,
    data: Clips,
    *,
    split: str,
    languages: Sequence[str],
    num_beams: int = 1,
    resamples: int = 1000,
    seed: int = 12345,
    tell: Said = lambda _: None,
) -> Evaluation:
    """Translate a split into each language and score it.

    Beside each score stand two others on the same sentences: the ceiling, the untouched space's own round trip of the
    reference, and `ae`, the same round trip through the adapted decoder, which shows how far it has drifted.
    """
    rows = data.rows[split]
    tell(f"Reading {len(rows)} clips")
    z = embed(adapter, data, split)
    metrics: dict[str, Any] = {"split": split, "scores": []}
    hypotheses: dict[str, list[dict[str, Any]]] = {}
    for code in languages:
        tell(f"Translating into {code}")
        kept = [i for i, row in enumerate(rows) if row.references(code)]
        references = [list(rows[i].references(code)) for i in kept]
        machine = any(rows[i].origin(code) == "pseudo" for i in kept)
        said = student.decode(z[kept], code, num_beams=num_beams)
        ceiling, drifted, near = _round_trips(student, data, references, code, z[kept], num_beams)
        scored = score_translations(
            said,
            references,
            lang=code,
            ids=[rows[i].id for i in kept],
            source="pseudo" if machine else "human",
            resamples=resamples,
            seed=seed,
        )
        entry = {
            "language": code,
            "name": language(code).name,
            "seen": code in data.targets,
            "anchored": code in data.anchors,
        }
        entry |= {"ceiling": ceiling, "ae": drifted, **scored["scores"]}
        entry |= {"n": scored["n"], "ids_hash": scored["ids_hash"], "references": scored["references"]}
        metrics["scores"].append(entry)
        hypotheses[code] = [
            {"id": rows[i].id, "language": code, "hypothesis": text, "references": refs, "seen": entry["seen"]}
            | {"cosine": round(float(value), 4)}
            for i, text, refs, value in zip(kept, said, references, near, strict=True)
        ]
    metrics["retrieval_at_1"] = retrieval(data, rows, z)
    metrics["mean_bleu"] = _means(metrics["scores"])
    return Evaluation(metrics, hypotheses, skeletons(data, rows[:SHOWN]))


def retrieval(data: Clips, rows: Sequence[Row], z: Tensor) -> float:
    """Per cent of clips whose nearest sentence among all of the split's, by centred cosine, is their own.

    In the target language in which most clips have a sentence; clips without one are left out.
    """
    known = {code: [i for i, row in enumerate(rows) if row.references(code)] for code in data.targets}
    code = max(data.targets, key=lambda code: len(known[code]))
    s = data.cache.encode([rows[i].references(code)[0] for i in known[code]], code)
    return retrieval_at_1(z[known[code]].float(), s, center=mean_and_spread(data.train_vectors)["vector_mean"])


def _round_trips(
    student: Student, data: Clips, references: list[list[str]], code: str, z: Tensor, num_beams: int
) -> tuple[float | None, float, Tensor]:
    """BLEU of the first reference through the space and back, before and after adaptation, and cosines to it.

    The first is None where the untouched decoder reads other vectors than those of the space.
    """

    def bleu(texts: list[str]) -> float:
        return float(score_translations(texts, references, lang=code, resamples=0)["scores"]["bleu"]["value"])

    first = [given[0] for given in references]
    vectors = data.cache.encode(first, code)
    known, ceiling = readable(data.space, vectors, first, code), None
    if known is not None:
        with student.as_teacher() as space:
            ceiling = bleu(space.decode(known, code, num_beams=num_beams))
    return ceiling, bleu(student.decode(vectors, code, num_beams=num_beams)), cosine(z.cpu(), vectors)


def _means(scores: list[dict[str, Any]]) -> dict[str, float]:
    """Mean BLEU over the languages that training saw, and over those that it did not."""
    groups: dict[str, list[float]] = {"trained": [], "unseen": []}
    for entry in scores:
        groups["trained" if entry["seen"] else "unseen"].append(entry["bleu"]["value"])
    return {name: sum(values) / len(values) for name, values in groups.items() if values}
