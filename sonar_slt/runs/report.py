"""The page of a run: one html file that opens from disk and shows scores, curves and samples with moving skeletons.

Everything that is shown lies inside the file as data; the page's script puts it on screen as text, never as markup.
"""

from __future__ import annotations

import json
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

from sonar_slt.languages import LANGUAGES
from sonar_slt.runs.files import plain, read_lines, write_atomically
from sonar_slt.runs.registry import Record, read
from sonar_slt.runs.table import score_rows

SAMPLES = 12
POINTS = 300
"""More points than this in a curve cannot be told apart on a screen; they are averaged."""
NOT_TERMS = frozenset({"step", "seconds", "epoch", "split"})
BESIDE = ("chrf_",)
"""Figures of single languages whose curves would say what those of BLEU beside them say."""


def write_report(folder: Path) -> Path:
    """Write `report.html` into a run folder from what lies there, and return its path. What is absent is left out."""
    record = read(folder)
    path = folder / "report.html"
    write_atomically(path, _page(record.name or folder.name, _contents(record)))
    return path


def _page(title: str, contents: dict[str, Any]) -> str:
    template = resources.files(__package__).joinpath("report.html").read_text(encoding="utf-8")
    head, body = template.split("<!-- data -->")
    # Inside a script element only "<" could end it; as an escape it is the same json.
    data = json.dumps(plain(contents), ensure_ascii=False).replace("<", "\\u003c")
    script = f'<script type="application/json" id="data">{data}</script>'
    return head.replace("<!-- title -->", escape(title)) + script + body


def _contents(record: Record) -> dict[str, Any]:
    samples = _samples(record)
    config = record.folder / "config.yaml"
    return {
        "run": _header(record),
        "versions": record.versions,
        "config": config.read_text(encoding="utf-8", errors="replace") if config.is_file() else "",
        "scores": score_rows(record.metrics),
        "metrics": {key: value for key, value in record.metrics.items() if isinstance(value, int | float)},
        "curves": _curves(record.folder) or _parent_curves(record),
        **samples,
    }


def _header(record: Record) -> dict[str, Any]:
    return {
        "name": record.name or record.folder.name, "verb": record.verb, "status": record.status,
        "reason": record.reason, "id": record.id, "folder": record.folder.name, "parent": record.parent,
        "started": record.started.strftime("%d %B %Y, %H:%M") if record.started else None,
        "seconds": record.seconds, "device": record.device, "seed": record.seed, "git": record.git,
        "manifest": record.manifest_hash, "space": record.space_fingerprint, "lock": record.lock_hash,
        "command": " ".join(record.argv),
    }  # fmt: skip


def _curves(folder: Path) -> list[dict[str, Any]]:
    """One chart per logged name, in the order in which the names first came."""
    charts: dict[str, dict[str, Any]] = {}
    for split in ("train", "dev"):
        for line in read_lines(folder / f"{split}_log.jsonl"):
            if line.get("split", split) != split or "event" in line:
                continue
            step = line.get("step")
            for key, value in line.items():
                if (
                    key in NOT_TERMS
                    or key.startswith(BESIDE)
                    or not isinstance(step, int | float)
                    or not isinstance(value, int | float)
                ):
                    continue
                name = key.removeprefix(f"{split}/")
                chart = charts.setdefault(name, {"name": name, "train": [], "dev": []})
                chart[split].append((step, value))
    for chart in charts.values():
        chart["train"], chart["dev"] = _thin(chart["train"]), _thin(chart["dev"])
    return list(charts.values())


def _parent_curves(record: Record) -> list[dict[str, Any]]:
    """An evaluation learns nothing itself; the run that it scores lies beside it."""
    if not record.parent or Path(record.parent).name != record.parent:
        return []
    beside = record.folder.parent
    named = beside / record.parent
    folder = named if named.is_dir() else max(beside.glob(f"*_{record.parent}"), default=named)
    return _curves(folder)


def _thin(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    if len(points) <= POINTS:
        return points
    size = -(-len(points) // POINTS)
    blocks = (points[first : first + size] for first in range(0, len(points), size))
    return [(block[-1][0], sum(value for _, value in block) / len(block)) for block in blocks]


def _samples(record: Record) -> dict[str, Any]:
    """The first clips that have a skeleton, then further ones, each with its translations; not chosen by score."""
    files = _hypotheses(record)
    skeletons = _skeletons(record.folder / "skeletons.json")
    clips = skeletons.get("clips") or {}
    ids = list(dict.fromkeys(str(line.get("id")) for path in files for line in read_lines(path)))
    chosen = [*(key for key in clips if key in set(ids)), *(key for key in ids if key not in clips)][:SAMPLES]
    translations: dict[str, list[dict[str, Any]]] = {key: [] for key in chosen}
    for path in files:
        for line in read_lines(path):
            if (key := str(line.get("id"))) in translations:
                translations[key].append(line)
    shown = [{"id": key, "clip": clips.get(key), "translations": translations[key]} for key in chosen]
    names = {code: LANGUAGES[code].name for path in files if (code := _language(path)) in LANGUAGES}
    return {
        "samples": shown,
        "clips": len(ids),
        "split": files[0].name.partition(".")[0] if files else None,
        "names": names,
        "edges": skeletons.get("edges") or [],
        "parts": skeletons.get("parts"),
    }


def _hypotheses(record: Record) -> list[Path]:
    """The files of one split, one per language and in the order of the scores; the test split if there is one."""
    files = sorted((record.folder / "hypotheses").glob("*.jsonl"))
    splits = {path.name.partition(".")[0] for path in files}
    split = next((name for name in ("test", "dev") if name in splits), min(splits, default=""))
    scored = [row.get("language") for row in sorted(score_rows(record.metrics), key=lambda row: not row.get("seen"))]
    ranks = {code: rank for rank, code in enumerate(scored)}
    chosen = (path for path in files if path.name.partition(".")[0] == split)
    return sorted(chosen, key=lambda path: ranks.get(_language(path), len(ranks)))


def _language(path: Path) -> str:
    """The code in a name such as test.deu_Latn.jsonl."""
    return path.name.removesuffix(".jsonl").partition(".")[2]


def _skeletons(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
