"""Sentences by machine in a prepared corpus: which are lacking, and how they get into its manifest.

People's sentences are read and never written. Who made which translation stands in `translations.json` beside the
manifest, and the manifest as it was prepared stays there under another name.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from sonar_slt.data import manifest
from sonar_slt.data.counting import unit
from sonar_slt.data.manifest import Manifest, Row
from sonar_slt.data.prepared_folder import MANIFEST, SUMMARY, prepared_in
from sonar_slt.errors import UserError
from sonar_slt.files import read_lines, write_atomically, write_json

PREPARED = "manifest.prepared.jsonl"
"""The manifest as it was before the first translation."""

TRANSLATIONS = "translations.json"
"""Language code -> one entry for each time that translations were written: by what, when, how many."""

FLAGGED = "flagged.jsonl"
"""One line for each translation that lies too far from its sentence."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be translated: from one language into others. `replace` puts aside what machines said before."""

    source: str
    targets: Sequence[str]
    replace: bool = False

    def sentences(self, row: Row, target: str) -> tuple[str, ...]:
        """A clip's sentences that are to be said in a target language; none where it has some."""
        if row.texts.get(target) or (row.pseudo.get(target) and not self.replace):
            return ()
        return self.spoken(row)

    def described(self) -> dict[str, Any]:
        """What is to be remembered of it."""
        return {"from": self.source, "replace": self.replace}

    def spoken(self, row: Row) -> tuple[str, ...]:
        """What people said of a clip in the source language."""
        return tuple(text for text in row.texts.get(self.source, ()) if text.strip())


@dataclass(frozen=True, slots=True)
class Lacking:
    """What one target language lacks: distinct sentences to translate, and why other clips need none."""

    sentences: list[str]
    clips: int
    human: int  # clips with people's sentences in the target language
    machine: int  # clips whose machine's sentences stay
    silent: int  # clips without a sentence to translate


@dataclass(frozen=True, slots=True)
class Made:
    """What a translator made of the sentences of an order, by target language and sentence."""

    said: Mapping[str, Mapping[str, str]]
    made_by: Mapping[str, Any]  # in plain values, for whoever asks later
    flagged: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # the cosines that are too low
    drop_flagged: bool = False

    def of(self, sentences: Iterable[str], target: str) -> tuple[str, ...]:
        """The translations of a clip's sentences that go into the manifest, each once."""
        kept = (text for text in sentences if not (self.drop_flagged and text in self.flagged.get(target, ())))
        found = (self.said[target].get(text, "").strip() for text in kept)
        return tuple(dict.fromkeys(said for said in found if said))


def source_language(rows: Iterable[Row], asked: str | None) -> str:
    """The language of people's sentences: the only one there is, or the one that is asked for."""
    known = Counter(code for row in rows for code, said in row.texts.items() if any(text.strip() for text in said))
    told = ", ".join(known)
    if not known:
        raise UserError("No clip has a sentence by people: there is nothing to translate from.")
    if asked is None and len(known) > 1:
        raise UserError(f"People's sentences are in {told}: choose the one to translate from by language=CODE.")
    if asked is not None and asked not in known:
        raise UserError(f"language={asked}: no clip has a sentence by people in it; the manifest has {told}.")
    return asked or next(iter(known))


def lacking(rows: Iterable[Row], order: Order) -> dict[str, Lacking]:
    """What each target language lacks."""
    found: dict[str, dict[str, None]] = {target: {} for target in order.targets}
    why = {target: Counter[str]() for target in order.targets}
    for row in rows:
        for target in order.targets:
            sentences = order.sentences(row, target)
            found[target].update(dict.fromkeys(sentences))
            why[target][_standing(row, target, sentences)] += 1
    return {target: Lacking(list(found[target]), **{key: why[target][key] for key in STANDINGS}) for target in found}


STANDINGS = ("clips", "human", "machine", "silent")


def _standing(row: Row, target: str, sentences: Sequence[str]) -> str:
    if sentences:
        return "clips"
    return "human" if row.texts.get(target) else "machine" if row.pseudo.get(target) else "silent"


def require_writable(folder: Path) -> None:
    """Refuse a prepared folder that takes nothing new, before anything is translated."""
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"Nothing can be written to '{folder}': translations go into the manifest there.")


def write(folder: Path, order: Order, made: Made) -> bool:
    """Put translations into the manifest of a prepared folder; whether it is another one now.

    The manifest is read again, under a lock: what another process has written meanwhile stays.
    """
    with FileLock(folder / ".translations.lock"):
        former = list(Manifest(folder / MANIFEST))
        rows = [_extended(row, order, made) for row in former]
        flags = list(_flags(former, order, made))
        _write_flagged(folder / FLAGGED, flags, order)
        if rows == former:
            return False
        if not (folder / PREPARED).is_file():
            _copy(folder / MANIFEST, folder / PREPARED)
        told = {target: _entry(target, former, rows, flags) for target in order.targets}
        asked = {**order.described(), **made.made_by}
        _write_origins(folder, {target: {**asked, **entry} for target, entry in told.items() if entry})
        manifest.write(folder / MANIFEST, rows)
        _count(folder, rows)
    return True


def _extended(row: Row, order: Order, made: Made) -> Row:
    """The row with what its target languages lacked."""
    pseudo = dict(row.pseudo)
    for target in order.targets:
        sentences = order.sentences(row, target)
        if any(text not in made.said[target] for text in sentences):  # the manifest has changed meanwhile
            continue
        if found := made.of(sentences, target):
            pseudo[target] = found
        elif sentences:
            pseudo.pop(target, None)
    return replace(row, pseudo=pseudo)


# --- beside the manifest ----------------------------------------------------------------------------------------


def _flags(rows: Iterable[Row], order: Order, made: Made) -> Iterator[dict[str, Any]]:
    """A line for each translation that is too far from a clip's sentence."""
    done = "left_out" if made.drop_flagged else "kept"
    for row in rows:
        for target in order.targets:
            for text in order.sentences(row, target):
                if (cosine := made.flagged.get(target, {}).get(text)) is not None:
                    said = {"sentence": text, "translation": made.said[target][text]}
                    yield {"id": row.id, "language": target, "cosine": round(cosine, 4), **said, "done": done}


def _write_flagged(path: Path, lines: Sequence[Mapping[str, Any]], order: Order) -> None:
    """The new lines in the place of those about the same translations."""
    new = {(line["id"], line["language"], line["sentence"]) for line in lines}
    kept = [
        line
        for line in read_lines(path)
        if (line.get("id"), line.get("language"), line.get("sentence")) not in new
        and not (order.replace and line.get("language") in order.targets)
    ]
    if lines or path.is_file():
        write_atomically(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in [*kept, *lines]))


def _entry(
    target: str, former: Sequence[Row], rows: Sequence[Row], flags: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """What is to be remembered of a language that got sentences or lost some; nothing where all is as it was."""
    pairs = zip(former, rows, strict=True)
    changed = [row for before, row in pairs if before.pseudo.get(target) != row.pseudo.get(target)]
    if not changed:
        return {}
    return {
        "clips": sum(target in row.pseudo for row in changed),
        "sentences": sum(len(row.pseudo.get(target, ())) for row in changed),
        "flagged": [flag["id"] for flag in flags if flag["language"] == target],
    }


def _write_origins(folder: Path, entries: Mapping[str, dict[str, Any]]) -> None:
    known = origins(folder)
    for target, entry in entries.items():
        known[target] = [*([] if entry["replace"] else known.get(target, [])), entry]
    write_json(folder / TRANSLATIONS, known)


def origins(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """What is known of the translations in a prepared folder, by language, oldest first."""
    path = folder / TRANSLATIONS
    if not path.is_file():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise UserError(f"'{path}' cannot be read as json: mend it, or move it away.") from error


def _copy(path: Path, copy: Path) -> None:
    draft = copy.with_name(f".{copy.name}.{os.getpid()}.tmp")
    shutil.copyfile(path, draft)
    draft.replace(copy)


def _count(folder: Path, rows: Iterable[Row]) -> None:
    """Count machines' sentences anew in the summary of the corpus."""
    outcome = prepared_in(folder)
    if outcome is None:
        return
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        counts.setdefault(row.split, Counter()).update({code: len(said) for code, said in row.pseudo.items()})
    for split, found in outcome.summary["splits"].items():
        counted = counts.get(split, Counter())
        for code in counted:
            none = {"sentences": 0, "words": 0, "vocabulary": 0, "unit": unit(code)}
            found["languages"].setdefault(code, none)
        for code, said in found["languages"].items():
            said["pseudo"] = counted[code]
    write_json(folder / SUMMARY, outcome.summary)
