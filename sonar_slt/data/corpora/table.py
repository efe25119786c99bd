"""Any corpus that is a table of clips: csv, tsv, semicolons, bars or json lines, with a map of its columns.

Rows of one id are references of one clip, in one language or several; they are put together where they agree on where
the clip lies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sonar_slt.data.clock import seconds
from sonar_slt.data.corpora.labels import label_file, rate
from sonar_slt.data.corpus import Corpus
from sonar_slt.data.faults import Fault
from sonar_slt.data.labels.places import Places, release_folder, settled, within
from sonar_slt.data.labels.rows import cell_text, read_rows
from sonar_slt.data.labels.tables import SEPARATORS, misread
from sonar_slt.data.pose import PoseReader
from sonar_slt.data.preparation import Preparation
from sonar_slt.data.preparation.checks import bad_id
from sonar_slt.data.release import Entry, Media, Reading, Span
from sonar_slt.errors import UserError
from sonar_slt.languages import LANGUAGES
from sonar_slt.languages import language as require_language

FIELDS = (
    "id",
    "text",
    "language",
    "origin",
    "split",
    "signer",
    "video",
    "start",
    "end",
    "pose",
    "gloss",
    "frames",
    "fps",
)
"""What a column can be."""
ORIGINS = ("human", "pseudo")


@dataclass(frozen=True, slots=True)
class _Row:
    """A row as the map of columns has it; `texts` are language, origin and sentence."""

    where: str
    values: Mapping[str, str]
    texts: Sequence[tuple[str, str, str]]

    def __getitem__(self, field: str) -> str:
        return self.values.get(field, "")


class Table(Corpus):
    """`columns` says which column is what; what is constant is given as `language`, `split`, `signer` instead.

    `texts` are columns of sentences by language, for tables that have several; `pseudo` are the languages whose
    sentences a machine wrote.
    """

    root: Path
    name = "table"

    def __init__(
        self,
        *,
        root: str | Path,
        folder: str | Path,
        preparation: Preparation,
        table: str | Mapping[str, str],
        columns: Mapping[str, str | None],
        texts: Mapping[str, str] | None = None,
        pseudo: Sequence[str] = (),
        language: str | None = None,
        split: str | None = None,
        sign_language: str = "",
        delimiter: str | None = None,
        quoting: bool = True,
        videos: str | None = None,
        frames: str | None = None,
        poses: str | None = None,
        fps: float | None = None,
        name: str = "table",
        pose: PoseReader | None = None,
    ) -> None:
        super().__init__(folder=folder, preparation=preparation, pose=pose)
        self.root, self.name, self.sign_language, self.frame_rate = Path(root), name, sign_language, rate(fps)
        self.table = dict(table) if isinstance(table, Mapping) else table
        self.columns = _columns(columns)
        self.texts, self.pseudo = _languages("texts", texts or {}), tuple(_languages("pseudo", {c: "" for c in pseudo}))
        self.language, self.split = require_language(language).code if language else None, split
        self.delimiter, self.quoting = delimiter, quoting
        self.folders = {"frames": frames, "videos": videos, "poses": poses}
        self._check()

    def _check(self) -> None:
        if bool(self.columns.get("text")) == bool(self.texts):
            raise UserError(
                "Either data.columns.text=COLUMN or data.texts={deu_Latn: COLUMN, ...} was expected, and not both: the "
                "column of the sentences, or one for each language."
            )
        if self.columns.get("text") and not (self.language or self.columns.get("language")):
            raise UserError("data.language=CODE or data.columns.language=COLUMN was expected: the sentences' language.")
        if isinstance(self.table, str) and not (self.split or self.columns.get("split")):
            raise UserError(
                "data.columns.split=COLUMN, data.split=train, or a table per split, data.table={train: ..., dev: ...}, "
                "was expected: the split of the clips."
            )
        if not self.columns.get("id") and not (self.columns.get("video") and self.columns.get("start")):
            raise UserError(
                "data.columns.id=COLUMN was expected; without one, columns.video and columns.start name a clip."
            )
        if self.delimiter is not None and self.delimiter not in SEPARATORS:
            raise UserError(f"data.delimiter={self.delimiter!r}: a tab, comma, semicolon or bar was expected, or null.")

    def label_files(self) -> Sequence[Path]:
        """The table, or that of each split."""
        root = release_folder(self.root, self.name)
        tables: Mapping[str, str] = {"": self.table} if isinstance(self.table, str) else self.table
        return [label_file(root, name, f"table.{split}" if split else "table") for split, name in tables.items()]

    def settings(self) -> Mapping[str, Any]:
        """Everything that says how the table is read."""
        asked: dict[str, Any] = {
            "table": self.table,
            "columns": self.columns,
            "texts": self.texts,
            "pseudo": list(self.pseudo),
        }
        asked |= {"language": self.language, "split": self.split, "sign_language": self.sign_language}
        return asked | {"delimiter": self.delimiter, "quoting": self.quoting, "fps": self.frame_rate, **self.folders}

    def read(self) -> Reading:
        """The clips in the order of their first rows."""
        files = self.label_files()
        splits = [""] if isinstance(self.table, str) else list(self.table)
        folders: dict[str, Any] = {name: within(self.root, given, name) for name, given in self.folders.items()}
        places = Places(**folders)
        entries: list[Entry] = []
        faults: list[Fault] = []
        notes: list[str] = []
        for split, path in zip(splits, files, strict=True):
            rows = list(self._rows(path, faults, notes))
            for same in _together(rows):
                entry, wrong = self._entry(same, split, places)
                faults += wrong
                if entry is not None:
                    entries.append(entry)
                    faults += places.missing(entry)
        return settled(Reading(entries=entries, faults=[*faults, *places.unlabelled()], notes=notes))

    def _rows(self, path: Path, faults: list[Fault], notes: list[str]) -> Iterator[_Row]:
        required = [*self.columns.values(), *self.texts.values()]
        found = read_rows(path, required=required, delimiter=self.delimiter, quoting=self.quoting)
        faults += found.faults
        notes += found.notes
        for where, raw in found.rows:
            values = {field: cell_text(raw.get(column)) for field, column in self.columns.items() if field != "text"}
            texts, wrong = self._said(raw, values)
            if wrong:
                faults.append(Fault(id=values.get("id") or path.name, kind="bad_row", told=f"{where}: {wrong}"))
            else:
                yield _Row(where, {**values, "id": self._id(values)}, texts)

    def _said(self, raw: Mapping[str, Any], values: Mapping[str, str]) -> tuple[list[tuple[str, str, str]], str]:
        """Language, origin and sentence of everything that a row says, and what is wrong with it."""
        origin = values.get("origin", "").strip() or "human"
        if origin not in ORIGINS:
            return [], f"its origin is {origin[:40]!r}, neither human nor pseudo"
        code = values.get("language", "").strip() or self.language or ""
        cells: Mapping[str, Any] = {said: raw.get(column) for said, column in self.texts.items()}
        if not cells:
            cell = raw.get(self.columns["text"])
            cells = cell if isinstance(cell, Mapping) else {code: cell}  # a json line may have sentences by language
        said: list[tuple[str, str, str]] = []
        for language, cell in cells.items():
            if language not in LANGUAGES:
                return [], f"{str(language)[:40]!r} is no language; codes look like eng_Latn"
            sentences = cell if isinstance(cell, list) else [cell]
            if not all(isinstance(sentence, str | int | float | None) for sentence in sentences):
                return [], f"its text is a {type(cell).__name__}"
            told = "pseudo" if language in self.pseudo else origin
            said += [(language, told, cell_text(sentence)) for sentence in sentences]
        return said, ""

    def _id(self, values: Mapping[str, str]) -> str:
        """The id, or the video and the times in thousandths, where the table has no ids."""
        if "id" in self.columns:
            return values["id"].strip()
        times = [seconds(values.get(name, "")) for name in ("start", "end")]
        return "-".join([values["video"].strip(), *(f"{time * 1000:08.0f}" for time in times if time is not None)])

    def _entry(self, rows: Sequence[_Row], split: str, places: Places) -> tuple[Entry | None, list[Fault]]:
        """The rows of a clip as an entry, and what is wrong with them."""
        row = rows[0]
        id, split = row["id"], split or row["split"].strip() or (self.split or "")
        span, wrong = _span(row)
        frames, fps = row["frames"].strip(), seconds(row["fps"])
        if frames and not (frames.isascii() and frames.isdigit() and len(frames) < 10):
            wrong = wrong or f"its length is {frames[:40]!r}"
        if row["fps"].strip() and not (fps and fps > 0):
            wrong = wrong or f"its frame rate is {row['fps'][:40]!r}"
        if wrong:
            return None, [Fault(id=id, kind="bad_row", told=f"{row.where}: {wrong}", split=split)]
        texts, pseudo, faults = _by_language(rows, id, split)
        return Entry(
            id=id,
            split=split,
            signer=row["signer"].strip(),
            texts=texts,
            pseudo=pseudo,
            where=row.where,
            gloss=row["gloss"] or None,
            frames=int(frames) if frames else None,
            fps=fps,
            pictures=places.pictures(row["video"].strip() or _name(id), split, span),
            pose=_pose(row, split, span, places),
        ), faults


def _name(id: str) -> str:
    """An id where it can name a file, else nothing."""
    return "" if bad_id(id) else id


def _pose(row: _Row, split: str, span: Span | None, places: Places) -> Media | None:
    """The poses of a clip: the file that the row names, else one of its own by its id, else its part of the video's."""
    video, given = row["video"].strip(), row["pose"].strip()
    if given:
        return places.pose(given, split)
    own = places.pose(_name(row["id"]), split, None if video else span)
    return own or (places.pose(video, split, span) if video else None)


def _columns(columns: Mapping[str, str | None]) -> dict[str, str]:
    if unknown := [field for field in columns if field not in FIELDS]:
        raise UserError(f"data.columns.{unknown[0]}: no such field; the fields are {', '.join(FIELDS)}.")
    return {field: column for field, column in columns.items() if column}


def _languages(option: str, given: Mapping[str, str]) -> dict[str, str]:
    return {require_language(code).code: column for code, column in given.items()}


def _span(row: _Row) -> tuple[Span | None, str]:
    """The span of a row, None where the whole recording is meant; and what is wrong with it."""
    start, end = row["start"].strip(), row["end"].strip()
    if not start and not end:
        return None, ""
    times = seconds(start), seconds(end)
    for name, written, time in zip(("start", "end"), (start, end), times, strict=True):
        if time is None:
            return None, f"its {name} {written[:40]!r} is no time, such as 12.34 or 0:12.34"
    return Span(times[0] or 0.0, times[1] or 0.0), ""


def _together(rows: Sequence[_Row]) -> Iterator[list[_Row]]:
    """Rows of one clip: of one id, alike in all that is no text, each with a sentence that those before have not."""
    groups: dict[str, list[list[_Row]]] = {}
    order: list[list[_Row]] = []
    for row in rows:
        known = groups.setdefault(row["id"], [])
        same = next((group for group in known if _alike(group[0], row) and _news(row, group)), None)
        if same is None:
            same = []
            known.append(same)
            order.append(same)
        same.append(row)
    return iter(order)


def _news(row: _Row, group: Sequence[_Row]) -> bool:
    said = {text for other in group for text in other.texts}
    return not said.issuperset(row.texts)


def _alike(a: _Row, b: _Row) -> bool:
    return all(a[field] == b[field] for field in FIELDS if field not in ("text", "language", "origin"))


def _by_language(
    rows: Sequence[_Row], id: str, split: str
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]], list[Fault]]:
    """Sentences of people and of machines, and the faults of their encoding."""
    said: dict[str, dict[str, tuple[str, ...]]] = {origin: {} for origin in ORIGINS}
    faults: list[Fault] = []
    for row in rows:
        for language, origin, text in row.texts:
            text, wrong = misread(text, id=id, split=split, mend=False)
            former = said[origin].get(language, ())
            if text not in former:
                said[origin][language] = (*former, text)
                faults += wrong
    return said["human"], said["pseudo"], faults
