"""What a prepared corpus amounts to: clips, hours, words and signers per split, and which known variant it is.

The numbers are computed once, when the corpus is prepared; the screen, the page and `check` show the same ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sonar_slt.data.faults import Fault
from sonar_slt.data.known import compare, ids_hash, sources
from sonar_slt.data.manifest import Row
from sonar_slt.data.preparation.outcome import outcome_in
from sonar_slt.data.preparation.rules import Rules
from sonar_slt.data.release import Reading

if TYPE_CHECKING:
    from sonar_slt.data.corpus import Corpus
    from sonar_slt.data.preparation.outcome import Outcome

UNSPACED = ("Hans", "Hant", "Jpan", "Thai", "Laoo", "Khmr", "Mymr", "Tibt")
"""Scripts that put no blank between words: characters are counted there."""
FIRST = ("train", "dev", "test")


def units(text: str, code: str) -> list[str]:
    """What is counted of a sentence: what stands between blanks, or characters in a script that has none."""
    return [sign for sign in text if not sign.isspace()] if code.endswith(UNSPACED) else text.split()


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
            self.words.setdefault(code, Counter()).update(unit for text in said for unit in units(text, code))
        self.pseudo.update({code: len(said) for code, said in row.pseudo.items()})

    def summary(self, labelled: int) -> dict[str, Any]:
        languages = {
            code: {
                "sentences": self.sentences[code],
                "words": self.words[code].total() if code in self.words else 0,
                "vocabulary": len(self.words.get(code, ())),
                "pseudo": self.pseudo[code],
                "unit": "characters" if code.endswith(UNSPACED) else "words",
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


def summarise(corpus: Corpus, reading: Reading, rows: Iterable[Row], faults: Iterable[Fault]) -> dict[str, Any]:
    """Everything that `summary.json` says, in plain values; nothing in it depends on when or how it was made."""
    sums = {split: _Split() for split in ordered(entry.split for entry in reading.entries)}
    for row in rows:
        sums[row.split].add(row)
    labelled = labelled_ids(reading)
    splits = {split: found.summary(len(labelled[split])) for split, found in sums.items()}
    kinds: dict[str, Counter[str]] = {}
    for fault in faults:
        kinds.setdefault(fault.kind, Counter())[fault.done] += 1
    root = getattr(corpus, "root", None)
    return {
        "corpus": corpus.name,
        "fingerprint": corpus.fingerprint,
        "sign_language": corpus.sign_language,
        "root": None if root is None else str(root),
        "settings": dict(corpus.settings()),
        "pose": corpus.pose.described(),
        "preparation": corpus.preparation.described(),
        "splits": splits,
        "known": _known(corpus, labelled, sums),
        "faults": {kind: dict(done) for kind, done in sorted(kinds.items())},
        "notes": list(reading.notes),
    }


def ordered(splits: Iterable[str]) -> list[str]:
    """The splits that occur, those of everybody first; "" for no split is left out."""
    there = dict.fromkeys(split for split in splits if split.strip())
    return [*(split for split in FIRST if split in there), *(split for split in there if split not in FIRST)]


def labelled_ids(reading: Reading) -> dict[str, list[str]]:
    """The ids that the labels have, by split; one that comes twice counts twice."""
    found: dict[str, list[str]] = {split: [] for split in ordered(entry.split for entry in reading.entries)}
    for entry in reading.entries:
        if entry.split in found:
            found[entry.split].append(entry.id)
    return found


def _known(corpus: Corpus, labelled: Mapping[str, list[str]], sums: Mapping[str, _Split]) -> list[str]:
    """Which variant the labels are, and which one is left where clips were left out."""
    lost = {split: kept.ids for split, kept in sums.items() if sorted(kept.ids) != sorted(labelled[split])}
    told = _variant(corpus, labelled, {split: kept.frames for split, kept in sums.items() if split not in lost})
    if lost:
        left = _variant(corpus, lost, {split: sums[split].frames for split in lost})
        kept = [f"Kept of {line}" for line in left if line.partition(":")[0] in lost]
        told = [*(f"Labels of {line}" for line in told), *kept]
    return [*told, *sources(corpus.known)]


def _variant(corpus: Corpus, ids: Mapping[str, list[str]], frames: Mapping[str, int] | None = None) -> list[str]:
    counts = {split: len(found) for split, found in ids.items()}
    hashes = {split: ids_hash(found) for split, found in ids.items()}
    return compare(counts, hashes, corpus.known, frames=frames or {})


def corpus_lines(corpus: Corpus, *, command: str) -> list[str]:
    """A corpus in a few lines: what is prepared, or what its labels say and the command that prepares it."""
    outcome = outcome_in(corpus.prepared)
    return _prepared_lines(outcome) if outcome else _label_lines(corpus, command)


def _prepared_lines(outcome: Outcome) -> list[str]:
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


def _label_lines(corpus: Corpus, command: str) -> list[str]:
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
