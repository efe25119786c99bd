"""The page of a prepared corpus: one html file that opens from disk and shows counts, lengths, faults and clips.

Everything that is shown lies inside the file as data; the page's script puts it on screen as text, never as markup.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sonar_slt.data.counting import units
from sonar_slt.data.faults import KINDS
from sonar_slt.data.layouts import named
from sonar_slt.data.manifest import Manifest
from sonar_slt.data.normalise import BySigner
from sonar_slt.data.prepared_folder import CLIPS, FAULTS, MANIFEST, REPORT, SUMMARY, has_points
from sonar_slt.data.release import Entry
from sonar_slt.data.skeleton import drawing, moving
from sonar_slt.data.store import ClipStore
from sonar_slt.files import read_lines, write_atomically
from sonar_slt.page import assembled

SCRIPTS = ("stage.js", "corpus.js")
STYLES = ("stage.css", "corpus.css")
SAMPLES = 12
LISTED = 400
"""So many faults of a kind are in the page; all of them are in faults.jsonl."""
SIGNERS = 40
BINS = 30
STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


def write_page(folder: Path, entries: Sequence[Entry]) -> Path:
    """Write `report.html` into a prepared folder, and return its path; `entries` know the sentences of faulty clips."""
    summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    rows = Manifest(folder / MANIFEST)
    contents = {**summary, **_measures(rows, summary), **_faults(folder, entries), **_samples(folder, rows)}
    path = folder / REPORT
    text = assembled(str(summary["corpus"]), contents, package=__package__, scripts=SCRIPTS, styles=STYLES)
    write_atomically(path, text)
    return path


def _measures(rows: Manifest, summary: dict[str, Any]) -> dict[str, Any]:
    """How long clips and sentences are, as shares of each split, and who signs how many."""
    code = _first_language(summary)
    seconds: dict[str, list[float]] = {split: [] for split in summary["splits"]}
    words: dict[str, list[float]] = {split: [] for split in summary["splits"]}
    signers: dict[str, Counter[str]] = {}
    for row in rows:
        if row.fps:
            seconds[row.split].append(row.frames / row.fps)
        if code and (said := row.sentences(code)):
            words[row.split].append(len(units(said[0], code)))
        signers.setdefault(row.signer, Counter())[row.split] += 1
    most = sorted(signers.items(), key=lambda item: (-item[1].total(), item[0]))
    return {
        "language": code,
        "seconds": _histogram(seconds, least=STEPS[0]),
        "words": _histogram(words, least=1),
        "signers": [{"name": name, **counts} for name, counts in most[:SIGNERS]],
        "signer_count": len(signers.keys() - {""}),
    }


def _first_language(summary: dict[str, Any]) -> str | None:
    totals: Counter[str] = Counter()
    for split in summary["splits"].values():
        totals.update({code: found["sentences"] for code, found in split["languages"].items()})
    return totals.most_common(1)[0][0] if totals else None


def _histogram(values: dict[str, list[float]], *, least: float) -> dict[str, Any] | None:
    """Counts per bin of equal width, the last one open at its end."""
    everything = [value for found in values.values() for value in found]
    if not everything:
        return None
    far = float(np.quantile(everything, 0.995))
    step = next((step for step in STEPS if step >= least and far / step <= BINS), STEPS[-1])
    number = min(BINS, int(far // step) + 1)
    counts = {
        split: np.bincount([min(int(value // step), number - 1) for value in found], minlength=number).tolist()
        for split, found in values.items()
        if found
    }
    return {"step": step, "counts": counts, "longest": max(everything)}


def _faults(folder: Path, entries: Iterable[Entry]) -> dict[str, Any]:
    listed: Counter[str] = Counter()
    chosen = []
    for fault in read_lines(folder / FAULTS):
        listed[fault["kind"]] += 1
        if listed[fault["kind"]] <= LISTED:
            chosen.append(fault)
    wanted = {fault["id"] for fault in chosen}
    said = {entry.id: _sentence(entry) for entry in entries if entry.id in wanted}
    return {
        "listed": [{**fault, "text": said.get(fault["id"], "")} for fault in chosen],
        "kinds": {kind: KINDS[kind] for kind in listed},
    }


def _sentence(entry: Entry) -> str:
    return next((text for said in (*entry.texts.values(), *entry.pseudo.values()) for text in said if text.strip()), "")


def _samples(folder: Path, rows: Manifest) -> dict[str, Any]:
    """A dozen clips from all over the manifest; they are brought to the signer's frame, however they are stored."""
    if not has_points(folder) or not len(rows):
        return {"samples": [], "edges": [], "parts": {}}
    store, centred = ClipStore(folder / CLIPS), BySigner()
    layout = named(store.layout)
    numbers = np.unique(np.linspace(0, len(rows) - 1, SAMPLES).round().astype(int)).tolist()
    samples = [
        {
            "id": row.id,
            "split": row.split,
            "signer": row.signer,
            "texts": {code: list(row.sentences(code)[:1]) for code in row.languages},
            "gloss": row.gloss,
            "clip": moving(centred(np.asarray(store[number], np.float32), layout), row.fps),
        }
        for number, row in ((number, rows[number]) for number in numbers)
    ]
    return {"samples": samples, **drawing(layout)}
