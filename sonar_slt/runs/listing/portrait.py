"""All that is known of one run on the screen: facts, kin, checkpoints, and its scores last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sonar_slt.runs.listing.table import minutes_of, reason_of, status_of
from sonar_slt.runs.registry import Record
from sonar_slt.runs.scores.entries import score_rows
from sonar_slt.runs.scores.numbers import is_number
from sonar_slt.runs.scores.table import scores_table

SHOWN = 12
"""Children that are named; more are counted."""
UNITS = ("B", "kB", "MB", "GB", "TB")


def portrait(record: Record, everything: Sequence[Record] = ()) -> RenderableType:
    """One run; `everything` are the runs beside it, among which are those that go on from it."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for key, value in (*_facts(record), *_kin(record, everything), *_origin(record), *_weights(record)):
        if value not in (None, ""):
            grid.add_row(key, value if isinstance(value, Text) else Text(str(value)))
    for key, value in record.metrics.items():
        if is_number(value):
            grid.add_row(Text(key), f"{value:.4g}")
    return Group(grid, Text(""), scores_table(record.metrics)) if score_rows(record.metrics) else grid


def _facts(record: Record) -> Iterator[tuple[str, Any]]:
    yield "folder", record.folder
    yield "id", record.id
    yield "verb", record.verb
    yield "name", record.name
    yield "status", status_of(record)
    yield "reason", reason_of(record)
    yield "started", record.started and record.started.strftime("%Y-%m-%d %H:%M:%S")
    yield "minutes", minutes_of(record)


def _kin(record: Record, everything: Sequence[Record]) -> Iterator[tuple[str, Any]]:
    """The runs that this one comes from, those that come from it, and the sweep that it is a job of."""
    known = {run.folder.name: run for run in everything}
    again = record.facts.get("rerun_of")
    yield "rerun of", _named(again, known)
    yield "parent", _named(record.parent, known) if record.parent != again else None
    if sweep := record.facts.get("sweep"):
        yield "sweep", f"{Path(str(sweep)).name}, job {record.facts.get('job')}"
    for word, those in (("reruns", "rerun_of"), ("children", "parent")):
        names = [run for run in everything if _comes_from(run, record, those)]
        lines = [f"{run.id}  {run.verb}, {run.status}  {run.folder.name}" for run in names[:SHOWN]]
        yield word, "\n".join([*lines, *([f"and {len(names) - SHOWN} more"] if names[SHOWN:] else [])])


def _comes_from(run: Record, source: Record, how: str) -> bool:
    again = run.facts.get("rerun_of")
    word = again if how == "rerun_of" else None if run.parent == again else run.parent
    return word is not None and Path(str(word)).name in (source.folder.name, source.id)


def _named(word: Any, known: Mapping[str, Record]) -> str | None:
    if word is None:
        return None
    run = known.get(Path(str(word)).name)
    return f"{run.id}  {run.verb}, {run.status}  {run.folder.name}" if run else f"{word} (not here any more)"


def _origin(record: Record) -> Iterator[tuple[str, Any]]:
    git = record.git or {}
    yield (
        "code",
        f"{str(git.get('sha') or 'no commit')[:12]}{' + changes' if git.get('dirty') else ''}" if git else None,
    )
    yield "device", record.device
    yield "seed", record.seed
    yield "manifest", record.manifest_hash
    corpus = record.facts.get("corpus")
    yield from _corpus(corpus) if isinstance(corpus, Mapping) else ()
    yield "space", record.space_fingerprint
    yield "versions", "  ".join(f"{name} {version}" for name, version in record.versions.items())
    yield "command", " ".join(record.argv)


def _corpus(corpus: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    splits, faults = corpus.get("splits") or {}, corpus.get("faults") or {}
    sizes = {name: found.get("clips") if isinstance(found, Mapping) else found for name, found in splits.items()}
    yield "clips", "  ".join(f"{name} {n:,}" for name, n in sizes.items() if is_number(n))
    yield "faults", "  ".join(f"{kind} {n:,}" for kind, n in faults.items() if is_number(n))


def _weights(record: Record) -> Iterator[tuple[str, str]]:
    """Each checkpoint with its size and time."""
    try:
        files = sorted(path for path in record.checkpoints.iterdir() if path.is_file() and path.suffix == ".ckpt")
        told = [(path.name, path.stat()) for path in files]
    except OSError:
        return
    lines = [f"{name}  {_size(at.st_size)}  {datetime.fromtimestamp(at.st_mtime):%Y-%m-%d %H:%M}" for name, at in told]
    yield "checkpoints", "\n".join(lines)


def _size(count: float) -> str:
    for unit in UNITS:
        if count < 1000 or unit == UNITS[-1]:
            break
        count /= 1000
    return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
