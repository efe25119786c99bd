"""How2Sign: American Sign Language over instructional videos, in English; whole videos, cut clips, OpenPose's points.

The tables exist in several alignments and re-saved copies, and what was cut for the release was cut by the first of
these; which one is met is noted, and what does not fit together is said.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from sonar_slt.data.corpora.how2sign_release import (
    KNOWN_BAD,
    LACKING,
    MEDIA,
    TABLE_FOLDERS,
    TABLES,
    VARIANTS,
    media_folder,
    tables,
)
from sonar_slt.data.corpus import Corpus
from sonar_slt.data.faults import Fault
from sonar_slt.data.labels.places import Places, release_folder, within
from sonar_slt.data.labels.tables import Line, Table, misread, read_table
from sonar_slt.data.pose import PoseReader
from sonar_slt.data.preparation import Preparation
from sonar_slt.data.preparation.checks import bad_id
from sonar_slt.data.release import Entry, Reading, Span
from sonar_slt.errors import UserError
from sonar_slt.languages import language as require_language

Clips = Literal["auto", "video_level", "sentence_level"]

COLUMNS = ("VIDEO_NAME", "SENTENCE_NAME", "SENTENCE")
REALIGNED, ORIGINAL = ("START_REALIGNED", "END_REALIGNED"), ("START", "END")
SIGNER = re.compile(r"-(\d+)-rgb_front$")  # ids begin with - or _ and hold more of both


@dataclass(frozen=True, slots=True)
class _Found:
    """What there is of a split: `clips` are cut by sentence, `whole` are the videos that they were cut from."""

    clips: Places
    whole: Places | None
    poses: Places


class How2Sign(Corpus):
    """How2Sign as released, front view.

    `clips` says which pictures are read: the whole videos, cut by the times of the table (`video_level`), the clips
    that the release has cut (`sentence_level`), the first of these that is there (`auto`), none (null). Points are
    those of `poses`, by sentence or by video, else those of the release where they are there. `mend_mojibake` decides
    whether a sentence that was read in the wrong encoding is mended.
    """

    root: Path
    name = "how2sign"
    sign_language = "ase"
    known = VARIANTS

    def __init__(
        self,
        *,
        root: str | Path,
        folder: str | Path,
        preparation: Preparation,
        language: str = "eng_Latn",
        clips: Clips | None = "auto",
        poses: str | None = None,
        mend_mojibake: bool = False,
        pose: PoseReader | None = None,
    ) -> None:
        super().__init__(folder=folder, preparation=preparation, pose=pose)
        self.root, self.language = Path(root), require_language(language).code
        self.asked, self.poses, self.mend_mojibake = clips, poses, mend_mojibake
        if clips not in ("auto", "video_level", "sentence_level", None):
            raise UserError(f"data.clips={clips}: auto, video_level, sentence_level or null was expected.")

    @cached_property
    def release(self) -> Path:
        """The folder that holds sentence_level/ and video_level/: the one given, the one inside, or one above it."""
        given = release_folder(self.root, "How2Sign").absolute()
        for root in (given, given / "How2Sign", *list(given.parents)[:2]):
            if any(tables(root).values()):
                return root
        expected = f"{TABLE_FOLDERS[0]}/{TABLES[0]}".format("train", "train")
        raise UserError(
            f"data.root={self.root} holds no table of How2Sign: the folder How2Sign, with '{expected}' in it, or "
            "a folder with these tables was expected."
        )

    @cached_property
    def tables(self) -> Mapping[str, Path]:
        """The table of each split that there is."""
        return {split: path for split, path in tables(self.release).items() if path}

    @cached_property
    def clips_from(self) -> str | None:
        """Where pictures are taken from."""
        if self.asked != "auto":
            return self.asked
        levels = ("video_level", "sentence_level")
        return next((level for level in levels if all(self._folder(level, split) for split in self.tables)), None)

    @cached_property
    def points_from(self) -> str | None:
        """Where points are taken from: the folder that was given, else the release's own."""
        if self.poses is not None:
            return self.poses
        return "keypoints" if any(self._folder("keypoints", split) for split in self.tables) else None

    def label_files(self) -> Sequence[Path]:
        """The table of each split that there is."""
        return list(self.tables.values())

    def settings(self) -> Mapping[str, Any]:
        """Language and mending, and which pictures and points there are."""
        found = {"clips": self.clips_from, "points": self.points_from}
        return {"language": self.language, "poses": self.poses, "mend_mojibake": self.mend_mojibake, **found}

    def read(self) -> Reading:
        """The tables split by split, each row with its pictures and points."""
        poses = within(self.release, self.poses, "poses")
        posed = Places(poses=poses.absolute() if poses else None)
        self._require_media()
        entries: list[Entry] = []
        faults: list[Fault] = []
        notes: list[str] = []
        for split, path in self.tables.items():
            table = read_table(path, delimiters="\t,;", quoting=True, required=COLUMNS, crlf=True, split=split)
            found = self._found(split, posed)
            misreadings = 0
            faults += table.faults
            for line in table.rows:
                entry, wrong = self._entry(table, line, split, found)
                entries += [entry] if entry else []
                faults += wrong
                misreadings += any(fault.kind == "mojibake" for fault in wrong)
            notes += [*table.notes, *self._variant(table, split, misreadings), *_strangers(found.whole, split)]
            faults += [replace(fault, split=split) for fault in found.clips.unlabelled()]
        return Reading(entries=entries, faults=[*faults, *posed.unlabelled()], notes=[*notes, *self._mixed()])

    def _folder(self, what: str, split: str) -> Path | None:
        return media_folder(self.release, what, split)

    def _require_media(self) -> None:
        """Refuse a release of which nothing is there that was asked for."""
        level = self.clips_from
        if level and not any(self._folder(level, split) for split in self.tables):
            raise UserError(
                f"data.clips={level}: '{self.release / MEDIA[level][0].format('train')}' is not there "
                "(data.clips=null: points alone)."
            )
        if not (level or self.points_from):
            raise UserError(
                f"data.root={self.release} has no videos, clips or keypoints that were asked for: "
                f"'{MEDIA['keypoints'][0].format('train')}' was expected in it, or data.poses=FOLDER."
            )

    def _found(self, split: str, posed: Places) -> _Found:
        """What there is of a split; each folder is listed once."""
        cut = self._folder("sentence_level", split) if self.clips_from == "sentence_level" else None
        whole = self._folder("video_level", split) if self.clips_from == "video_level" else None
        keypoints = None if self.poses else self._folder("keypoints", split)
        clips = Places(videos=cut, poses=keypoints)
        return _Found(clips, Places(videos=whole) if whole else None, clips if self.poses is None else posed)

    def _entry(self, table: Table, line: Line, split: str, found: _Found) -> tuple[Entry | None, list[Fault]]:
        """A row with what is there of it, and what is wrong with it; None for a row whose times are needed and none."""
        values, where = line.values, table.where(line)
        id, video = values["SENTENCE_NAME"], values["VIDEO_NAME"]
        fps, span = _number(values.get("fps", values.get("FPS", ""))), _span(values)
        if span is None and self.clips_from == "video_level":
            told = f"{where} has no times to cut its video by: {[values.get(name) for name in (*REALIGNED, *ORIGINAL)]}"
            return None, [Fault(id=id, kind="bad_row", told=told, split=split)]
        text, faults = misread(values["SENTENCE"], id=id, split=split, mend=self.mend_mojibake)
        pictures = found.whole.pictures(video, span=span) if found.whole else found.clips.pictures(id)
        signer = SIGNER.search(id) or SIGNER.search(video)
        entry = Entry(
            id=id,
            split=split,
            texts={self.language: (text,)},
            where=where,
            signer=signer[1] if signer else "",
            pictures=pictures,
            pose=found.poses.pose(id, split) or (found.poses.pose(video, split, span) if self.poses and span else None),
            fps=fps if fps and fps > 0 else None,
        )
        return entry, [*faults, *self._known_bad(entry), *self._missing(entry)]

    def _known_bad(self, entry: Entry) -> list[Fault]:
        if entry.id not in KNOWN_BAD:
            return []
        told = f"{KNOWN_BAD[entry.id]}, as others have found ({entry.where})"
        return [Fault(id=entry.id, kind="known_bad", told=told, split=entry.split)]

    def _missing(self, entry: Entry) -> list[Fault]:
        """The fault of a row of which something is not there that was asked for or that the release has."""
        wanted = (("pictures", self.clips_from, entry.pictures), ("points", self.points_from, entry.pose))
        lacking = [what for what, asked, media in wanted if asked and not media]
        if not lacking or bad_id(entry.id):  # an id that cannot name a file has no clip to miss
            return []
        told = f"has no {' and no '.join(lacking)} ({entry.where})"
        return [Fault(id=entry.id, kind="missing_clip", told=told, split=entry.split)]

    def _variant(self, table: Table, split: str, misreadings: int) -> list[str]:
        """What is unlike the realigned table of the release."""
        name, told = table.path.name, []
        if REALIGNED[0] not in table.header:
            what = (
                "the times are those of the first alignment (START, END)" if ORIGINAL[0] in table.header else "no times"
            )
            told.append(f"{what}, not the realigned ones")
        if {"fps", "FPS"} & set(table.header):
            told.append("has a column of frame rates, a variant made by others")
        if split == "dev" and not re.search(r"val(\b|_)", name):
            told.append("the split val is called dev, a renamed copy")
        names = {line.values["SENTENCE_NAME"] for line in table.rows}
        if split == "train" and LACKING not in names and any(other.startswith(LACKING[:11]) for other in names):
            told.append(f"the row {LACKING} is missing, a variant that circulates")
        if misreadings:
            done = "mended" if self.mend_mojibake else "kept as they are; data.mend_mojibake=true mends them"
            told.append(f"sentences read in the wrong encoding: {misreadings:,} ({done}), a re-saved variant")
        return [f"{name}: {sentence}" for sentence in told]

    def _mixed(self) -> list[str]:
        """What was cut by other times than the sentences have."""
        if not any("realigned" in path.name for path in self.tables.values()):
            return []
        notes = []
        if self.clips_from == "sentence_level":
            notes.append("the release has cut its clips by the first alignment; these sentences are realigned")
        if self.poses is None and self.points_from:
            notes.append("the released keypoints are cut by the first alignment; these sentences are realigned")
        return notes


def _number(value: str) -> float | None:
    """A finite number, None for anything else."""
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _span(values: Mapping[str, str]) -> Span | None:
    """The times of a row, the realigned ones where the table has these."""
    start, end = (_number(values.get(name, "")) for name in (REALIGNED if REALIGNED[0] in values else ORIGINAL))
    return None if start is None or end is None else Span(start, end)


def _strangers(whole: Places | None, split: str) -> list[str]:
    """Whole videos without a row: no clip is known of them, so they are no faults of one."""
    names = [fault.id for fault in whole.unlabelled()] if whole else []
    shown = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    return [f"{split}: no row of the labels names {len(names)} of the whole videos ({shown})"] if names else []
