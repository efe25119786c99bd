"""What a prepared corpus amounts to: clips, hours, words and signers per split, and which known variant it is.

The numbers are computed once, when the corpus is prepared; the screen, the page and `check` show the same ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sonar_slt.data.counting import unit, units
from sonar_slt.data.faults import Fault
from sonar_slt.data.labels.known import compare, ids_hash, sources
from sonar_slt.data.manifest import Row, ordered
from sonar_slt.data.preparation.preparable import Preparable
from sonar_slt.data.preparation.rules import Rules
from sonar_slt.data.prepared_folder import PreparedFolder, prepared_in
from sonar_slt.data.release import Reading


@dataclass(slots=True)
class _Split:
    """Sums over the clips of a split."""

    ids: list[str] = field(default_factory=list)
    frames: int = 0
    seconds: float = 0.0
    signers: set[str] = field(default_factory=set)
    words: dict[str, Counter[str]] = field(default_factory=dict)
    sentences: Counter[str] = field(default_factory=Counter)
    pseudo: Counter[str] = field(default_factory=Counter)

    def add(self, row: Row) -> None:
        self.ids.append(row.id)
        self.frames += row.frames
        self.seconds += row.frames / row.fps if row.fps else 0.0
        self.signers |= {row.signer} - {""}
        for code, said in row.texts.items():
            self.sentences[code] += len(said)
            self.words.setdefault(code, Counter()).update(one for text in said for one in units(text, code))
        self.pseudo.update({code: len(said) for code, said in row.pseudo.items()})

    def summary(self, labelled: int) -> dict[str, Any]:
        languages = {
            code: {
                "sentences": self.sentences[code],
                "words": self.words[code].total() if code in self.words else 0,
                "vocabulary": len(self.words.get(code, ())),
                "pseudo": self.pseudo[code],
                "unit": unit(code),
            }
            for code in dict.fromkeys([*self.sentences, *self.pseudo])
        }
        return {
            "clips": len(self.ids),
            "labelled": labelled,
            "frames": self.frames,
            "hours": round(self.seconds / 3600, 4),
            "signers": len(self.signers),
            "ids_hash": ids_hash(self.ids),
            "languages": languages,
        }


def summarise(corpus: Preparable, reading: Reading, rows: Iterable[Row], faults: Iterable[Fault]) -> dict[str, Any]:
    """Everything that `summary.json` says, in plain values; nothing in it depends on when or how it was made."""
    labelled = labelled_ids(reading)
    sums = {split: _Split() for split in labelled}
    for row in rows:
        sums[row.split].add(row)
    splits = {split: found.summary(len(labelled[split])) for split, found in sums.items()}
    kinds: dict[str, Counter[str]] = {}
    for fault in faults:
        kinds.setdefault(fault.kind, Counter())[fault.done] += 1
    return {
        **corpus.described(),
        "splits": splits,
        "known": _known(corpus, labelled, sums),
        "faults": {kind: dict(done) for kind, done in sorted(kinds.items())},
        "notes": list(reading.notes),
    }


def labelled_ids(reading: Reading) -> dict[str, list[str]]:
    """The ids that the labels have, by split; one that comes twice counts twice, "" for no split is left out."""
    splits = ordered(entry.split for entry in reading.entries if entry.split.strip())
    found: dict[str, list[str]] = {split: [] for split in splits}
    for entry in reading.entries:
        if entry.split in found:
            found[entry.split].append(entry.id)
    return found


def _known(corpus: Preparable, labelled: Mapping[str, list[str]], sums: Mapping[str, _Split]) -> list[str]:
    """Which variant the labels are, and which one is left where clips were left out."""
    lost = {split: kept.ids for split, kept in sums.items() if sorted(kept.ids) != sorted(labelled[split])}
    told = _variant(corpus, labelled, {split: kept.frames for split, kept in sums.items() if split not in lost})
    if lost:
        left = _variant(corpus, lost, {split: sums[split].frames for split in lost})
        kept = [f"Kept of {line}" for line in left if line.partition(":")[0] in lost]
        told = [*(f"Labels of {line}" for line in told), *kept]
    return [*told, *sources(corpus.known)]


def _variant(corpus: Preparable, ids: Mapping[str, list[str]], frames: Mapping[str, int] | None = None) -> list[str]:
    counts = {split: len(found) for split, found in ids.items()}
    hashes = {split: ids_hash(found) for split, found in ids.items()}
    return compare(counts, hashes, corpus.known, frames=frames or {})


def corpus_lines(corpus: Preparable, *, command: str) -> list[str]:
    """A corpus in a few lines: what is prepared, or what its labels say and the command that prepares it."""
    outcome = prepared_in(corpus.prepared)
    return _prepared_lines(outcome) if outcome else _label_lines(corpus, command)


def _prepared_lines(outcome: PreparedFolder) -> list[str]:
    said = outcome.summary
    counts = ", ".join(f"{found['clips']:,} {split}" for split, found in said["splits"].items())
    hashes = ", ".join(f"{split} {found['ids_hash']}" for split, found in said["splits"].items())
    hours = sum(found["hours"] for found in said["splits"].values())
    return [
        f"Corpus: {said['corpus']}, {counts} clips; {hours:.2f} hours",
        f"Ids: {hashes}",
        *(f"Known: {line}" for line in said["known"]),
        *(f"Note: {line}" for line in said["notes"]),
        f"Faults: {fault_line(said['faults'])}",
        f"Report: {outcome.report}",
    ]


def _label_lines(corpus: Preparable, command: str) -> list[str]:
    reading = corpus.read()
    ids = labelled_ids(reading)
    counts = ", ".join(f"{len(found):,} {split}" for split, found in ids.items())
    hashes = ", ".join(f"{split} {ids_hash(found)}" for split, found in ids.items())
    rules = Rules(reading, corpus.preparation)
    kinds = Counter(fault.kind for faults in (rules.of_labels, *rules.of_clips.values()) for fault in faults)
    return [
        f"Corpus: {corpus.name}, {counts} clips in its labels; `{command}` looks at them",
        f"Ids: {hashes}",
        *(f"Known: {line}" for line in (*_variant(corpus, ids), *sources(corpus.known))),
        *(f"Note: {line}" for line in reading.notes),
        f"Faults of the labels: {fault_line({kind: {'noted': number} for kind, number in kinds.items()})}",
    ]


def fault_line(faults: Mapping[str, Mapping[str, int]]) -> str:
    """How many faults of which kind, most frequent first."""
    totals = Counter({kind: sum(done.values()) for kind, done in faults.items()})
    return ", ".join(f"{number:,} {kind}" for kind, number in totals.most_common()) or "none"
