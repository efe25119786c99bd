"""Ratings that came back from judges, joined with the key: who gave which system how much for which clip.

A file that belongs to another key is refused; what a judge left open is counted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sonar_slt.errors import UserError
from sonar_slt.runs.assessment.key import Item, Key, Sheet

FORMAT, VERSION = "sonar-slt ratings", 1


@dataclass(frozen=True, slots=True)
class Rating:
    """What a judge gave an item, 0 to 100; None where it said that it cannot judge the clip."""

    item: Item
    value: float | None
    comment: str


@dataclass(frozen=True, slots=True)
class Returned:
    """A sheet that came back. `name` is what the judge wrote of itself, if anything; `open` counts unrated items."""

    sheet: Sheet
    name: str
    ratings: tuple[Rating, ...]
    open: int


def read_ratings(paths: Sequence[Path], key: Key) -> list[Returned]:
    """The files that the sheets exported, by language and judge; each sheet may come back once."""
    sheets = {sheet.hash: sheet for sheet in key.sheets}
    returned: dict[str, tuple[Path, Returned]] = {}
    for path in paths:
        raw = _raw(path)
        if (sheet := sheets.get(raw["sheet"])) is None:
            raise UserError(
                f"ratings={path} are of sheet {raw['sheet']}, which this key does not know: "
                f"it knows {', '.join(f'{one.hash} ({one.file})' for one in key.sheets)}."
            )
        if former := returned.get(sheet.hash):
            raise UserError(f"ratings={path} and {former[0]} are both of {sheet.file}: give one of them.")
        returned[sheet.hash] = (path, _joined(path, raw, sheet))
    return sorted((one for _, one in returned.values()), key=lambda one: (one.sheet.language, one.sheet.judge))


def _raw(path: Path) -> dict[str, Any]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        known = raw["format"] == FORMAT and raw["version"] == VERSION and isinstance(raw["sheet"], str)
        known = known and all(isinstance(entry["item"], str) for entry in raw["ratings"])
    except OSError as error:
        raise UserError(f"ratings={path} cannot be read ({error.strerror}): a sheet exports them as json.") from error
    except (ValueError, KeyError, TypeError, RecursionError):
        known = False
    if not known:
        raise UserError(f"ratings={path} is not what a sheet exports as json.")
    found: dict[str, Any] = raw
    return found


def _joined(path: Path, raw: dict[str, Any], sheet: Sheet) -> Returned:
    ratings: dict[str, Rating] = {}
    for entry in raw["ratings"]:
        name, value = entry["item"], entry.get("value")
        if name not in sheet.items or name in ratings:
            raise UserError(f"ratings={path}: item {name!r} is {'there twice' if name in ratings else 'unknown'}.")
        number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100
        if value is not None and not number:
            raise UserError(f"ratings={path}: item {name} is rated {value!r}; expected 0 to 100.")
        ratings[name] = Rating(sheet.items[name], value, str(entry.get("comment") or ""))
    return Returned(sheet, str(raw.get("name") or ""), tuple(ratings.values()), len(sheet.items) - len(ratings))
