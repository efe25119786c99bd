"""LSA-T: Argentinian sign language news with Spanish subtitles, put together to sentences.

Two forms of its table circulate: the release's (commas, `label`, `splits`) and one re-saved by a spreadsheet with
semicolons (`text`, `split`), whose numbers have lost their decimal points. Neither has a division into splits: what is
called so is a list of the subtitles that a sentence was put together from, with their times.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sonar_slt.data.corpora.labels import label_file
from sonar_slt.data.corpus import Corpus
from sonar_slt.data.faults import Fault
from sonar_slt.data.labels.places import Places, release_folder, settled, within
from sonar_slt.data.labels.spreadsheet import readings, span
from sonar_slt.data.labels.tables import Table, misread, read_table
from sonar_slt.data.pose import PoseReader
from sonar_slt.data.preparation import Preparation
from sonar_slt.data.release import Entry, Reading, Span
from sonar_slt.errors import UserError
from sonar_slt.languages import language as require_language

COUNTS = {8_459: "the release of the project's page", 14_880: "the paper", 2_679: "the table of SLT_v2"}
"""How many rows the tables that circulate have; there are no splits to count."""
_TIMES = re.compile(r",\s*(\d{1,6}(?:\.\d{1,24})?),\s*(\d{1,6}(?:\.\d{1,24})?)\s*\)", re.ASCII)
_LONGEST = 100_000  # characters of the list of subtitles; a sentence has a few hundred
_SHARES: Mapping[str, float] = MappingProxyType({"dev": 0.1, "test": 0.1})


class LsaT(Corpus):
    """`splits` are shares, by which videos are dealt out by a hash of their names, or a table of `id` and `split`.

    A clip is cut out of its video by its times; where the video is not there, the release's own clip is taken whole.
    """

    root: Path
    name = "lsa_t"
    sign_language = "aed"

    def __init__(
        self,
        *,
        root: str | Path,
        folder: str | Path,
        preparation: Preparation,
        table: str = "meta.csv",
        language: str = "spa_Latn",
        splits: str | Mapping[str, float] = _SHARES,
        videos: str | None = None,
        clips: str | None = None,
        poses: str | None = None,
        pose: PoseReader | None = None,
    ) -> None:
        super().__init__(folder=folder, preparation=preparation, pose=pose)
        self.root, self.table, self.language = Path(root), table, require_language(language).code
        self.splits = splits if isinstance(splits, str) else _shares(splits)
        self.folders = {"videos": videos, "clips": clips, "poses": poses}

    def label_files(self) -> Sequence[Path]:
        """The table, and that of the splits where there is one."""
        root = release_folder(self.root, "LSA-T")
        table = label_file(root, self.table, "table")
        return [table, label_file(root, self.splits, "splits")] if isinstance(self.splits, str) else [table]

    def settings(self) -> Mapping[str, Any]:
        """Table, language, splits and folders."""
        return {"table": self.table, "language": self.language, "splits": self.splits, **self.folders}

    def read(self) -> Reading:
        """The rows in order; a row whose times cannot be told is a fault and no entry."""
        files = self.label_files()
        table = read_table(files[0], delimiters=",;\t", quoting=True, required=("id", "video", "start", "end"))
        return _Rows(self, table, files[1:]).read()

    def place(self, option: str) -> Path | None:
        """A folder that was asked for, else the one of that name in the release."""
        given, usual = self.folders[option], self.root / option
        return within(self.root, given, option) if given is not None else usual if usual.is_dir() else None


class _Rows:
    """The rows of a table on their way to entries."""

    def __init__(self, corpus: LsaT, table: Table, splits: Sequence[Path]) -> None:
        self.corpus, self.table = corpus, table
        self.text, self.parts = _column(table, "label", "text"), _column(table, "splits", "split", needed=False)
        self.videos = Places(videos=corpus.place("videos"), poses=corpus.place("poses"))
        self.clips = Places(videos=corpus.place("clips"))
        self.faults, self.seen = list(table.faults), Counter[str]()
        self.split_of = _splits(splits[0], self.faults) if splits else {}

    def read(self) -> Reading:
        entries = [
            entry for line in self.table.rows if (entry := self._entry(line.values, self.table.where(line))) is not None
        ]
        name, rows = self.table.path.name, len(self.table.rows)
        known = [f"{rows:,} rows, as many as {COUNTS[rows]}"] if rows in COUNTS else []
        seen = [f"{count:,} {what}" for what, count in self.seen.items()]
        notes = [*self.table.notes, *(f"{name}: {told}" for told in [*known, *seen])]
        faults = [*self.faults, *self.videos.unlabelled(), *self.clips.unlabelled()]
        return settled(Reading(entries=entries, faults=faults, notes=notes))

    def _entry(self, row: Mapping[str, str], where: str) -> Entry | None:
        id, video = row["id"].strip(), row["video"].strip()
        split = self._split(id, video)
        clip, found = self.clips.pictures(id), self._span(row)
        whole = self.videos.pose(id)
        times = found if isinstance(found, Span) else None
        cut = self.videos.pictures(video, span=times), self.videos.pose(video, span=times)
        pictures, pose = (cut[0] if times else None) or clip, whole or (cut[1] if times else None)
        if times is None and not (pictures or pose) and self._faulty(row, str(found), id, split, where):
            return None
        text, wrong = misread(self._stripped(row[self.text]), id=id, split=split, mend=False)
        self.faults += wrong
        entry = Entry(
            id=id, split=split, texts={self.corpus.language: (text,)}, where=where, pictures=pictures, pose=pose
        )
        if times is not None:
            places = self.videos if self.videos.given else self.clips
            self.faults += places.missing(entry)
        return entry

    def _faulty(self, row: Mapping[str, str], why: str, id: str, split: str, where: str) -> bool:
        """Tell why a row has no clip; whether that makes it no row at all."""
        lacking = [name for name in ("video", "start", "end") if not row[name].strip()]
        kind, told = ("missing_clip", f"has no {', no '.join(lacking)}") if lacking else ("bad_row", why)
        self.faults.append(Fault(id=id, kind=kind, told=f"{told} ({where})", split=split))
        return not lacking

    def _span(self, row: Mapping[str, str]) -> Span | str:
        parts = pieces(row.get(self.parts, "")) if self.parts else []
        found = span(row["start"], row["end"], row.get("duration", ""), parts)
        if isinstance(found, Span) and max(len(readings(row["start"])), len(readings(row["end"]))) > 1:
            source = "its subtitles" if parts else "its duration"
            self.seen[f"rows had a time without its decimal point, mended by {source}"] += 1
        return found

    def _split(self, id: str, video: str) -> str:
        video = video or id.rpartition("_")[0] or id  # an id is its video and a number
        if isinstance(self.corpus.splits, str):
            return self.split_of.get(id, self.split_of.get(video, ""))
        return dealt(video, self.corpus.splits)

    def _stripped(self, text: str) -> str:
        if text != text.strip():
            self.seen["sentences began or ended with a blank, which is taken off"] += 1
        return text.strip()


def pieces(written: str) -> list[tuple[float, float]]:
    """The times of the subtitles in a Python list of (text, start, end); none where it is no such list.

    Some copies have typographic quotes around the texts, which Python does not read; of these the times alone are read.
    """
    if len(written) > _LONGEST:
        return []
    try:
        listed = ast.literal_eval(written.strip())
        found = [(float(start), float(end)) for _, start, end in listed]
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError, OverflowError):
        found = [(float(start), float(end)) for start, end in _TIMES.findall(written)]
    return found if all(0 <= start <= end <= 1e6 for start, end in found) else []


def dealt(video: str, shares: Mapping[str, float]) -> str:
    """The split of a video: the same on every machine, whatever other videos there are."""
    drawn = int.from_bytes(hashlib.sha256(video.encode("utf-8", "surrogatepass")).digest()[:8], "big") / 2**64
    for split, share in shares.items():
        if drawn < share:
            return split
        drawn -= share
    return "train"


def _shares(splits: Mapping[str, float]) -> dict[str, float]:
    if "train" in splits or any(not 0 < share < 1 for share in splits.values()) or sum(splits.values()) >= 1:
        raise UserError(
            f"data.splits={dict(splits)}: shares of all splits but train were expected, above 0 and below 1 together, "
            "such as {dev: 0.1, test: 0.1}; or the name of a table of id and split."
        )
    return dict(splits)


def _splits(path: Path, faults: list[Fault]) -> dict[str, str]:
    table = read_table(path, delimiters=",;\t|", required=("id", "split"))
    faults += table.faults
    return {line.values["id"].strip(): line.values["split"].strip() for line in table.rows}


def _column(table: Table, *names: str, needed: bool = True) -> str:
    """The first of these columns that a table has."""
    found = next((name for name in names if name in table.header), "")
    if needed and not found:
        raise UserError(
            f"'{table.path}' has the columns {', '.join(table.header)}; the sentences were expected in "
            f"{' or '.join(names)}."
        )
    return found
