"""How2Sign: American how-to videos, their realigned sentences, OpenPose's points, as the release lies on disk.

The tables are called csv, are separated by tabs and follow csv's quoting; copies that were saved again circulate, and
each is named when it is met.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from math import nan
from pathlib import Path
from typing import Any, Literal

from sonar_slt.data.corpus import Corpus
from sonar_slt.data.faults import Fault
from sonar_slt.data.known import Variant
from sonar_slt.data.places import Places, release, within
from sonar_slt.data.pose import PoseReader
from sonar_slt.data.preparation import Preparation
from sonar_slt.data.release import Entry, Media, Reading, Span
from sonar_slt.data.tables import Line, Table, misread, read_table
from sonar_slt.errors import UserError
from sonar_slt.languages import language as require_language

Cut = Literal["video_level", "sentence_level"]

SPLITS = {"train": ("train",), "dev": ("val", "dev"), "test": ("test",)}
"""Our names of the splits, and those of the release and of copies."""
TABLES = (
    "sentence_level/{split}/text/en/raw_text/re_aligned/how2sign_realigned_{split}.csv",
    "{split}/text/en/raw_text/re_aligned/how2sign_realigned_{split}.csv",
    "how2sign_realigned_{split}.csv",
    "sentence_level/{split}/text/en/raw_text/how2sign_{split}.csv",
    "how2sign_{split}.csv",
)
"""Where the table of a split may lie; realigned ones come first."""
VIDEOS = "{level}/{split}/rgb_front/raw_videos"
POINTS = "sentence_level/{split}/rgb_front/features/openpose_output/json"
TIMES = (("START_REALIGNED", "END_REALIGNED"), ("START", "END"))
COLUMNS = ("VIDEO_NAME", "SENTENCE_NAME", "SENTENCE")
SIGNER = re.compile(r"-(\d+)-rgb_front$")
LACKING = "CTERDLghzFw_7-8-rgb_front"
"""A sentence whose row or clip some copies lack."""

NO_SIGNING = frozenset({"fzrJBu2qsM8_11-8-rgb_front", "g3Cc_1-V31U_23-3-rgb_front", "FzoUVr98JmQ_0-8-rgb_front"})
_NO_POSE = """
0DU7wWLK-QU_0-8 0ICZi26jdaQ_28-5 0vNfEYst_tQ_11-8 13X0vEMNm7M_8-5 14weIYQswlE_23-8 1B56XMJ-j1Q_13-8 1P0oKY4FNyI_0-8
1dpRaxOTfZs_0-8 1ei1kVTw23A_29-8 1spCnuBmWYk_0-8 2-vXO7MMLJc_0-5 21PbS6wnHtY_0-5 3tyfxL2wO-M_0-8 BpYDl3AO4B8_0-1
CH7AviIr0-0_14-8 CJ8RyW9pzKU_6-8 D0T7ho08Q3o_25-2 Db5SUQvNsHc_18-1 Eh697LCFjTw_0-3 F-p1IdedNbg_23-8 aUBQCNegrYc_13-1
cvn7htBA8Xc_9-8 czBrBQgZIuc_19-5 dbSAB8F8GYc_11-9 doMosV-zfCI_7-2 dvBdWGLzayI_10-8 eBrlZcccILg_26-3 39FN42e41r0_17-1
a4Nxq0QV_WA_9-3 fzrJBu2qsM8_11-8 g3Cc_1-V31U_23-3
"""
NO_POSE = frozenset(f"{id}-rgb_front" for id in _NO_POSE.split())
"""Clips in which tools found no body: the list of SOKE, which many have copied."""


class How2Sign(Corpus):
    """`videos` says which pictures a sentence has: a part of its whole video, cut by the times of the table, the clip
    that was cut beforehand (by other times), or none."""

    name = "how2sign"
    sign_language = "ase"
    pattern = "*"
    known = (
        Variant(
            name="the realigned tables",
            counts={"train": 31_165, "dev": 1_741, "test": 2_357},
            source="how2sign_realigned_*.csv",
        ),
        Variant(
            name="sentences with a front clip",
            counts={"train": 31_048, "dev": 1_739, "test": 2_343},
            source="how2sign-data, issue 4",
        ),
        Variant(name="the paper", counts={"train": 31_128, "dev": 1_741, "test": 2_322}, source="its table"),
        Variant(name="the labels of Uni-Sign", counts={"train": 31_086, "test": 2_349}, source="their files"),
    )

    def __init__(
        self,
        *,
        root: str | Path,
        folder: str | Path,
        preparation: Preparation,
        language: str = "eng_Latn",
        videos: Cut | None = "video_level",
        openpose: bool = True,
        poses: str | None = None,
        mend_mojibake: bool = False,
        pose: PoseReader | None = None,
    ) -> None:
        super().__init__(folder=folder, preparation=preparation, pose=pose)
        self.root, self.language = Path(root), require_language(language).code
        self.videos, self.openpose, self.poses, self.mend_mojibake = videos, openpose, poses, mend_mojibake

    def label_files(self) -> Sequence[Path]:
        """The table of each split."""
        return list(self._tables().values())

    def settings(self) -> Mapping[str, Any]:
        """Language, which pictures and which points."""
        return {
            "language": self.language,
            "videos": self.videos,
            "openpose": self.openpose,
            "poses": self.poses,
            "mend_mojibake": self.mend_mojibake,
        }

    def read(self) -> Reading:
        """The tables in order; clips are looked up in the folders of their split, each of which is listed once."""
        entries: list[Entry] = []
        faults: list[Fault] = []
        notes: list[str] = []
        for split, path in self._tables().items():
            table = read_table(path, delimiters="\t,", quoting=True, required=COLUMNS, crlf=True, split=split)
            times = next((pair for pair in TIMES if set(pair) <= set(table.header)), None)
            if times is None:
                raise UserError(f"'{path}' has no columns {' and '.join(TIMES[0])}, nor {' and '.join(TIMES[1])}.")
            places, videos = self._places(split)
            faults += table.faults
            notes += [*table.notes, *self._recognised(table, times, split, videos)]
            found = [self._entry(table, line, split, times, places, videos, faults) for line in table.rows]
            faults += [fault for entry in found for fault in places.missing(entry)]
            faults += places.unlabelled()
            notes += _halves(split, found)
            entries += found
        return Reading(entries=entries, faults=faults, notes=notes)

    def _tables(self) -> dict[str, Path]:
        root = release(self.root, "How2Sign")
        found = {split: next(_there(root, names), None) for split, names in SPLITS.items()}
        if lacking := next((split for split, path in found.items() if path is None), None):
            expected = TABLES[0].format(split=SPLITS[lacking][0])
            raise UserError(f"data.root={root} has no table of {SPLITS[lacking][0]}: '{expected}' was expected in it.")
        return {split: path for split, path in found.items() if path}

    def _places(self, split: str) -> tuple[Places, Mapping[str, Path] | None]:
        """Where a split's clips and points lie; whole videos by name, None where clips are not cut from them."""
        poses = within(self.root, self.poses, "poses")
        if poses is None and self.openpose:
            poses = self._folder(POINTS, split)
        videos = self._folder(VIDEOS, split, level=self.videos) if self.videos else None
        if self.videos == "sentence_level":
            return Places(videos=videos, poses=poses), None
        names = {path.stem: path for path in sorted(videos.iterdir()) if path.is_file()} if videos else None
        return Places(poses=poses, elsewhere=names is not None), names

    def _folder(self, pattern: str, split: str, **parts: Any) -> Path | None:
        folders = (self.root / pattern.format(split=name, **parts) for name in SPLITS[split])
        return next((folder for folder in folders if folder.is_dir()), None)

    def _recognised(
        self, table: Table, times: tuple[str, str], split: str, videos: Mapping[str, Path] | None
    ) -> Iterator[str]:
        """What is to be known of a table before its numbers are compared with somebody else's."""
        name = table.path.name
        realigned = times == TIMES[0]
        if not realigned:
            yield f"{name}: the times of the original alignment ({' and '.join(times)}), not the realigned ones"
        if "FPS" in {column.upper() for column in table.header}:
            yield f"{name}: has a column of frame rates, a copy that was worked on; rates are read from the videos"
        names = {line.values["SENTENCE_NAME"].strip() for line in table.rows}
        whole = next(variant for variant in self.known if variant.name == "the realigned tables")
        if LACKING not in names and len(table.rows) == whole.counts[split] - 1:
            yield f"{name}: lacks one row, as copies without {LACKING} do"
        if self.poses is None and self.openpose and realigned and self._folder(POINTS, split):
            yield f"{split}: OpenPose's points were cut by the original times; realigned sentences may begin elsewhere"
        if self.videos == "sentence_level" and realigned and self._folder(VIDEOS, split, level=self.videos):
            yield f"{split}: these clips were cut by the original times; realigned sentences may begin elsewhere"
        if self.videos == "video_level" and videos is None:
            yield f"{split}: {VIDEOS.format(level=self.videos, split=SPLITS[split][0])} is not there: no pictures"

    def _entry(
        self,
        table: Table,
        line: Line,
        split: str,
        times: tuple[str, str],
        places: Places,
        videos: Mapping[str, Path] | None,
        faults: list[Fault],
    ) -> Entry:
        said = line.values
        id, video = said["SENTENCE_NAME"].strip(), said["VIDEO_NAME"].strip()
        signer = SIGNER.search(id) or SIGNER.search(video)
        text, wrong = misread(said["SENTENCE"].strip(), id=id, split=split, mend=self.mend_mojibake)
        faults += wrong
        if id in NO_SIGNING | NO_POSE:
            told = "shows no signing" if id in NO_SIGNING else "is on the list of clips in which no body was found"
            faults.append(Fault(id=id, kind="known_bad", told=told, split=split))
        path = videos.get(video) if videos else None
        cut = Media("video", path, Span(_seconds(said[times[0]]), _seconds(said[times[1]]))) if path else None
        return Entry(
            id=id,
            split=split,
            texts={self.language: (text,)},
            where=table.where(line),
            signer=signer[1] if signer else "",
            pictures=cut or places.pictures(id, split),
            pose=places.pose(id, split),
        )


def _there(root: Path, names: Sequence[str]) -> Iterator[Path]:
    paths = (root / pattern.format(split=name) for pattern in TABLES for name in names)
    return (path for path in paths if path.is_file())


def _seconds(cell: str) -> float:
    """The number of a cell; one that is none makes a span that no clip can have."""
    try:
        return float(cell)
    except ValueError:
        return nan


def _halves(split: str, entries: Sequence[Entry]) -> Iterator[str]:
    """Sentences that have pictures or points but not both, where others have both."""
    for one, other in (("pictures", "pose"), ("pose", "pictures")):
        if any(getattr(entry, one) for entry in entries) and any(getattr(entry, other) for entry in entries):
            half = [entry.id for entry in entries if getattr(entry, one) and not getattr(entry, other)]
            if half:
                called = {"pose": "points", "pictures": "pictures"}
                yield f"{split}: {len(half)} sentences have {called[one]} and no {called[other]}, {half[0]} first"
