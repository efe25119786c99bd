"""CSL-Daily: Chinese daily life in pictures, as the release lies on disk.

The labels are a pickle (read by the restricted unpickler) or the text table of the same content beside it; one id of
the split has no label, and the clip that everybody takes instead is in no split.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sonar_slt.data.corpora.labels import Label, Labelled, entry_of, label_file, read_labels
from sonar_slt.data.corpus import Corpus
from sonar_slt.data.faults import Fault
from sonar_slt.data.labels.known import Variant
from sonar_slt.data.labels.places import Places, release_folder, settled, within
from sonar_slt.data.labels.tables import Table, read_table
from sonar_slt.data.pose import PoseReader
from sonar_slt.data.preparation import Preparation
from sonar_slt.data.release import Entry, Reading
from sonar_slt.errors import UserError
from sonar_slt.languages import language as require_language

LABELS = ("sentence_label/csl2020ct_v2.pkl", "sentence_label/video_map.txt")
"""The label files of the release; both say the same, so the first that is there is read."""
SPLIT = "sentence_label/split_1.txt"
FRAMES = "sentence/frames_512x512"
BAD, INSTEAD = "S000005_P0004_T00", "S000007_P0003_T00"
"""An id of the split that has neither label nor pictures, and the clip that has both but no split."""
SIGNER = re.compile(r"P\d{4}")


class CslDaily(Corpus):
    """`swap` gives the clip that no split names the split of the one that is not there, as other tools do."""

    root: Path
    name = "csl_daily"
    sign_language = "csl"
    frame_rate = 30.0
    pattern = "*.jpg"
    known = (
        Variant(
            name="the release",
            counts={"train": 18_401, "dev": 1_077, "test": 1_176},
            source=f"split_1.txt, with {INSTEAD} in the place of {BAD}",
        ),
        Variant(
            name=f"the release without {BAD}",
            counts={"train": 18_400, "dev": 1_077, "test": 1_176},
            source="clips of split_1.txt that have a label; also the label files of sltbaselines",
        ),
    )

    def __init__(
        self,
        *,
        root: str | Path,
        folder: str | Path,
        preparation: Preparation,
        language: str = "zho_Hans",
        labels: str | Mapping[str, str] | None = None,
        swap: bool = True,
        poses: str | None = None,
        pose: PoseReader | None = None,
    ) -> None:
        super().__init__(folder=folder, preparation=preparation, pose=pose)
        self.root, self.language = Path(root), require_language(language).code
        self.labels = dict(labels) if isinstance(labels, Mapping) else labels
        self.swap, self.poses = swap, poses

    def label_files(self) -> Sequence[Path]:
        """Labels and split; files that are given by split need no other."""
        root = release_folder(self.root, "CSL-Daily")
        if isinstance(self.labels, dict):
            return [label_file(root, name, f"labels.{split}") for split, name in self.labels.items()]
        if not (root / SPLIT).is_file():
            raise UserError(f"'{root / SPLIT}' is not there: it says which clip is in which split.")
        if self.labels is not None:
            return [label_file(root, self.labels, "labels"), root / SPLIT]
        there = [root / name for name in LABELS if (root / name).is_file()]
        if not there:
            raise UserError(f"data.root={root} has neither {LABELS[0]} nor {LABELS[1]}: the labels of CSL-Daily.")
        return [there[0], root / SPLIT]

    def settings(self) -> Mapping[str, Any]:
        """Language, the label files that stand in, and the folder of poses."""
        return {"language": self.language, "labels": self.labels, "swap": self.swap, "poses": self.poses}

    def read(self) -> Reading:
        """The labels in their order, each with its split; ids of the split without a label are faults."""
        files = self.label_files()
        frames = self.root / FRAMES
        places = Places(frames=frames if frames.is_dir() else None, poses=within(self.root, self.poses, "poses"))
        entries: list[Entry] = []
        faults: list[Fault] = []
        notes = [] if frames.is_dir() else [f"{FRAMES} is not there: no pictures"]
        if isinstance(self.labels, dict):
            for split, path in zip(self.labels, files, strict=True):
                found = self._labelled(path)
                self._add(found, dict.fromkeys((label.id for label in found.labels), split), places, entries, faults)
                notes += found.notes
        else:
            found, split_of = self._labelled(files[0]), _splits(files[1], faults, notes)
            faults += self._mend(split_of, {label.id for label in found.labels}, places)
            self._add(found, split_of, places, entries, faults)
            notes += found.notes
        return settled(Reading(entries=entries, faults=[*faults, *places.unlabelled()], notes=notes))

    def _add(
        self,
        found: Labelled,
        split_of: Mapping[str, str],
        places: Places,
        entries: list[Entry],
        faults: list[Fault],
    ) -> None:
        faults += found.faults
        for label in found.labels:
            signer = SIGNER.search(label.id)
            split, who = split_of.get(label.id, ""), signer[0] if signer else ""
            entry, wrong = entry_of(label, split=split, language=self.language, places=places, signer=who)
            entries.append(entry)
            faults += wrong
            if label.id == BAD:
                own = "a clip of its own" if entry.pictures or entry.pose else "no clip"
                told = f"has a label and {own}: in the release it has neither"
                faults.append(Fault(id=BAD, kind="known_bad", told=told, split=split))

    def _mend(self, split_of: dict[str, str], labelled: set[str], places: Places) -> list[Fault]:
        """Faults of the ids that have a split and no label; the one that is known to be bad gives its split away."""
        faults = []
        for id, split in list(split_of.items()):
            if id in labelled:
                continue
            there = places.pictures(id, split) or places.pose(id, split)
            kind = "known_bad" if id == BAD else "unlabelled_clip" if there else "missing_clip"
            told = f"is in '{Path(SPLIT).name}' and has no label" + ("" if there else ", nor pictures or poses")
            if id == BAD and self.swap and INSTEAD in labelled and INSTEAD not in split_of:
                split_of[INSTEAD], told = split, f"{told}; {INSTEAD}, which is in no split, takes its place"
            faults.append(Fault(id=id, kind=kind, told=told, split=split))
        return faults

    @staticmethod
    def _labelled(path: Path) -> Labelled:
        """Labels by what the file is: a table by its suffix, else a pickle."""
        if path.suffix.lower() not in (".txt", ".tsv", ".csv"):
            return read_labels(path)
        if path.name == Path(LABELS[1]).name:
            return _of_table(read_table(path, required=("name", "length", "gloss", "char")), "char")
        return _of_table(read_table(path, delimiters="\t,|", required=("name", "text")), "text")


def _of_table(table: Table, text: str) -> Labelled:
    """Rows as labels; characters stand apart in the release's own table."""
    labels, faults = [], list(table.faults)
    for line in table.rows:
        length = line.values.get("length", "").strip()
        if length and not (length.isascii() and length.isdigit()):
            told = f"{table.where(line)}: its length is {length[:40]!r}"
            faults.append(Fault(id=line.values["name"], kind="bad_row", told=told, done="kept"))
            length = ""
        said = line.values[text]
        labels.append(
            Label(
                id=line.values["name"],
                where=table.where(line),
                text=said.replace(" ", "") if text == "char" else said,
                gloss=line.values.get("gloss"),
                frames=int(length) if length else None,
            )
        )
    return Labelled(labels, faults, table.notes)


def _splits(path: Path, faults: list[Fault], notes: list[str]) -> dict[str, str]:
    """The split of each id; a later line of the same id is a fault."""
    table = read_table(path, delimiters="|,\t", required=("name", "split"))
    faults += table.faults
    notes += table.notes
    splits: dict[str, str] = {}
    for line in table.rows:
        id, split = line.values["name"].strip(), line.values["split"].strip()
        if splits.setdefault(id, split) != split:
            told = f"{table.where(line)} gives it the split {split}, a line above gave {splits[id]}, which holds"
            faults.append(Fault(id=id, kind="bad_row", told=told, split=splits[id], done="kept"))
    return splits
