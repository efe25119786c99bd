"""The preparation job: read, check, work on clip after clip, write down what was done; killed, it goes on where it was.

Work in progress lies in a hidden folder beside the final one, which appears whole by one rename.
"""

from __future__ import annotations

import errno
import glob
import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from sonar_slt.data import manifest
from sonar_slt.data.faults import Fault
from sonar_slt.data.feature_store import FEATURES
from sonar_slt.data.layouts import named
from sonar_slt.data.manifest import Row
from sonar_slt.data.preparation.basis import basis
from sonar_slt.data.preparation.clip import Prepared, clean, first_layout
from sonar_slt.data.preparation.page import write_page
from sonar_slt.data.preparation.preparable import Preparable
from sonar_slt.data.preparation.rules import Rules
from sonar_slt.data.preparation.summary import summarise
from sonar_slt.data.preparation.workers import prepared_clips, require_guard, suitable
from sonar_slt.data.prepared_folder import CLIPS, FAULTS, MANIFEST, REPORT, SUMMARY, PreparedFolder, prepared_in
from sonar_slt.data.release import Entry
from sonar_slt.data.store import StoreWriter
from sonar_slt.data.store.shards import DESCRIBED, JOURNAL
from sonar_slt.data.translations import TRANSLATIONS
from sonar_slt.errors import UserError
from sonar_slt.files import replace_folder, write_atomically, write_json
from sonar_slt.progress import counted

LAYOUT = "layout.txt"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def prepare(
    corpus: Preparable, *, workers: int | None = None, shown: bool = True, renew: bool = False
) -> PreparedFolder:
    """Bring the prepared form of a corpus to disk, unless it is there and is not to be made anew.

    `workers` is the number of processes, None for one per core where that is worth while; it changes no byte.
    """
    folder = corpus.prepared
    if not renew and (there := prepared_in(folder)):
        return there
    require_guard()
    part, renewed = (folder.with_name(f".{folder.name}.{kind}part") for kind in ("", "renewed."))
    with _writing(folder), _alone(folder):
        _settle(folder, renewed)
        if not renew and (there := prepared_in(folder)):  # another process was faster
            return there
        if renew and _is_finished(renewed):  # it would get its page without a look at any clip
            shutil.rmtree(renewed)
        job = _Job(corpus, renewed if renew else part, shown=shown)
        job.run(workers)
        if (folder / FEATURES).is_dir():  # hours of work on clips that may be the same; who reads them looks
            (folder / FEATURES).rename(job.part / FEATURES)
        if (folder / TRANSLATIONS).is_file():
            print(
                "A machine's translations were in the former manifest: `sonar-slt augment-text` with the same "
                "words brings them back from its cache.",
                file=sys.stderr,
            )
        replace_folder(job.part, folder)
        for left in (part, renewed):
            shutil.rmtree(left, ignore_errors=True)
    made = prepared_in(folder, made=True)
    assert made is not None
    return made


def _settle(folder: Path, renewed: Path) -> None:
    """What a death between two renames left: a whole folder gets its name, and what it took the place of goes."""
    formers = sorted(folder.parent.glob(f".{glob.escape(folder.name)}.*.former"))
    if not folder.exists() and (whole := next((one for one in (renewed, *formers) if (one / REPORT).is_file()), None)):
        whole.rename(folder)
    for former in formers:
        shutil.rmtree(former, ignore_errors=True)


def _is_finished(part: Path) -> bool:
    """Whether a job was killed after the last clip: the summary is written before the journal goes."""
    return (part / SUMMARY).is_file() and not (part / CLIPS / JOURNAL).is_file()


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
        if (
            isinstance(error, PermissionError | NotADirectoryError | FileExistsError | FileNotFoundError)
            or error.errno == errno.EROFS
        ):
            raise UserError(
                f"Nothing can be written to '{place}' ({error.strerror}): choose another by paths.corpora=FOLDER."
            ) from error
        raise


class _Job:
    """One preparation: the labels and what they tell at first, then the clips."""

    def __init__(self, corpus: Preparable, part: Path, *, shown: bool) -> None:
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
        if not _is_finished(self.part):
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

    # --- clips --------------------------------------------------------------------------------------------------

    def _layout(self, opened: Sequence[bool]) -> str | None:
        """The layout that is stored: the one asked for, or that of the first clip that has points; None without any."""
        if self.corpus.reads_poses and all(entry.pose is None for entry in self.entries):
            return None
        if asked := self.corpus.preparation.layout:
            return asked.name
        first = first_layout(self.corpus, (e for e, opens in zip(self.entries, opened, strict=True) if opens))
        name, known = first.name if first else "", self.part / LAYOUT
        if known.is_file() and known.read_text(encoding="utf-8") != name:  # the first clips were mended since
            shutil.rmtree(self.part / CLIPS, ignore_errors=True)
        write_atomically(known, name)
        return name or None

    def _resumed(self, layout: str | None) -> StoreWriter:
        """The store as far as an earlier job came and labels and files are the same since."""
        writer = self._writer(layout)
        notes = writer.recovered
        same = next((n for n, note in enumerate(notes) if note.get("basis") != self._basis(n)), len(notes))
        if same < len(notes):
            writer.close()
            writer = self._writer(layout, keep=same)
        self.notes = list(writer.recovered)
        if notes and self.shown:
            changed = f"; the next is not what it was, so that {len(notes) - same:,} are done again"
            told = f"Going on behind clip {same:,} of {len(self.entries):,}{changed if same < len(notes) else ''}."
            print(told, file=sys.stderr)
        return writer

    def _basis(self, place: int) -> str | None:
        known = place < len(self.entries)
        return basis(self.entries[place], self.rules.of_clips.get(place, ())) if known else None

    def _writer(self, layout: str | None, keep: int | None = None) -> StoreWriter:
        asked = self.corpus.preparation.described()
        points = named(layout).points if layout else 1
        described = {**asked, "layout": layout, "normalised": asked["normalise"]}
        return StoreWriter(
            self.part / CLIPS, shape=(points, 3), dtype=asked["precision"], described=described, keep=keep
        )

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
                note = {**_note(self.entries[place], kept, rule), "basis": self._basis(place)}
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


def _rows(notes: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    return (Row(**note["row"]) for note in notes if note["row"] is not None)


def _note(entry: Entry, kept: Prepared, rule: str | None) -> dict[str, Any]:
    """What the journal remembers of a clip, in plain values."""
    row = None if kept.row is None else asdict(kept.row)
    return {"id": entry.id, "rule": rule, "row": row, "faults": [asdict(fault) for fault in kept.faults]}
