"""What the page of one run holds: its record, scores, curves, samples and the space, as far as they are there.

Everything is read from the run's folder and from that of the run that it scores; what is absent is left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from sonar_slt.files import write_atomically
from sonar_slt.languages import LANGUAGES
from sonar_slt.page import Theme, assembled
from sonar_slt.runs.folder import BREAKDOWN, CONFIG, REPORT, SKELETONS, SPACE, WORDS, is_run, log_of
from sonar_slt.runs.registry import Record, read
from sonar_slt.runs.report.learning import learnt, shown_on_the_way
from sonar_slt.runs.report.samples import shown_samples, skeletons_within
from sonar_slt.runs.scores.entries import score_rows
from sonar_slt.runs.scores.titles import for_pages

LIMIT = 14_500_000
"""Bytes of a page; skeletons are left out beyond it."""
SECTIONS = ("scores", "languages", "breakdown", "curves", "space", "samples", "sample", "origin")
SCRIPTS = ("words.js", "stage.js", *(f"{name}.js" for name in SECTIONS), "run.js")
STYLES = ("stage.css", "run.css")
FEW = 5_000
"""Clips in the space beyond which its map is no picture any more."""


def write_report(folder: Path, *, theme: Theme | None = None) -> Path:
    """Write `report.html` into a run folder from what lies there, and return its path."""
    record = read(folder)
    path = folder / REPORT
    write_atomically(path, page(record, theme=theme))
    return path


def page(record: Record, *, theme: Theme | None = None) -> str:
    """The page of a run."""
    contents = _contents(record)
    contents["names"] = {**_names(contents), **contents["names"]}
    moving = _object(record.folder / SKELETONS)
    used = len(json.dumps(contents, ensure_ascii=False, default=str).encode("utf-8", "replace"))
    clips = skeletons_within(LIMIT - used, moving, [sample["id"] for sample in contents["samples"]])
    contents |= {"edges": moving.get("edges") or [], "parts": moving.get("parts"), "moving": list(clips)}
    contents["left_out"] = sum(sample["id"] in (moving.get("clips") or {}) for sample in contents["samples"]) - len(
        clips
    )
    title = record.name or record.folder.name
    return assembled(
        title, contents, package=__package__, scripts=SCRIPTS, styles=STYLES, bulk={"clips": clips}, theme=theme
    )


def _contents(record: Record) -> dict[str, Any]:
    parent = _parent(record)
    logged = next((one for one in (record.folder, parent) if one and (one / log_of("train")).is_file()), record.folder)
    metrics = record.metrics
    return {
        "run": _header(record),
        "versions": record.versions,
        "config": _text(record.folder / CONFIG),
        "parent_config": _text(parent / CONFIG) if parent else "",
        "overrides": _overrides(record.folder) or (_overrides(parent) if parent else []),
        "corpus": record.facts.get("corpus") or (read(parent).facts.get("corpus") if parent else None),
        "skipped": metrics.get("skipped"),
        "scores": _scores(record),
        "measures": for_pages(),
        "metrics": {key: value for key, value in metrics.items() if isinstance(value, int | float)},
        "retrieval": metrics.get("retrieval"),
        "text_space": metrics.get("space"),
        "legacy": _objects(metrics.get("legacy")),
        "diagnosis": _objects(metrics.get("diagnosis")),
        "curves": learnt(logged),
        "progress": shown_on_the_way(logged),
        "space": _space(record.folder / SPACE),
        **shown_samples(record),
    }


def _names(contents: Mapping[str, Any]) -> dict[str, str]:
    """The languages whose figures are shown though nothing was said in them."""
    shown = {code for chart in contents["curves"]["languages"] for code in chart["lines"]}
    measured = contents["text_space"] if isinstance(contents["text_space"], Mapping) else {}
    pairs = [key for found in measured.values() if isinstance(found, Mapping) for key in found]
    codes = shown | {code for key in pairs for code in str(key).split("-")}
    return {code: LANGUAGES[code].name for code in sorted(codes) if code in LANGUAGES}


def _scores(record: Record) -> list[dict[str, Any]]:
    """A row for each language, with what the same scores are for parts of the split."""
    parts = _object(record.folder / BREAKDOWN)
    return [{"breakdown": parts.get(str(row.get("language"))), **row} for row in score_rows(record.metrics)]


def _header(record: Record) -> dict[str, Any]:
    return {
        "name": record.name or record.folder.name, "verb": record.verb, "status": record.status,
        "reason": record.reason, "id": record.id, "folder": record.folder.name, "parent": record.parent,
        "started": record.started.strftime("%d %B %Y, %H:%M") if record.started else None,
        "seconds": record.seconds, "device": record.device, "seed": record.seed, "git": record.git,
        "manifest": record.manifest_hash, "space": record.space_fingerprint, "lock": record.lock_hash,
        "command": " ".join(record.argv),
    }  # fmt: skip


def _parent(record: Record) -> Path | None:
    """An evaluation learns nothing itself; the run that it scores lies beside it."""
    if not record.parent or Path(record.parent).name != record.parent:
        return None
    beside = record.folder.parent
    named = beside / record.parent
    found = named if named.is_dir() else max(beside.glob(f"*_{record.parent}"), default=None)
    return found if found and is_run(found) else None


def _space(path: Path) -> dict[str, Any] | None:
    """Where clips and sentences lie; parts that do not belong to one another are no map."""
    space = _object(path)
    parts = [space.get(key) for key in ("ids", "z", "s", "sentences")]
    numbers = {len(part) if isinstance(part, list) else 0 for part in parts}
    return space if len(numbers) == 1 and 0 < numbers.pop() <= FEW else None


def _overrides(folder: Path) -> list[str]:
    try:
        found = yaml.safe_load(_text(folder / WORDS))
    except yaml.YAMLError:
        return []
    return [str(word) for word in found] if isinstance(found, list) else []


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
