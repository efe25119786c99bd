"""What is wrong with a run, read from its scores: known signs of failure, each with its figures and what to try.

Numbers in, findings out; a sign whose figures are absent is not looked for, and a sound run has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LOW_BLEU = 25.0
GOOD_BLEURT = 0.5
"""The paper's system on PHOENIX has BLEU 22 with BLEURT 0.545, and says so: meaning kept, words changed."""
LOW_COSINE = 0.5
DEAR_CE = 0.5
"""Nats a token above auto-encoding's, 65 % more perplexity. Runs of the studies that learnt something have a cosine of
0.5 to 0.9; those that did not learn to read the clip have 0.7 to 0.8 nats more and a cosine of 0.2 to 0.45."""
LITTLE_GAIN = 0.25
FEW_FOUND = 50.0
"""Of the way from shuffled references to the ceiling, and per cent of clips that find their own sentence: the toy runs
that hallucinate have gone 0.15 to 0.2 of it and find 2 to 10; with 100 clips it is 0.35 and 34 to 48."""
ABLE = 0.8
"""Of the ceiling in auto-encoding, from which on the decoder is not to blame."""
DRIFT = 0.9
"""Of the ceiling in auto-encoding: sound runs keep 94 to 100 %, those whose decoder left its place 76 to 89."""
BEHIND = 0.95
"""Of a space's translation in its auto-encoding: the easier task, so that less is a loss in the vector itself."""
MISALIGNED = 5.0
STABLE = 0.98
"""Points by which xsim++ got worse, while BLEU kept this part of its best."""
TRAILING = 0.8
"""Of the trained languages' BLEU in the unseen ones: sound runs have 0.85 to 0.98."""
NOISE = 5.0
"""BLEU under which two means are not compared: both are nothing."""
ALIKE = 0.7
"""Different hypotheses as a part of different references: sound runs have 0.94 to 1."""
FREQUENT = 0.01
"""Of the sentences, from which on an oddity is more than an accident."""

CONTRAST = "sonar-slt train objective=[semantic,mse,cosine,ce,ae,nce]  # a contrast: nearer to its own sentence"
BY_HEART = (
    "sonar-slt train batches.limit=32 trainer.max_steps=500  # 32 clips must be learnt by heart, or input is lost"
)
ANCHOR = "sonar-slt train objective.ae.weight=0.4  # hold the decoder harder"
GENTLE = "sonar-slt train task.student_rate=2.0e-4  # move the decoder less"


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


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of a run."""

    metrics: Mapping[str, Any]
    lines: Mapping[str, Sequence[Mapping[str, Any]]]
    dev: Sequence[Mapping[str, Any]]

    @property
    def entries(self) -> list[Mapping[str, Any]]:
        """The scores of each language."""
        return list(self.metrics.get("scores") or ())


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
    return [finding for sign in SIGNS if (finding := sign(case)) is not None]


def oddity(warning: str, sign: str, meaning: str, tries: Sequence[str]) -> Callable[[Case], Finding | None]:
    """A sign that is a counted warning of the scores, once it is frequent."""

    def found(case: Case) -> Finding | None:
        told = [
            f"{_name(entry)}: {count} of {entry['n']}"
            for entry in case.entries
            for name, count in (entry.get("warnings") or {}).items()
            if name.startswith(warning) and count > FREQUENT * entry["n"]
        ]
        return _finding(sign, told, meaning, tries)

    return found


def _not_converging(case: Case) -> Finding | None:
    last = next((row for row in reversed(case.dev) if {"ce", "cosine"} <= row.keys()), None)
    if last is None:
        return None
    cosine, spared = 1 - last["cosine"], last.get("ae", 0.0)
    told = f"at step {last.get('step')} of the dev log: ce {last['ce']:.2f} (ae {spared:.2f}), cosine {cosine:.2f}"
    return _finding(
        "high cross-entropy with low cosine",
        [told] if cosine < LOW_COSINE and last["ce"] - spared > DEAR_CE else [],
        "The encoder does not converge: its vectors lie far from their sentences', and the decoder cannot read them.",
        [
            BY_HEART,
            "sonar-slt train objective.cosine.weight=5.4  # twice the pull towards the direction",
            "sonar-slt train task.learning_rate=1.0e-3 schedule.warmup=0.1  # a calmer start",
            "sonar-slt train trainer.max_steps=5000  # or it is merely too early",
        ],
    )


def _unfaithful(case: Case) -> Finding | None:
    found = case.metrics.get("retrieval_at_1")
    told = []
    for entry, floor in _above("shuffled", case.entries):
        ceiling = entry.get("ceiling")
        if ceiling is None or found is None or ceiling <= floor or (entry.get("ae") or 0.0) < ABLE * ceiling:
            continue
        gain = (_bleu(entry) - floor) / (ceiling - floor)
        if gain < LITTLE_GAIN and found < FEW_FOUND and _bleu(entry) > NOISE:
            told.append(f"{_name(entry)}: BLEU {_bleu(entry):.1f}, with others' references {floor:.1f}")
    return _finding(
        "fluent but unfaithful",
        [*told, f"retrieval@1 {found:.1f}"] if told else [],
        "The decoder can speak, but what it says is hardly of this clip: it goes by what is frequent in the texts.",
        [
            CONTRAST,
            "sonar-slt train objective.semantic.weight=2.0  # more weight on where the vector lies",
            "sonar-slt train student=frozen  # a decoder that cannot learn to guess",
        ],
    )


def _constant(case: Case) -> Finding | None:
    return _finding(
        "no better than one constant sentence",
        _not_above("constant", "the best constant sentence", case.entries),
        "The clip is not heard at all: one sentence for everything would score as much.",
        [BY_HEART, "sonar-slt check  # what a batch holds when it reaches the adapter", CONTRAST],
    )


def _nearest(case: Case) -> Finding | None:
    return _finding(
        "no better than the nearest training sentence",
        _not_above("nearest", "the sentence of the nearest training clip", case.entries),
        "Nothing is translated that a search among the training clips would not find: sentences are learnt by heart.",
        [
            "sonar-slt train augment=paper  # clips that never look the same twice",
            "sonar-slt train adapter=keypoint adapter.dropout=0.1  # an adapter that remembers less",
            CONTRAST,
        ],
    )


def _same_sentence(case: Case) -> Finding | None:
    told = []
    for entry in case.entries:
        lines = case.lines.get(entry["language"], ())
        said = len({line["hypothesis"] for line in lines})
        meant = len({tuple(line["references"]) for line in lines})
        one = (entry.get("warnings") or {}).get("hypotheses that are one and the same sentence")
        if said < ALIKE * meant:
            told.append(f"{_name(entry)}: {said} different hypotheses for {meant} different references")
        elif one:
            told.append(f"{_name(entry)}: one sentence for {one} of {entry['n']} clips")
    return _finding(
        "one sentence for many clips",
        told,
        "Vectors of different clips fall together, or the decoder answers them alike.",
        [CONTRAST, BY_HEART, "sonar-slt train adapter=keypoint pooling@adapter.pooling=attention  # not a mean"],
    )


def _drifted(case: Case) -> Finding | None:
    told = [
        f"{_name(entry)}: auto-encoding {entry['ae']:.1f}, ceiling {entry['ceiling']:.1f}"
        for entry in case.entries
        if entry.get("ae") is not None and entry.get("ceiling") and entry["ae"] < DRIFT * entry["ceiling"]
    ]
    return _finding(
        "auto-encoding far below the ceiling",
        told,
        "The decoder has left the space: it no longer says well what the teacher's own vectors mean.",
        [ANCHOR, GENTLE, "sonar-slt train student.rank=4  # fewer weights to drift with"],
    )


def _bottleneck(case: Case) -> Finding | None:
    pairs = []
    if space := case.metrics.get("space"):
        pairs = [("the space", space["auto_encoding_bleu"].get("mean"), space["translation_bleu"].get("mean"))]
    pairs += [(_name(e), e.get("ae"), _bleu(e)) for e in case.entries if "bleu" in e and e.get("ceiling") is None]
    told = [
        f"{name}: auto-encoding {same:.1f}, translation {other:.1f}"
        for name, same, other in pairs
        if same is not None and other is not None and other > NOISE and same < BEHIND * other
    ]
    return _finding(
        "auto-encoding far below translation",
        told,
        "Information is lost in the bottleneck: a sentence should come back from its own vector more easily.",
        [
            "sonar-slt train experiment=toy_space task.dim=256  # a wider vector",
            "sonar-slt train experiment=toy_space objective.denoising.weight=0.05  # more of saying the same again",
            ANCHOR,
        ],
    )


def _misaligned(case: Case) -> Finding | None:
    looks = [row for row in case.dev if {"xsim_plus_plus", "bleu"} <= row.keys()]
    told = []
    if len(looks) > 1:
        best, last = min(row["xsim_plus_plus"] for row in looks[:-1]), looks[-1]
        held = last["bleu"] >= STABLE * max(row["bleu"] for row in looks)
        if held and last["xsim_plus_plus"] - best > MISALIGNED:
            told = [f"xsim++ errors {best:.1f} at best, now {last['xsim_plus_plus']:.1f}; BLEU {last['bleu']:.1f}"]
    return _finding(
        "xsim++ worse while BLEU holds",
        told,
        "Translations still decode well, but no longer meet in one place: students of this space get a vaguer goal.",
        [
            "sonar-slt train experiment=toy_space objective.mse.weight=0.2  # pull translations together harder",
            "sonar-slt train experiment=toy_space objective.mse.start=0.3  # and sooner",
        ],
    )


def _unseen(case: Case) -> Finding | None:
    means = case.metrics.get("mean_bleu") or {}
    trained, unseen = means.get("trained"), means.get("unseen")
    few = trained is not None and unseen is not None and trained > NOISE and unseen < TRAILING * trained
    codes = ",".join(entry["language"] for entry in case.entries)
    return _finding(
        "unseen languages far below the trained ones",
        [f"BLEU {trained:.1f} in trained languages, {unseen:.1f} in unseen ones"] if few else [],
        "The decoder has moved towards the languages of training, or vectors lie where only those can be read.",
        [
            f"sonar-slt train languages.anchors=[{codes}]  # auto-encoding in all of them, which the table then says",
            GENTLE,
            "sonar-slt train student=frozen  # what the vectors alone are worth",
        ],
    )


def _low_bleu(case: Case) -> Finding | None:
    told = [
        f"{_name(entry)}: BLEU {_bleu(entry):.1f}, BLEURT {entry['bleurt']['value']:.2f}"
        for entry in case.entries
        if {"bleu", "bleurt"} <= entry.keys() and _bleu(entry) < LOW_BLEU and entry["bleurt"]["value"] >= GOOD_BLEURT
    ]
    return _finding(
        "low BLEU with good BLEURT",
        told,
        "Said in other words. Expected of vectors as the goal, and no failure where meaning is what counts.",
        ["sonar-slt train objective.ce.weight=0.2  # more weight on the very words of the reference"],
    )


SIGNS: tuple[Callable[[Case], Finding | None], ...] = (
    oddity(
        "empty hypotheses", "empty hypotheses",
        "The decoder ends before its first word: the vector is far from all that it has seen.",
        [BY_HEART, ANCHOR],
    ),
    oddity(
        "hypotheses mostly in another script", "hypotheses in the wrong script",
        "The decoder no longer heeds the language that it is asked for.", [ANCHOR, GENTLE],
    ),
    oddity(
        "hypotheses over", "hypotheses that do not end",
        "The decoder says the same over and over: the vector, or the decoder, is out of its place.", [BY_HEART, ANCHOR],
    ),
    _not_converging, _constant, _same_sentence, _unfaithful, _nearest, _drifted, _bottleneck, _misaligned, _unseen,
    _low_bleu,
)  # fmt: skip
"""The gravest first."""


def _finding(sign: str, told: Sequence[str], meaning: str, tries: Sequence[str]) -> Finding | None:
    if not told:
        return None
    return Finding(sign=sign, evidence="; ".join(told) + ".", meaning=meaning, remedies=tuple(tries))


def _above(floor: str, entries: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], float]]:
    """Entries that know this floor, with its BLEU."""
    for entry in entries:
        value = ((entry.get("floors") or {}).get(floor) or {}).get("bleu")
        if value is not None and "bleu" in entry:
            yield entry, float(value)


def _not_above(floor: str, title: str, entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Languages whose score is not above a floor by more than its noise."""
    found = []
    for entry, value in _above(floor, entries):
        low = (entry["bleu"].get("interval") or [_bleu(entry)])[0]
        if low <= value:
            found.append(f"{_name(entry)}: BLEU {_bleu(entry):.1f} (from {low:.1f}), {title} {value:.1f}")
    return found


def _bleu(entry: Mapping[str, Any]) -> float:
    return float(entry["bleu"]["value"])


def _name(entry: Mapping[str, Any]) -> str:
    return str(entry.get("name") or entry["language"])
