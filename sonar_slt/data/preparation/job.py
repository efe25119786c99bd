"""The preparation job: read, check, work on clip after clip, write down what was done; killed, it goes on where it was.

Work in progress lies in a hidden folder beside the final one, which appears whole by one rename.
"""

from __future__ import annotations

import errno
import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from sonar_slt.data import manifest
from sonar_slt.data.faults import Fault
from sonar_slt.data.layouts import named
from sonar_slt.data.manifest import Row
from sonar_slt.data.preparation.clip import Prepared, clean, first_layout
from sonar_slt.data.preparation.outcome import CLIPS, FAULTS, MANIFEST, SUMMARY, Outcome, outcome_in
from sonar_slt.data.preparation.page import write_page
from sonar_slt.data.preparation.rules import Rules
from sonar_slt.data.preparation.summary import summarise
from sonar_slt.data.preparation.workers import prepared_clips, suitable
from sonar_slt.data.release import Entry
from sonar_slt.data.store import StoreWriter
from sonar_slt.data.store.shards import DESCRIBED, JOURNAL
from sonar_slt.errors import UserError
from sonar_slt.progress import counted
from sonar_slt.runs.files import replace_folder, write_atomically, write_json

if TYPE_CHECKING:
    from sonar_slt.data.corpus import Corpus

LAYOUT = "layout.txt"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def prepare(corpus: Corpus, *, workers: int | None = None, shown: bool = True, renew: bool = False) -> Outcome:
    """Bring the prepared form of a corpus to disk, unless it is there and is not to be made anew.

    `workers` is the number of processes, None for one per core where that is worth while; it changes no byte.
    """
    folder = corpus.prepared
    if not renew and (there := outcome_in(folder)):
        return there
    with _writing(folder), _alone(folder):
        if not renew and (there := outcome_in(folder)):  # another process was faster
            return there
        part = folder.with_name(f".{folder.name}.{'renewed.' if renew else ''}part")
        _Job(corpus, part, shown=shown).run(workers)
        replace_folder(part, folder)
    made = outcome_in(folder, made=True)
    assert made is not None
    return made


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    lock = FileLock(folder.with_name(f".{folder.name}.lock"))
    try:
        lock.acquire(timeout=1)
    except Timeout:
        print(f"Another process prepares '{folder}'; waiting for it.", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """A place that takes nothing, or nothing more, is the user's to mend."""
    place = folder.parent
    try:
        place.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        if error.errno in FULL:
            free = shutil.disk_usage(place).free
            raise UserError(
                f"No room to write in '{place}' ({free / 1e6:,.0f} MB free; {error.strerror}): make room and give the "
                "command again, which goes on where it was, or choose another folder by paths.corpora=FOLDER."
            ) from error
        if isinstance(error, PermissionError | NotADirectoryError | FileExistsError) or error.errno == errno.EROFS:
            raise UserError(
                f"Nothing can be written to '{place}' ({error.strerror}): choose another by paths.corpora=FOLDER."
            ) from error
        raise


class _Job:
    """One preparation: the labels and what they tell at first, then the clips."""

    def __init__(self, corpus: Corpus, part: Path, *, shown: bool) -> None:
        self.corpus, self.part, self.shown = corpus, part, shown
        try:
            self.reading = corpus.read()
        except OSError as error:
            raise UserError(f"'{error.filename}' cannot be read: {error.strerror or error}.") from error
        self.entries: Sequence[Entry] = self.reading.entries
        self.rules = Rules(self.reading, corpus.preparation)
        self.notes: list[dict[str, Any]] = []

    def run(self, workers: int | None) -> None:
        """From the labels to a folder that only needs its name."""
        opened = [self.rules.opens(place) for place in range(len(self.entries))]
        left_out = {place: self.rules.left_out_by(place) for place, opens in enumerate(opened) if not opens}
        self.rules.require_splits(left_out, self._known_splits())
        self.part.mkdir(exist_ok=True)
        if not self._is_finished():
            layout = self._layout(opened)
            with closing(self._resumed(layout)) as writer:
                self._work(writer, layout, opened, workers)
                self.rules.require_splits(
                    {place: note["rule"] for place, note in enumerate(self.notes) if note["rule"]}
                )
                self._write_down()
                if layout:
                    writer.finish()
        if not (self.part / CLIPS / DESCRIBED).is_file():
            shutil.rmtree(self.part / CLIPS, ignore_errors=True)  # a journal alone: the corpus has no points
        (self.part / LAYOUT).unlink(missing_ok=True)
        write_page(self.part, self.entries)

    def _known_splits(self) -> list[str]:
        known = [set(variant.counts) for variant in self.corpus.known]
        return sorted(set.intersection(*known)) if known else []

    def _is_finished(self) -> bool:
        """Whether an earlier job was killed after the last clip: the summary is written before the journal goes."""
        return (self.part / SUMMARY).is_file() and not (self.part / CLIPS / JOURNAL).is_file()

    # --- clips --------------------------------------------------------------------------------------------------

    def _layout(self, opened: Sequence[bool]) -> str | None:
        """The layout that is stored: the one asked for, or that of the first clip that has points; None without any."""
        if reads_poses(self.corpus) and all(entry.pose is None for entry in self.entries):
            return None
        if asked := self.corpus.preparation.layout:
            return asked.name
        known = self.part / LAYOUT
        if not known.is_file():
            first = first_layout(self.corpus, (e for e, opens in zip(self.entries, opened, strict=True) if opens))
            write_atomically(known, first.name if first else "")
        return known.read_text(encoding="utf-8") or None

    def _resumed(self, layout: str | None) -> StoreWriter:
        """The store as far as an earlier job came; one that worked on other labels is begun anew."""
        writer = self._writer(layout)
        self.notes = list(writer.recovered)
        if [note["id"] for note in self.notes] != [entry.id for entry in self.entries[: len(self.notes)]]:
            writer.close()
            shutil.rmtree(self.part / CLIPS)
            return self._resumed(layout)
        if self.notes and self.shown:
            print(f"Going on behind clip {len(self.notes):,} of {len(self.entries):,}.", file=sys.stderr)
        return writer

    def _writer(self, layout: str | None) -> StoreWriter:
        asked = self.corpus.preparation.described()
        points = named(layout).points if layout else 1
        described = {**asked, "layout": layout, "normalised": asked["normalise"]}
        return StoreWriter(self.part / CLIPS, shape=(points, 3), dtype=asked["precision"], described=described)

    def _work(self, writer: StoreWriter, layout: str | None, opened: Sequence[bool], workers: int | None) -> None:
        total, start = len(self.entries), len(self.notes)
        todo = [place for place in range(start, total) if opened[place]]
        clips = prepared_clips(
            self.corpus, [self.entries[place] for place in todo], layout=layout, workers=suitable(workers, len(todo))
        )
        with closing(clips), counted(f"Preparing {self.corpus.name}", total, shown=self.shown) as advance:
            advance(start)
            for place in range(start, total):
                prepared = next(clips) if opened[place] else Prepared(None, None)
                kept, rule = self.rules.judge(place, prepared)
                note = _note(self.entries[place], kept, rule)
                writer.append(self.entries[place].id, kept.points, note)
                self.notes.append(note)
                advance(1)

    # --- what was done ------------------------------------------------------------------------------------------

    def _write_down(self) -> None:
        """Manifest, faults and summary; all of it is in the journal too until the store is finished."""
        manifest.write(self.part / MANIFEST, _rows(self.notes))
        faults = [*self.rules.of_labels, *(Fault(**fault) for note in self.notes for fault in note["faults"])]
        lines = (clean(json.dumps(asdict(fault), ensure_ascii=False)) + "\n" for fault in faults)
        write_atomically(self.part / FAULTS, "".join(lines))
        write_json(self.part / SUMMARY, summarise(self.corpus, self.reading, _rows(self.notes), faults))


def reads_poses(corpus: Corpus) -> bool:
    """Whether the points come from the pose files that the entries name, and are not made by the corpus itself."""
    from sonar_slt.data.corpus import Corpus

    return type(corpus).record is Corpus.record


def _rows(notes: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    return (Row(**note["row"]) for note in notes if note["row"] is not None)


def _note(entry: Entry, kept: Prepared, rule: str | None) -> dict[str, Any]:
    """What the journal remembers of a clip, in plain values."""
    row = None if kept.row is None else asdict(kept.row)
    return {"id": entry.id, "rule": rule, "row": row, "faults": [asdict(fault) for fault in kept.faults]}
