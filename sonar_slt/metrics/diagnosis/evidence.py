"""What speaks for each sign of failure: figures in, a line for every language or look in which the sign is met.

Figures that are absent say nothing. The thresholds lie between the sound runs of the studies and those that failed.
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


Evidence = Callable[[Case], list[str]]


def warned(warning: str) -> Evidence:
    """A counted warning of the scores, once it is frequent."""
    return lambda case: [
        f"{_name(entry)}: {count} of {entry['n']}"
        for entry in case.entries
        for name, count in (entry.get("warnings") or {}).items()
        if name.startswith(warning) and count > FREQUENT * entry["n"]
    ]


def not_above(floor: str, title: str) -> Evidence:
    """Languages whose score is not above a floor by more than its noise."""

    def found(case: Case) -> list[str]:
        lows = [
            (entry, (entry["bleu"].get("interval") or [_bleu(entry)])[0], value)
            for entry, value in _standing_on(floor, case.entries)
        ]
        return [
            f"{_name(entry)}: BLEU {_bleu(entry):.1f} (from {low:.1f}), {title} {value:.1f}"
            for entry, low, value in lows
            if low <= value
        ]

    return found


def unconverged(case: Case) -> list[str]:
    """The last look at the dev split, where the vectors lie far off and cannot be read."""
    last = next((row for row in reversed(case.dev) if {"ce", "cosine"} <= row.keys()), None)
    if last is None:
        return []
    cosine, spared = 1 - last["cosine"], last.get("ae", 0.0)
    told = f"at step {last.get('step')} of the dev log: ce {last['ce']:.2f} (ae {spared:.2f}), cosine {cosine:.2f}"
    return [told] if cosine < LOW_COSINE and last["ce"] - spared > DEAR_CE else []


def unfaithful(case: Case) -> list[str]:
    """Languages in which others' references score nearly as much, though the decoder could do better."""
    found, told = case.metrics.get("retrieval_at_1"), []
    for entry, floor in _standing_on("shuffled", case.entries):
        ceiling = entry.get("ceiling")
        if ceiling is None or found is None or ceiling <= floor or (entry.get("ae") or 0.0) < ABLE * ceiling:
            continue
        gain = (_bleu(entry) - floor) / (ceiling - floor)
        if gain < LITTLE_GAIN and found < FEW_FOUND and _bleu(entry) > NOISE:
            told.append(f"{_name(entry)}: BLEU {_bleu(entry):.1f}, with others' references {floor:.1f}")
    return [*told, f"retrieval@1 {found:.1f}"] if told else []


def same_sentence(case: Case) -> list[str]:
    """Languages in which fewer things are said than meant."""
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
    return told


def drifted(case: Case) -> list[str]:
    """Languages in which the decoder no longer reads the teacher's own vectors."""
    return [
        f"{_name(entry)}: auto-encoding {entry['ae']:.1f}, ceiling {entry['ceiling']:.1f}"
        for entry in case.entries
        if entry.get("ae") is not None and entry.get("ceiling") and entry["ae"] < DRIFT * entry["ceiling"]
    ]


def lossy(case: Case) -> list[str]:
    """Where a sentence comes back worse from its own vector than a translation does."""
    pairs = []
    if space := case.metrics.get("space"):
        pairs = [("the space", space["auto_encoding_bleu"].get("mean"), space["translation_bleu"].get("mean"))]
    pairs += [(_name(e), e.get("ae"), _bleu(e)) for e in case.entries if "bleu" in e and e.get("ceiling") is None]
    return [
        f"{name}: auto-encoding {same:.1f}, translation {other:.1f}"
        for name, same, other in pairs
        if same is not None and other is not None and other > NOISE and same < BEHIND * other
    ]


def misaligned(case: Case) -> list[str]:
    """Looks of a space's training in which translations still decode, but drift apart."""
    looks = [row for row in case.dev if {"xsim_plus_plus", "bleu"} <= row.keys()]
    if len(looks) < 2:
        return []
    best, last = min(row["xsim_plus_plus"] for row in looks[:-1]), looks[-1]
    held = last["bleu"] >= STABLE * max(row["bleu"] for row in looks)
    told = f"xsim++ errors {best:.1f} at best, now {last['xsim_plus_plus']:.1f}; BLEU {last['bleu']:.1f}"
    return [told] if held and last["xsim_plus_plus"] - best > MISALIGNED else []


def unseen_behind(case: Case) -> list[str]:
    """The means of trained and of unseen languages, where they lie apart."""
    means = case.metrics.get("mean_bleu") or {}
    trained, unseen = means.get("trained"), means.get("unseen")
    few = trained is not None and unseen is not None and trained > NOISE and unseen < TRAILING * trained
    return [f"BLEU {trained:.1f} in trained languages, {unseen:.1f} in unseen ones"] if few else []


def reworded(case: Case) -> list[str]:
    """Languages in which a model hears the meaning and n-grams do not."""
    return [
        f"{_name(entry)}: BLEU {_bleu(entry):.1f}, BLEURT {entry['bleurt']['value']:.2f}"
        for entry in case.entries
        if {"bleu", "bleurt"} <= entry.keys() and _bleu(entry) < LOW_BLEU and entry["bleurt"]["value"] >= GOOD_BLEURT
    ]


def _standing_on(floor: str, entries: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], float]]:
    """Entries that know this floor, with its BLEU."""
    for entry in entries:
        value = ((entry.get("floors") or {}).get(floor) or {}).get("bleu")
        if value is not None and "bleu" in entry:
            yield entry, float(value)


def _bleu(entry: Mapping[str, Any]) -> float:
    return float(entry["bleu"]["value"])


def _name(entry: Mapping[str, Any]) -> str:
    return str(entry.get("name") or entry["language"])
