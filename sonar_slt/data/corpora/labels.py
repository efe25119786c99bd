"""Label files that circulate instead of a release's own: pickles and .npy files of several tools, one file per split.

Which tool wrote a file is seen from what is in it; its texts and lengths are used, its features are not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from sonar_slt.data.corpus import Corpus
from sonar_slt.data.faults import Fault
from sonar_slt.data.labels.places import SPLIT_NAMES, Places, release_folder, settled, within
from sonar_slt.data.labels.stand_ins import TensorShape
from sonar_slt.data.labels.tables import misread
from sonar_slt.data.labels.unpickler import load
from sonar_slt.data.pose import PoseReader
from sonar_slt.data.preparation import Preparation
from sonar_slt.data.preparation.checks import bad_id
from sonar_slt.data.release import Entry, Reading
from sonar_slt.errors import UserError
from sonar_slt.languages import language as require_language

IDS = ("name", "fileid", "id")
LENGTHS = ("length", "num_frames", "frames")
MACHINES = {"de_text": "deu_Latn", "en_text": "eng_Latn", "es_text": "spa_Latn", "fr_text": "fra_Latn"}
"""Fields of SpaMo's `_ml` files, which a machine translated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a record of any of these files says of a clip."""

    id: str
    where: str
    text: str
    gloss: str | None = None
    frames: int | None = None
    signer: str = ""
    pseudo: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Labelled:
    """The labels of a file in order, with the faults of the records that are none."""

    labels: Sequence[Label]
    faults: Sequence[Fault]
    notes: Sequence[str] = ()


def read_labels(path: Path) -> Labelled:
    """The labels of a pickle (gzipped or not) or .npy file, whichever tool wrote it."""
    labels, faults, prefixed = [], [], 0
    for where, record in _records(load(path), path):
        label, wrong = _label(record, where)
        if wrong:
            done: Any = "noted" if label is None else "kept"
            faults.append(
                Fault(id=label.id if label else path.name, kind="bad_row", told=f"{where}: {wrong}", done=done)
            )
        if label is not None:
            split, _, rest = label.id.partition("/")
            if split in SPLIT_NAMES and rest:
                label, prefixed = replace(label, id=rest), prefixed + 1
            labels.append(label)
    note = f"{path.name}: {prefixed:,} ids begin with a split and a slash, which are taken off"
    return Labelled(labels, faults, [note] if prefixed else [])


def _records(content: Any, path: Path) -> Iterator[tuple[str, Any]]:
    """Every record with its place: of a list, of a dict by name or number, or of a dict that has them as `info`."""
    if isinstance(content, dict) and isinstance(content.get("info"), list):
        content = content["info"]
    if isinstance(content, np.ndarray) and content.dtype == object:
        content = list(content.flat)
    if isinstance(content, list | tuple):
        yield from ((f"entry {number} of '{path.name}'", record) for number, record in enumerate(content))
    elif isinstance(content, dict):
        for name, record in content.items():
            if name != "prefix":  # where SpaMo's pictures lay
                yield f"entry {str(name)[:80]!r} of '{path.name}'", record
    else:
        raise UserError(f"'{path}' holds a {type(content).__name__}; a list or dict of labels was expected.")


def _label(record: Any, where: str) -> tuple[Label | None, str]:
    """A record as a label, and what is wrong with it."""
    if not isinstance(record, dict) or not record:
        return None, f"a dict with a name and a text was expected, not {_short(record)}"
    id = next((record[name] for name in IDS if name in record), None)
    if not isinstance(id, str):
        return None, f"it has no name (of its fields {', '.join(map(str, record))[:120]})"
    text, gloss = _text(record), _joined(record.get("gloss", record.get("label_gloss")), " ")
    if text is None:
        return None, f"the text of {id!r} is none"
    frames, wrong = _frames(record)
    signer = record.get("signer", "")
    machines = {code: _joined(record.get(name), "") for name, code in MACHINES.items()}
    return Label(
        id=id,
        where=where,
        text=text,
        gloss=gloss,
        frames=frames,
        signer=str(signer) if isinstance(signer, str | int) else "",
        pseudo={code: (said,) for code, said in machines.items() if said},
    ), wrong


def _text(record: Mapping[str, Any]) -> str | None:
    """The sentence: as a string, or of characters or words, which Chinese writes without blanks."""
    given = [record[name] for name in ("text", "label_char", "label_word") if record.get(name) is not None]
    return _joined(given[0], "") if given else ""


def _joined(value: Any, blank: str) -> str | None:
    if isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
        return blank.join(value)
    return value if isinstance(value, str) else None


def _frames(record: Mapping[str, Any]) -> tuple[int | None, str]:
    """The number of frames, told or that of the features, and what is wrong with it."""
    features = record.get("sign")
    shape = features.shape if isinstance(features, np.ndarray) else features
    if isinstance(shape, tuple) and shape and isinstance(features, TensorShape | np.ndarray):
        return shape[0], ""
    length = next((record[name] for name in LENGTHS if record.get(name) is not None), None)
    if length is None:
        return None, ""
    if type(length) in (int, float) and float(length).is_integer() and 0 <= length < 1e9:
        return int(length), ""
    return None, f"its length is {_short(length)}"


def _short(value: Any) -> str:
    return repr(value)[:60] if isinstance(value, str | int | float | None) else f"a {type(value).__name__}"


def entry_of(label: Label, *, split: str, language: str, places: Places, signer: str = "") -> tuple[Entry, list[Fault]]:
    """A label with its clip, and what is wrong with these."""
    text, faults = misread(label.text, id=label.id, split=split, mend=False)
    entry = Entry(
        id=label.id,
        split=split,
        texts={language: (text,)},
        pseudo=label.pseudo,
        where=label.where,
        signer=signer or label.signer,
        gloss=label.gloss,
        frames=label.frames,
        pictures=None if bad_id(label.id) else places.pictures(label.id, split),
        pose=None if bad_id(label.id) else places.pose(label.id, split),
    )
    return entry, [*faults, *places.missing(entry)]


class Labels(Corpus):
    """A corpus by its circulating label files: `files` are their names by split, in `root` or by a full path."""

    root: Path
    name = "labels"

    def __init__(
        self,
        *,
        root: str | Path,
        folder: str | Path,
        preparation: Preparation,
        files: Mapping[str, str],
        language: str,
        sign_language: str = "",
        frames: str | None = None,
        videos: str | None = None,
        poses: str | None = None,
        fps: float | None = None,
        name: str = "labels",
        pose: PoseReader | None = None,
    ) -> None:
        super().__init__(folder=folder, preparation=preparation, pose=pose)
        self.root, self.name, self.sign_language = Path(root), name, sign_language
        self.files, self.language, self.frame_rate = dict(files), require_language(language).code, rate(fps)
        self.folders = {"frames": frames, "videos": videos, "poses": poses}

    def label_files(self) -> Sequence[Path]:
        """The file of each split."""
        root = release_folder(self.root, self.name)
        if not self.files:
            raise UserError("data.files={}: the label file of each split was expected, such as {train: labels.train}.")
        return [label_file(root, name, f"files.{split}") for split, name in self.files.items()]

    def settings(self) -> Mapping[str, Any]:
        """Files, language and folders."""
        asked = {"files": self.files, "language": self.language, "fps": self.frame_rate}
        return asked | {"sign_language": self.sign_language, **self.folders}

    def read(self) -> Reading:
        """The labels split by split; an id that is in several files is told."""
        files = self.label_files()
        folders: dict[str, Any] = {name: within(self.root, given, name) for name, given in self.folders.items()}
        places = Places(**folders)
        entries: list[Entry] = []
        faults: list[Fault] = []
        notes: list[str] = []
        for split, path in zip(self.files, files, strict=True):
            found = read_labels(path)
            notes += found.notes
            faults += [replace(fault, split=split) for fault in found.faults]
            for label in found.labels:
                entry, wrong = entry_of(label, split=split, language=self.language, places=places)
                entries.append(entry)
                faults += wrong
        machines = Counter(code for entry in entries for code in entry.pseudo)
        notes += [f"{count:,} sentences in {code} are a machine's" for code, count in sorted(machines.items())]
        return settled(Reading(entries=entries, faults=[*faults, *places.unlabelled()], notes=notes))


def rate(fps: float | None) -> float | None:
    """Frames a second that were asked for."""
    if fps is None or 0 < fps < inf:
        return fps
    raise UserError(f"data.fps={fps}: frames a second, above 0, were expected, or null.")


def label_file(root: Path, name: str, option: str) -> Path:
    """A label file in the release or by its full path."""
    for path in (root / name, Path(name)):
        if path.is_file():
            return path
    raise UserError(f"data.{option}={name}: there is no such file in data.root={root}, nor by that path.")
