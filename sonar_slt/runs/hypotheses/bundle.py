"""The hypotheses of a run as one zip that others can check: ids, references, scores with signatures, plain text.

The same run gives the same bytes. A zip is read entry by entry into memory, never unpacked, and checked before use.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from sonar_slt.errors import UserError
from sonar_slt.files import plain
from sonar_slt.runs.folder import CONFIG, all_hypotheses
from sonar_slt.runs.hypotheses.recheck import readme
from sonar_slt.runs.registry import Record, read
from sonar_slt.runs.scores.entries import score_rows

FORMAT, VERSION = "sonar-slt bundle", 1
LARGEST = 1 << 29
"""Bytes that all entries of a zip may hold together once they are unpacked; 100,000 clips in six languages fit."""
MOST = 10_000
"""Entries a zip may have."""
EPOCH = (1980, 1, 1, 0, 0, 0)
FACTS = ("id", "name", "verb", "parent", "git", "lock_hash", "versions", "seed", "device")
HYPOTHESES = re.compile(r"hypotheses/([\w-]+)\.([a-z]{3}_[A-Z][a-z]{3})\.jsonl")
CALL = "`sonar-slt report run=ID bundle=FILE.zip` writes one"


class Part(NamedTuple):
    """What was said in one language of one split, one line per clip in the order of the ids."""

    language: str
    split: str
    lines: list[dict[str, Any]]

    @property
    def name(self) -> str:
        """The beginning of its files' names."""
        return f"{self.split}.{self.language}"

    @property
    def ids(self) -> list[str]:
        """The ids of its clips, in order."""
        return [line["id"] for line in self.lines]


def write_bundle(folder: Path, target: Path | None = None) -> Path:
    """Write the bundle of the run in `folder`, to `bundle.zip` there unless a target is named, and return its path."""
    record = read(folder)
    parts = hypotheses(folder)
    manifest = _manifest(record, parts)
    entries = {"manifest.json": json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"}
    entries["README.txt"] = readme(manifest)
    for part in parts:
        entries[f"hypotheses/{part.name}.jsonl"] = "".join(
            json.dumps(line, ensure_ascii=False) + "\n" for line in part.lines
        )
        entries |= {f"text/{part.name}.{kind}.txt": _in_lines(texts) for kind, texts in _texts(part).items()}
    path = target or folder / "bundle.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        draft.write_bytes(_packed(entries))
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return path


def read_bundle(path: Path) -> list[Part]:
    """The languages and splits of a bundle, by name. A foreign, torn or altered zip is refused."""
    return _open(path)[1]


def read_manifest(path: Path) -> dict[str, Any]:
    """What a bundle says of its run; `parts` tells n, ids_hash, scores and whose references, for each language."""
    return _open(path)[0]


def hypotheses(folder: Path) -> list[Part]:
    """The files of a run's `hypotheses`, by name; refused where a line is torn or an id occurs twice."""
    parts = []
    for path in all_hypotheses(folder):
        if named := HYPOTHESES.fullmatch(f"hypotheses/{path.name}"):
            parts.append(Part(named[2], named[1], _lines(path.read_bytes(), str(path))))
    if not parts:
        raise UserError(f"{folder.name} has no hypotheses: `sonar-slt evaluate run=ID` makes a run that has.")
    return parts


def ids_hash(ids: Iterable[str]) -> str:
    """The sha256 of ids in order, one in a line."""
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()


def _manifest(record: Record, parts: Sequence[Part]) -> dict[str, Any]:
    config = record.folder / CONFIG
    splits = sorted({part.split for part in parts})
    facts: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "run": {name: getattr(record, name) for name in FACTS},
        "split": record.metrics.get("split") or (splits[0] if len(splits) == 1 else None),
        "config_hash": hashlib.sha256(config.read_bytes()).hexdigest() if config.is_file() else None,
        "space_fingerprint": record.space_fingerprint,
        "manifest_hash": record.manifest_hash,
        "parts": [],
    }
    rows = {row.get("language"): row for row in score_rows(record.metrics)}
    for part in parts:
        row = rows.get(part.language, {}) if part.split == facts["split"] else {}
        found = ids_hash(part.ids)
        if row.get("ids_hash") not in (None, found):
            raise UserError(
                f"{record.folder.name}: the ids of hypotheses/{part.name}.jsonl are not those that were scored; "
                f"evaluate the run again."
            )
        facts["parts"].append(_described(part, row, found))
    made: dict[str, Any] = plain(facts)
    return made


def _described(part: Part, row: Mapping[str, Any], found: str) -> dict[str, Any]:
    counts = [len(line["references"]) for line in part.lines]
    return {
        "language": part.language,
        "split": part.split,
        "n": len(part.lines),
        "ids_hash": found,
        "references": row.get("references"),
        "references_per_sentence": [min(counts), max(counts)],
        "flattened": sum("\n" in text for line in part.lines for text in (line["hypothesis"], *line["references"])),
        "seen": row.get("seen"),
        "scores": {name: score for name, score in row.items() if _is_score(score)},
    }


def _is_score(value: Any) -> bool:
    return isinstance(value, Mapping) and "signature" in value and isinstance(value.get("value"), int | float)


def _texts(part: Part) -> dict[str, list[str]]:
    """Hypotheses, ids, and references by number; a sentence with fewer references repeats its first one."""
    most = max(len(line["references"]) for line in part.lines)
    references = [line["references"] + line["references"][:1] * (most - len(line["references"])) for line in part.lines]
    numbered = {f"ref{number}": [each[number] for each in references] for number in range(most)}
    return {"hyp": [line["hypothesis"] for line in part.lines], "ids": part.ids, **numbered}


def _in_lines(texts: Iterable[str]) -> str:
    return "".join(text.replace("\n", " ") + "\n" for text in texts)


def _packed(entries: Mapping[str, str]) -> bytes:
    """A zip whose bytes depend on nothing but the entries."""
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in sorted(entries):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(entry, entries[name].encode("utf-8", errors="replace"), compresslevel=9)
    return stream.getvalue()


def _open(path: Path) -> tuple[dict[str, Any], list[Part]]:
    if not path.is_file():
        raise UserError(f"There is no bundle {path}: {CALL}.")
    try:
        with zipfile.ZipFile(path) as archive:
            contents = _unpacked(archive, path)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError) as error:
        raise UserError(f"{path} cannot be read as a zip, perhaps it is torn ({error}): {CALL}.") from error
    manifest = _understood(contents.get("manifest.json", b""), path)
    parts = []
    for described in manifest["parts"]:
        part = Part(described["language"], described["split"], [])
        name = f"hypotheses/{part.name}.jsonl"
        if name not in contents or not HYPOTHESES.fullmatch(name):
            raise UserError(f"{path} lacks {name}, which its manifest.json names.")
        part.lines.extend(_lines(contents[name], f"{path}:{name}"))
        if ids_hash(part.ids) != described["ids_hash"]:
            raise UserError(f"{path}: the ids in {name} are not those of manifest.json (ids_hash differs).")
        parts.append(part)
    return manifest, parts


def _unpacked(archive: zipfile.ZipFile, path: Path) -> dict[str, bytes]:
    """The manifest and the hypotheses; every name is looked at, and no more is unpacked than may be."""
    entries, left = archive.infolist(), LARGEST
    if len(entries) > MOST:
        raise UserError(f"{path} has {len(entries)} entries; a bundle has {MOST} at most.")
    if len({entry.filename for entry in entries}) < len(entries):
        raise UserError(f"{path} holds a name twice: it is no bundle of ours.")
    contents = {}
    for entry in entries:
        name = entry.filename
        if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
            raise UserError(f"{path} holds {name!r}, a name that leads out of the zip: it is no bundle of ours.")
        if name == "manifest.json" or HYPOTHESES.fullmatch(name):
            with archive.open(entry) as stream:
                contents[name] = stream.read(left + 1)
            left -= len(contents[name])
        if left < 0:
            raise UserError(f"{path} unpacks to more than {LARGEST >> 20} MB: it is not read.")
    return contents


def _understood(text: bytes, path: Path) -> dict[str, Any]:
    """The manifest, with every field that is used here of the type that it must have."""
    try:
        manifest: dict[str, Any] = json.loads(text)
        known = manifest["format"] == FORMAT and isinstance(manifest["version"], int)
        described = {(part["language"], part["split"], part["ids_hash"]) for part in manifest["parts"]}
        known = known and bool(described) and all(isinstance(word, str) for each in described for word in each)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        known = False
    if not known:
        raise UserError(f"{path} is a zip but no bundle of a run (its manifest.json does not say so): {CALL}.")
    if manifest["version"] > VERSION:
        raise UserError(f"{path} is a bundle of version {manifest['version']}, newer than this sonar-slt reads.")
    return manifest


def _lines(text: bytes, where: str) -> list[dict[str, Any]]:
    """The lines of hypotheses, each with an id of its own, a hypothesis and at least one reference."""
    lines: list[dict[str, Any]] = []
    for number, raw in enumerate(text.split(b"\n"), start=1):
        if not raw.strip():
            continue
        try:
            line = json.loads(raw)
            line["id"].encode()  # a torn surrogate has no hash
            whole = isinstance(line["id"], str) and isinstance(line["hypothesis"], str) and bool(line["references"])
            whole = whole and all(isinstance(text, str) for text in line["references"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            whole = False
        if not whole:
            raise UserError(f"{where}, line {number}: expected a json object with id, hypothesis and references.")
        lines.append(line)
    if not lines:
        raise UserError(f"{where} is empty.")
    if len({line["id"] for line in lines}) < len(lines):
        raise UserError(f"{where}: each id may occur once.")
    return lines
