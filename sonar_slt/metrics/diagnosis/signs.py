"""The known signs of failure, the gravest first: what each is called, what it means, and what to try.

Numbers in, findings out; a sign whose figures are absent is not looked for, and a sound run has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sonar_slt.metrics.diagnosis import evidence
from sonar_slt.metrics.diagnosis.evidence import Case, Evidence

CONTRAST = "sonar-slt train objective=[semantic,mse,cosine,ce,ae,nce]  # a contrast: nearer to its own sentence"
BY_HEART = (
    "sonar-slt train batches.limit=32 trainer.max_steps=500  # 32 clips must be learnt by heart, or input is lost"
)
ANCHOR = "sonar-slt train objective.ae.weight=0.4  # hold the decoder harder"
GENTLE = "sonar-slt train task.student_rate=2.0e-4  # move the decoder less"
CODES = "CODES"
"""Stands in a command for the languages of the run."""


@dataclass(frozen=True, slots=True)
class Sign:
    """What to look for, and what to say where it is found."""

    name: str
    evidence: Evidence
    meaning: str
    remedies: tuple[str, ...]  # commands, each with its reason behind a #


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One sign of failure."""

    sign: str
    evidence: str  # its figures
    meaning: str
    remedies: tuple[str, ...]  # commands, each with its reason behind a #

    def as_json(self) -> dict[str, Any]:
        """As it stands in the metrics of a run."""
        return {"sign": self.sign, "evidence": self.evidence, "meaning": self.meaning, "try": list(self.remedies)}


SIGNS = (
    Sign(
        "empty hypotheses",
        evidence.warned("empty hypotheses"),
        "The decoder ends before its first word: the vector is far from all that it has seen.",
        (BY_HEART, ANCHOR),
    ),
    Sign(
        "hypotheses in the wrong script",
        evidence.warned("hypotheses mostly in another script"),
        "The decoder no longer heeds the language that it is asked for.",
        (ANCHOR, GENTLE),
    ),
    Sign(
        "hypotheses that do not end",
        evidence.warned("hypotheses over"),
        "The decoder says the same over and over: the vector, or the decoder, is out of its place.",
        (BY_HEART, ANCHOR),
    ),
    Sign(
        "high cross-entropy with low cosine",
        evidence.unconverged,
        "The encoder does not converge: its vectors lie far from their sentences', and the decoder cannot read them.",
        (
            BY_HEART,
            "sonar-slt train objective.cosine.weight=5.4  # twice the pull towards the direction",
            "sonar-slt train task.learning_rate=1.0e-3 schedule.warmup=0.1  # a calmer start",
            "sonar-slt train trainer.max_steps=5000  # or it is merely too early",
        ),
    ),
    Sign(
        "no better than one constant sentence",
        evidence.not_above("constant", "the best constant sentence"),
        "The clip is not heard at all: one sentence for everything would score as much.",
        (BY_HEART, "sonar-slt check  # what a batch holds when it reaches the adapter", CONTRAST),
    ),
    Sign(
        "one sentence for many clips",
        evidence.same_sentence,
        "Vectors of different clips fall together, or the decoder answers them alike.",
        (CONTRAST, BY_HEART, "sonar-slt train adapter=keypoint pooling@adapter.pooling=attention  # not a mean"),
    ),
    Sign(
        "fluent but unfaithful",
        evidence.unfaithful,
        "The decoder can speak, but what it says is hardly of this clip: it goes by what is frequent in the texts.",
        (
            CONTRAST,
            "sonar-slt train objective.semantic.weight=2.0  # more weight on where the vector lies",
            "sonar-slt train student=frozen  # a decoder that cannot learn to guess",
        ),
    ),
    Sign(
        "no better than the nearest training sentence",
        evidence.not_above("nearest", "the sentence of the nearest training clip"),
        "Nothing is translated that a search among the training clips would not find: sentences are learnt by heart.",
        (
            "sonar-slt train augment=paper  # clips that never look the same twice",
            "sonar-slt train adapter=keypoint adapter.dropout=0.1  # an adapter that remembers less",
            CONTRAST,
        ),
    ),
    Sign(
        "auto-encoding far below the ceiling",
        evidence.drifted,
        "The decoder has left the space: it no longer says well what the teacher's own vectors mean.",
        (ANCHOR, GENTLE, "sonar-slt train student.rank=4  # fewer weights to drift with"),
    ),
    Sign(
        "auto-encoding far below translation",
        evidence.lossy,
        "Information is lost in the bottleneck: a sentence should come back from its own vector more easily.",
        (
            "sonar-slt train experiment=toy_space task.dim=256  # a wider vector",
            "sonar-slt train experiment=toy_space objective.denoising.weight=0.05  # more of saying the same again",
            ANCHOR,
        ),
    ),
    Sign(
        "xsim++ worse while BLEU holds",
        evidence.misaligned,
        "Translations still decode well, but no longer meet in one place: students of this space get a vaguer goal.",
        (
            "sonar-slt train experiment=toy_space objective.mse.weight=0.2  # pull translations together harder",
            "sonar-slt train experiment=toy_space objective.mse.start=0.3  # and sooner",
        ),
    ),
    Sign(
        "unseen languages far below the trained ones",
        evidence.unseen_behind,
        "The decoder has moved towards the languages of training, or vectors lie where only those can be read.",
        (
            f"sonar-slt train languages.anchors=[{CODES}]  # auto-encoding in all of them, which the table then says",
            GENTLE,
            "sonar-slt train student=frozen  # what the vectors alone are worth",
        ),
    ),
    Sign(
        "low BLEU with good BLEURT",
        evidence.reworded,
        "Said in other words. Expected of vectors as the goal, and no failure where meaning is what counts.",
        ("sonar-slt train objective.ce.weight=0.2  # more weight on the very words of the reference",),
    ),
)
"""The gravest first."""


def diagnosis(
    metrics: Mapping[str, Any],
    *,
    lines: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    dev: Sequence[Mapping[str, Any]] = (),
) -> list[Finding]:
    """Signs of failure in the metrics of a run, the gravest first; none of a sound one.

    `metrics` are those of an evaluation or of a space's training. `lines` are the hypotheses by language, as in
    `hypotheses/*.jsonl`; `dev` is the dev log of the training, the oldest look first. Both may be absent.
    """
    case = Case(metrics, lines or {}, dev)
    codes = ",".join(entry["language"] for entry in case.entries)
    return [
        Finding(
            sign=sign.name,
            evidence="; ".join(told) + ".",
            meaning=sign.meaning,
            remedies=tuple(command.replace(CODES, codes) for command in sign.remedies),
        )
        for sign in SIGNS
        if (told := sign.evidence(case))
    ]
