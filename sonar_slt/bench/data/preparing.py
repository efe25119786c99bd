"""Preparing a corpus: whether a clip takes as long among many as among few, and what a kill costs.

The corpus is a table with an .npz file of points per clip, prepared by the job that prepares every corpus.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sonar_slt.bench.data.recordings import SOURCES, movements
from sonar_slt.bench.timing import Comparison, seconds
from sonar_slt.data.corpora.table import Table
from sonar_slt.data.corpus import Corpus
from sonar_slt.data.normalise import BySigner
from sonar_slt.data.pose import PoseReader
from sonar_slt.data.preparation import Preparation
from sonar_slt.data.preparation.job import prepare
from sonar_slt.data.recording import Recording
from sonar_slt.data.release import Media
from sonar_slt.errors import UserError

FRAMES = 24
TIMES = 4
LANGUAGE = "eng_Latn"
OPENED = "opened"

PREPARE = """
import sys, pathlib
from sonar_slt.bench.data import preparing
preparing.prepare(preparing.corpus(pathlib.Path(sys.argv[1]), int(sys.argv[2]), again=True), shown=False)
"""
"""What the process does that is killed: one of its own, so that nothing of it is left to clean up here."""


def bench_preparing(folder: Path, *, clips: int) -> Iterator[Comparison]:
    """So many clips, four times and sixteen times as many; then four times as many again with a kill half way."""
    _record(folder / "sources")
    counts = [clips, TIMES * clips, TIMES**2 * clips]
    took = [seconds(lambda count=count: prepare(corpus(folder, count), shown=False)) for count in counts]  # type: ignore[misc]
    few, many = ((took[i + 1] - took[i]) / (counts[i + 1] - counts[i]) for i in (0, 1))
    name = f"prepare a clip: of the next {counts[1] - counts[0]:,} and of the next {counts[2] - counts[1]:,}"
    told = ", ".join(f"{count:,} in {spent:.1f} s" for count, spent in zip(counts, took, strict=True))
    yield Comparison(name, few, many, few / many, note=told)
    whole = _bytes(corpus(folder, counts[1]).prepared)
    spent = _killed(folder, counts[1])
    before = _opened(folder)
    resumed = corpus(folder, counts[1], again=True)
    spent += seconds(lambda: prepare(resumed, shown=False))
    if _bytes(resumed.prepared) != whole:
        raise RuntimeError(f"'{resumed.prepared}' was gone on with, and is not what is prepared in one go.")
    after = _opened(folder) - before
    note = f"killed when {before:,} were opened, gone on with {after:,}; the same bytes"
    name = f"prepare {counts[1]:,} clips: in one go, killed and gone on with"
    yield Comparison(name, took[1], spent, took[1] / spent, note=note)


class _Noting(PoseReader):
    """A reader that leaves a byte for every file that it opens, in whatever process."""

    def __init__(self, notes: Path) -> None:
        super().__init__()
        self.notes = notes

    def read(self, media: Media, *, fps: float | None = None, size: tuple[int, int] | None = None) -> Recording:
        """The points of a clip."""
        with self.notes.open("ab", buffering=0) as stream:
            stream.write(b".")
        return super().read(media, fps=fps, size=size)


def _opened(folder: Path) -> int:
    """How many files were opened for the corpus that is prepared again."""
    return (folder / OPENED).stat().st_size


def _record(folder: Path) -> None:
    """A few recordings in the pixels of a picture."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, points in enumerate(movements(FRAMES)):
        points[..., :2] = 500 + 100 * points[..., :2]
        np.savez(folder / f"{number}.npz", keypoints=points)


def corpus(folder: Path, count: int, *, again: bool = False) -> Corpus:
    """A release of so many clips; their files are links to the few recordings."""
    root = folder / f"release-{count}"
    if not root.is_dir():
        (root / "poses").mkdir(parents=True)
        rows = ["id\ttext\tsplit"]
        for number in range(count):
            os.symlink(folder / "sources" / f"{number % SOURCES}.npz", root / "poses" / f"clip{number:06d}.npz")
            rows.append(
                f"clip{number:06d}\tThis is what clip {number} says.\t{('dev', 'test', 'train')[min(number, 2)]}"
            )
        (root / "table.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return Table(
        root=root,
        folder=folder / ("again" if again else "prepared"),
        preparation=Preparation(normalise=BySigner()),
        table="table.tsv",
        columns={"id": "id", "text": "text", "split": "split"},
        poses="poses",
        language=LANGUAGE,
        fps=25.0,
        pose=_Noting(folder / OPENED) if again else None,
    )


def _killed(folder: Path, count: int) -> float:
    """Prepare in a process that is killed when half of the clips are done: the seconds from its first clip on."""
    prepared = corpus(folder, count, again=True).prepared
    journal = prepared.with_name(f".{prepared.name}.part") / "clips" / "journal"
    process = subprocess.Popen([sys.executable, "-c", PREPARE, str(folder), str(count)], stderr=subprocess.DEVNULL)
    began = None
    while process.poll() is None and (noted := _noted(journal)) < count // 2:
        began = began or (time.perf_counter() if noted else None)
        time.sleep(0.005)
    process.kill()
    if process.wait() >= 0:
        raise UserError(f"A preparation of {count} clips ended before it was killed: give more by prepared=NUMBER.")
    ended = time.perf_counter()
    return ended - (began or ended)


def _noted(journal: Path) -> int:
    try:
        return journal.read_bytes().count(b'"note"')
    except OSError:
        return 0


def _bytes(folder: Path) -> dict[str, bytes]:
    """The manifest and the store."""
    return {path.name: path.read_bytes() for path in (folder / "manifest.jsonl", *sorted((folder / "clips").iterdir()))}
