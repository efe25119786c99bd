"""The key of an assessment: which item of which sheet is whose, kept by whoever made the sheets.

Each sheet bears a hash over its items and their owners, so that ratings cannot be joined to the key of another.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from sonar_slt.errors import UserError
from sonar_slt.files import write_json
from sonar_slt.runs.assessment.choice import Choice
from sonar_slt.runs.assessment.design import Control, Screen
from sonar_slt.runs.hypotheses.bundle import ids_hash
from sonar_slt.runs.registry import Record

FORMAT, VERSION = "sonar-slt assessment key", 1
NAME = "key.json"
CALL = "`sonar-slt report RUN_A RUN_B assess.clips=50` writes one beside the sheets"


@dataclass(frozen=True, slots=True)
class Item:
    """A sentence on a sheet, and whose it is."""

    clip: str
    text: str
    systems: tuple[str, ...]
    control: Control | None
    again: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one judge sees in one language. `hash` is what the sheet and its ratings bear."""

    judge: int
    language: str
    hash: str
    items: Mapping[str, Item]

    @classmethod
    def of(cls, shown: Sequence[Screen], *, judge: int, language: str, salt: str) -> Self:
        """The sheet of these screens; an item is named by the place where it stands, which tells nothing."""
        items = {
            item_name(number, place): Item(screen.clip, one.text, one.systems, one.control, screen.again)
            for number, screen in enumerate(shown, start=1)
            for place, one in enumerate(screen.candidates)
        }
        return cls(judge, language, _hash(salt, judge, language, items), items)

    @property
    def file(self) -> str:
        """The name of its page."""
        return f"sheet-{self.judge}.{self.language}.html"


@dataclass(frozen=True, slots=True)
class Key:
    """All sheets of an assessment, and the runs behind its systems by folder: id and name."""

    split: str
    clips_hash: str
    salt: str  # without it, a judge could find the owners that give the sheet's hash by trying them all
    systems: Mapping[str, Mapping[str, str]]
    sheets: tuple[Sheet, ...]


def item_name(number: int, place: int) -> str:
    """The name of the sentence at a place of a screen, such as 017b."""
    return f"{number:03d}{chr(ord('a') + place)}" if place < 26 else f"{number:03d}z{place}"


def salt_of(choices: Sequence[Choice], seed: int) -> str:
    """A word that nobody knows who does not have the systems' sentences; the same command gives the same one."""
    said = [[seed, choice.language, [asdict(clip) for clip in choice.clips]] for choice in choices]
    return _digest(said)


def make_key(records: Sequence[Record], choices: Sequence[Choice], sheets: Sequence[Sheet], salt: str) -> Key:
    """The key of sheets that show these choices."""
    return Key(
        split=choices[0].split,
        clips_hash=ids_hash(clip.id for clip in choices[0].clips),
        salt=salt,
        systems={record.folder.name: {"id": record.id, "name": record.name} for record in records},
        sheets=tuple(sheets),
    )


def write_key(folder: Path, key: Key) -> Path:
    """Write `key.json` into the folder of the sheets; the key of other sheets there is never replaced."""
    path = folder / NAME
    if path.is_file() and {sheet.hash for sheet in read_key(path).sheets} != {sheet.hash for sheet in key.sheets}:
        raise UserError(f"output={folder} holds another assessment, whose ratings need its key: name another folder.")
    write_json(path, {"format": FORMAT, "version": VERSION, **asdict(key)})
    return path


def read_key(path: Path) -> Key:
    """The key in a file; refused where it is none, or where it was changed."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"key={path} cannot be read ({error}): {CALL}.") from error
    try:
        found = json.loads(text)
        known = found["format"] == FORMAT and found["version"] == VERSION
        key = _parse(found)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        known = False
    if not known:
        raise UserError(f"key={path} is not the key of an assessment: {CALL}.")
    for sheet in key.sheets:
        if sheet.hash != _hash(key.salt, sheet.judge, sheet.language, sheet.items):
            raise UserError(f"key={path} was changed: its items do not give the hash of {sheet.file}.")
    return key


def _parse(found: Mapping[str, Any]) -> Key:
    sheets = [
        Sheet(
            int(sheet["judge"]),
            str(sheet["language"]),
            str(sheet["hash"]),
            {
                name: Item(item["clip"], item["text"], tuple(item["systems"]), item["control"], item["again"])
                for name, item in sheet["items"].items()
            },
        )
        for sheet in found["sheets"]
    ]
    systems = {str(name): dict(run) for name, run in found["systems"].items()}
    return Key(str(found["split"]), str(found["clips_hash"]), str(found["salt"]), systems, tuple(sheets))


def _hash(salt: str, judge: int, language: str, items: Mapping[str, Item]) -> str:
    listed = [
        [name, item.clip, item.text, list(item.systems), item.control, item.again] for name, item in items.items()
    ]
    return _digest([salt, judge, language, listed])[:16]


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=True).encode()).hexdigest()
