"""RWTH-PHOENIX-Weather 2014 T: German weather forecasts, frames in folders, tables separated by bars.

The tables name pictures in a folder `1` that is not there, know no quoting, and say nothing of frames: each clip is the
folder of its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from sonar_slt.data.corpus import Corpus
from sonar_slt.data.faults import Fault
from sonar_slt.data.labels.known import Variant
from sonar_slt.data.labels.places import Places, release_folder, within
from sonar_slt.data.labels.tables import Line, Table, misread, read_table
from sonar_slt.data.manifest import SPLITS
from sonar_slt.data.pose import PoseReader
from sonar_slt.data.preparation import Preparation
from sonar_slt.data.preparation.checks import bad_id
from sonar_slt.data.release import Entry, Reading
from sonar_slt.errors import UserError
from sonar_slt.languages import language as require_language

COLUMNS = ("name", "video", "speaker", "orth", "translation")
RELEASE = "PHOENIX-2014-T-release-v3/PHOENIX-2014-T"
ANNOTATIONS = "annotations/manual"
FEATURES = "features"
PICTURES = "/1/*.png"
"""What the column `video` has behind the name of the clip; the folder `1` is not there."""

V3 = Variant(
    "PHOENIX-2014T v3",
    counts={"train": 7096, "dev": 519, "test": 642},
    frames={"train": 827354, "dev": 55775, "test": 64627},
    source="the label files of GFSLT-VLP, counted",
)


class Phoenix14t(Corpus):
    """PHOENIX-2014T as released; `frames` is the folder of pictures in features/, null for none."""

    root: Path
    name = "phoenix14t"
    sign_language = "gsg"
    known = (V3,)
    frame_rate = 25.0
    pattern = "images*.png"

    def __init__(
        self,
        *,
        root: str | Path,
        folder: str | Path,
        preparation: Preparation,
        language: str = "deu_Latn",
        frames: str | None = "fullFrame-210x260px",
        poses: str | None = None,
        pose: PoseReader | None = None,
    ) -> None:
        super().__init__(folder=folder, preparation=preparation, pose=pose)
        self.root, self.language = Path(root), require_language(language).code
        self.frames, self.poses = frames, poses

    @cached_property
    def release(self) -> Path:
        """The folder that holds annotations/ and features/: the one that was given, one above it, or the one inside."""
        given = release_folder(self.root, "PHOENIX-2014T").absolute()
        inside = [given, given / RELEASE, given / "PHOENIX-2014-T", *list(given.parents)[:2]]
        for folder in inside:
            if (folder / ANNOTATIONS).is_dir() and any(_table(folder, split).is_file() for split in SPLITS):
                return folder
        raise UserError(
            f"data.root={self.root} holds no '{_table(Path(), 'train')}': the folder PHOENIX-2014-T of the release, "
            "with annotations/ and features/ in it, was expected."
        )

    def label_files(self) -> Sequence[Path]:
        """The table of each split."""
        files = [_table(self.release, split) for split in SPLITS]
        if lacking := next((file for file in files if not file.is_file()), None):
            raise UserError(
                f"'{lacking}' is not there; the tables of {', '.join(SPLITS)} were expected beside each other."
            )
        return files

    def settings(self) -> Mapping[str, Any]:
        """Language, pictures and poses."""
        return {"language": self.language, "frames": self.frames, "poses": self.poses}

    def read(self) -> Reading:
        """The tables split by split, each row with the folder of its name and the pose file of its name."""
        poses = within(self.release, self.poses, "poses")
        posed = Places(poses=poses.absolute() if poses else None)
        pictures = self._pictures()
        if pictures is None and poses is None:
            raise UserError("data.frames=null and data.poses=null: pictures, poses or both must be asked for.")
        entries: list[Entry] = []
        faults: list[Fault] = []
        notes: list[str] = []
        for split, path in zip(SPLITS, self.label_files(), strict=True):
            table = read_table(path, required=COLUMNS, split=split)
            faults, notes = [*faults, *table.faults], [*notes, *table.notes]
            folder = pictures / split if pictures else None
            if folder and not folder.is_dir():
                notes.append(
                    f"{split}: '{folder.relative_to(self.release)}' is not there, nor any picture of this split"
                )
            filmed = Places(frames=folder if folder and folder.is_dir() else None)
            for line in table.rows:
                entry, wrong = self._entry(table, line, split, filmed, posed)
                entries.append(entry)
                faults += wrong
            faults += [replace(fault, split=split) for fault in filmed.unlabelled()]
        return Reading(entries=entries, faults=[*faults, *posed.unlabelled()], notes=notes)

    def _pictures(self) -> Path | None:
        """The folder of pictures of all splits."""
        if self.frames is None:
            return None
        folder = self.release / FEATURES / self.frames
        if folder.is_dir():
            return folder
        features = self.release / FEATURES
        there = sorted(path.name for path in features.iterdir() if path.is_dir()) if features.is_dir() else []
        raise UserError(
            f"data.frames={self.frames}: '{folder}' is not there; features/ holds {', '.join(there) or 'nothing'} "
            "(data.frames=null: poses alone, of data.poses)."
        )

    def _entry(self, table: Table, line: Line, split: str, filmed: Places, posed: Places) -> tuple[Entry, list[Fault]]:
        """A row with what is there of it, and what is wrong with it."""
        values, where = line.values, table.where(line)
        id = values["name"]
        text, faults = misread(values["translation"], id=id, split=split, mend=False)
        entry = Entry(
            id=id,
            split=split,
            texts={self.language: (text,)},
            where=where,
            signer=values["speaker"],
            gloss=values["orth"],
            pictures=filmed.pictures(id),
            pose=posed.pose(id, split),
        )
        if (video := values["video"].removesuffix(PICTURES)) != id:
            told = f"{where} gives the video {video!r} to the name {id!r}; the name is believed"
            faults.append(Fault(id=id, kind="bad_row", told=told, split=split, done="kept"))
        lacking = [
            what
            for what, wanted, media in (
                ("pictures", self.frames, entry.pictures),
                ("poses", self.poses, entry.pose),
            )
            if wanted and not media
        ]
        if lacking and not bad_id(id):  # an id that cannot name a file has no clip to miss
            told = f"has no {' and no '.join(lacking)} ({where})"
            faults.append(Fault(id=id, kind="missing_clip", told=told, split=split))
        return entry, faults


def _table(root: Path, split: str) -> Path:
    return root / ANNOTATIONS / f"PHOENIX-2014-T.{split}.corpus.csv"
