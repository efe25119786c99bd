"""What a system said and what was expected of it: from files, from the folder of a run, or from a bundle.

Both sides are joined by id where both have ids, else line by line; what does not fit is refused, never dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sonar_slt.errors import UserError
from sonar_slt.languages import language
from sonar_slt.runs.folder import all_hypotheses, split_and_language
from sonar_slt.runs.hypotheses import bundle
from sonar_slt.runs.hypotheses.text_files import HYPOTHESIS, REFERENCE, TextFile, first_few, read_ids, read_texts
from sonar_slt.runs.registry import Record, all_runs, find
from sonar_slt.runs.scores.entries import score_rows

KEPT = ("name", "seen", "anchored", "ceiling", "ae", "cosine")
"""What a run's record knows of a language that holds however its hypotheses are scored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """What one system said in one language, sentence by sentence."""

    name: str  # of the file, the run or the bundle
    language: str
    hypotheses: list[str]
    references: list[list[str]]
    ids: list[str] | None
    source: str | None = None  # who wrote the references, human or pseudo, where that is known
    facts: Mapping[str, Any] = field(default_factory=dict)


def of_files(hypotheses: str, references: Sequence[str], *, ids: str | None = None, lang: str | None = None) -> System:
    """The system of a file of hypotheses, held against one or several files of references with all sentences each.

    Without reference files the lines of the hypotheses must hold references, as those of a run do.
    """
    if lang is not None:
        language(lang)  # a wrong code is told before any file is read
    said = read_texts(hypotheses, HYPOTHESIS)
    if many := [row for row, texts in enumerate(said.texts, start=1) if len(texts) != 1]:
        raise UserError(f"{hypotheses} has several hypotheses for sentence {many[0]}: one was expected.")
    expected = [_with_text(read_texts(name, REFERENCE)) for name in references] or [_own_references(hypotheses, said)]
    order = [TextFile(ids, [], named := read_ids(ids), [{}] * len(named))] if ids else []
    files = [*order, *expected, said]
    chief = next((file for file in files if file.ids is not None), files[0])
    spoken, *stated = (_in_order_of(chief, file) for file in (said, *expected))
    return System(
        name=hypotheses,
        language=_language(said, lang),
        hypotheses=[text for (text,) in spoken],
        references=[_filled([text for texts in row for text in texts]) for row in zip(*stated, strict=True)],
        ids=chief.ids,
    )


def of_run(root: Path, word: str, *, split: str, languages: Sequence[str] | None = None) -> list[System]:
    """What a run said of a split, a system per language; of a training that said nothing its newest evaluation."""
    run = _that_spoke(root, word, split)
    rows = {str(row.get("language")): row for row in score_rows(run.metrics)}
    there = [part for part in bundle.hypotheses(run.folder) if part.split == split]
    whole = run.metrics.get("split") in (None, split)  # what is known of another split does not hold here
    return [
        _system(run.folder.name, part, rows.get(part.language, {}) if whole else {})
        for part in _asked_for(there, languages, run.folder.name, split)
    ]


def of_bundle(path: Path, *, split: str, languages: Sequence[str] | None = None) -> list[System]:
    """What a bundle's run said of a split, a system per language."""
    known = {(part["language"], part["split"]): part for part in bundle.read_manifest(path)["parts"]}
    there = [part for part in bundle.read_bundle(path) if part.split == split]
    return [
        _system(path.name, part, known[part.language, split]) for part in _asked_for(there, languages, path.name, split)
    ]


def of_word(root: Path, word: str, *, split: str, languages: Sequence[str] | None = None) -> list[System]:
    """The systems of a bundle where the word is the path of a zip, else those of a run."""
    if Path(word).suffix.lower() == ".zip":
        return of_bundle(Path(word).expanduser(), split=split, languages=languages)
    return of_run(root, word, split=split, languages=languages)


def aligned(other: System, chief: System) -> System:
    """`other` in the order of `chief`; refused where they were not asked for the same sentences."""
    pair = f"{chief.name} and {other.name} cannot be compared in {chief.language}"
    if (other.ids is None) != (chief.ids is None):
        raise UserError(f"{pair}: only one of them has ids.")
    if other.ids is None or chief.ids is None:
        if other.references != chief.references:
            raise UserError(f"{pair}: their references differ.")
        return other
    if differing := _differing(other.ids, chief.ids, other.name, chief.name):
        raise UserError(f"{pair}: {differing}.")
    place = {one: row for row, one in enumerate(other.ids)}
    rows = [place[one] for one in chief.ids]
    moved = replace(
        other,
        hypotheses=[other.hypotheses[row] for row in rows],
        references=[other.references[row] for row in rows],
        ids=chief.ids,
    )
    if changed := [one for one, a, b in zip(chief.ids, moved.references, chief.references, strict=True) if a != b]:
        raise UserError(f"{pair}: the references of {len(changed)} ids differ ({first_few(changed)}).")
    return moved


def _system(name: str, part: bundle.Part, row: Mapping[str, Any]) -> System:
    return System(
        name=name,
        language=part.language,
        hypotheses=[line["hypothesis"] for line in part.lines],
        references=[_filled(line["references"]) for line in part.lines],
        ids=part.ids,
        source=row.get("references"),
        facts={key: row[key] for key in KEPT if key in row},
    )


def _that_spoke(root: Path, word: str, split: str) -> Record:
    """The run that a word means, or the newest evaluation of it, whichever has hypotheses of the split."""
    if word == "last":
        spoke = next((run for run in all_runs(root) if _has(run, split)), None)
        if spoke is None:
            raise UserError(f"No run in {root} has hypotheses of {split}: `sonar-slt evaluate` makes some.")
        return spoke
    run = find(root, word)
    if _has(run, split):
        return run
    heirs = [one for one in all_runs(root) if one.parent in (run.folder.name, run.id) and _has(one, split)]
    if heirs:
        return heirs[0]
    splits = sorted({split_and_language(path)[0] for path in all_hypotheses(run.folder)})
    hint = f"it has those of {', '.join(splits)}" if splits else f"`sonar-slt evaluate run={run.id}` makes some"
    raise UserError(f"{run.folder.name} has no hypotheses of split={split}: {hint}.")


def _has(run: Record, split: str) -> bool:
    return bool(all_hypotheses(run.folder, split))


def _asked_for(
    parts: Sequence[bundle.Part], languages: Sequence[str] | None, name: str, split: str
) -> Iterable[bundle.Part]:
    if not parts:
        raise UserError(f"{name} has no hypotheses of split={split}.")
    there = {part.language: part for part in parts}
    for code in languages or ():
        if language(code).code not in there:
            raise UserError(f"{name} has no hypotheses in {code}: it has {', '.join(there)}.")
    return [there[code] for code in languages] if languages else parts


def _with_text(file: TextFile) -> TextFile:
    if not any(text.strip() for texts in file.texts for text in texts):
        raise UserError(f"{file.name} holds only blank lines: there is nothing to compare with.")
    return file


def _own_references(name: str, said: TextFile) -> TextFile:
    found = [line.get("references", line.get("reference")) for line in said.lines]
    texts = [[each] if isinstance(each, str) else each for each in found]
    if not all(isinstance(each, list) and each and all(isinstance(one, str) for one in each) for each in texts):
        raise UserError(f"references=FILE is needed: {name} does not hold the references of every sentence.")
    return _with_text(TextFile(name, [list(each or ()) for each in texts], said.ids, said.lines))


def _in_order_of(chief: TextFile, file: TextFile) -> list[list[str]]:
    """The texts of a file as the ids of `chief` want them, or by line where one of both has no ids."""
    if file is chief or file.ids is None or chief.ids is None:
        if len(file.lines) != len(chief.lines):
            raise UserError(
                f"{chief.name} has {len(chief.lines):,} lines and {file.name} has {len(file.lines):,}: "
                "each sentence must stand on the same line of both."
            )
        return file.texts
    if differing := _differing(file.ids, chief.ids, file.name, chief.name):
        raise UserError(f"{file.name} and {chief.name} do not hold the same ids: {differing}.")
    place = {one: texts for one, texts in zip(file.ids, file.texts, strict=True)}
    return [place[one] for one in chief.ids]


def _differing(ids: Sequence[str], wanted: Sequence[str], name: str, chief: str) -> str:
    """Which ids are missing and which are too many, with counts; nothing where they are the same."""
    there, needed = set(ids), set(wanted)
    missing, surplus = [one for one in wanted if one not in there], [one for one in ids if one not in needed]
    told = [f"{len(missing)} of {chief} are missing in {name} ({first_few(missing)})"] if missing else []
    return ", ".join(told + ([f"{len(surplus)} are only in {name} ({first_few(surplus)})"] if surplus else []))


def _filled(texts: list[str]) -> list[str]:
    """Several references without their blank ones; a sentence that has no other keeps one."""
    return [text for text in texts if text.strip()] or texts[:1]


def _language(said: TextFile, lang: str | None) -> str:
    codes = {str(line["language"]) for line in said.lines if "language" in line}
    if lang is None and len(codes) == 1:
        lang = codes.pop()
    if lang is None:
        raise UserError("In which language are the files? Add language=deu_Latn or another code.")
    return language(lang).code
