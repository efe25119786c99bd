"""Where the clips of a release lie: its folders of pictures, videos and poses, each listed once.

Ids come from label files and are never made into paths: they are looked up among the names that were listed, so none
leads out of a folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from types import MappingProxyType

from sonar_slt.data.faults import Fault
from sonar_slt.data.pose import listed, stored
from sonar_slt.data.pose.folder import SUFFIXES
from sonar_slt.data.preparation.checks import bad_id
from sonar_slt.data.release import Entry, Media, MediaKind, Reading, Span
from sonar_slt.errors import UserError

VIDEOS = frozenset({".mp4", ".mkv", ".webm", ".mov", ".avi", ".m4v"})
FILES = VIDEOS | set(SUFFIXES)
SPLIT_NAMES: Mapping[str, str] = MappingProxyType(
    {"train": "train", "dev": "dev", "val": "dev", "valid": "dev", "validation": "dev", "test": "test"}
)
"""The splits by each name that releases and their folders give them."""


def release_folder(root: str | Path, name: str) -> Path:
    """The folder of a release, or a UserError where it is none."""
    path = Path(root)
    if path.is_dir():
        return path
    what = "is a file" if path.exists() else "is not there"
    raise UserError(f"data.root={path}: it {what}; the folder of the release of {name} was expected.")


def within(root: Path, given: str | Path | None, option: str) -> Path | None:
    """A folder that was asked for: inside the release where it lies there, else as it was written."""
    if given is None:
        return None
    for path in (root / given, Path(given)):
        if path.is_dir():
            return path
    what = "a file" if (root / given).exists() or Path(given).exists() else "not there"
    raise UserError(f"data.{option}={given}: it is {what}; a folder in data.root={root}, or a full path, was expected.")


def settled(reading: Reading) -> Reading:
    """The same with splits by the names they have here, and notes of those that were called otherwise or are others."""
    found = dict.fromkeys(entry.split for entry in reading.entries if SPLIT_NAMES.get(entry.split) != entry.split)
    notes = [
        f"the split {split!r} is called {SPLIT_NAMES[split]} here"
        if split in SPLIT_NAMES
        else f"the split {split!r} is not trained or tested on: the names are train, dev and test"
        for split in found
        if split.strip()
    ]
    return Reading(
        entries=[replace(entry, split=SPLIT_NAMES.get(entry.split, entry.split)) for entry in reading.entries],
        faults=[replace(fault, split=SPLIT_NAMES.get(fault.split, fault.split)) for fault in reading.faults],
        notes=[*reading.notes, *notes],
    )


class Places:
    """What was found by name, and which of it a label has asked for."""

    def __init__(self, *, frames: Path | None = None, videos: Path | None = None, poses: Path | None = None) -> None:
        self._found: dict[MediaKind, Mapping[str, list[Path]]] = {
            "frames": _by_name(frames, _folders(frames)) if frames else {},
            "video": _by_name(videos, _videos(videos)) if videos else {},
            "pose": _by_name(poses, chain.from_iterable(listed(poses).values())) if poses else {},
        }
        self.given = any(folder is not None for folder in (frames, videos, poses))
        self._roots = {"frames": frames, "video": videos, "pose": poses}
        self._asked: set[Path] = set()

    def pictures(self, id: str, split: str = "", span: Span | None = None) -> Media | None:
        """The folder of pictures of that name, else the video."""
        return self._media("frames", id, split, span) or self._media("video", id, split, span)

    def pose(self, id: str, split: str = "", span: Span | None = None) -> Media | None:
        """The poses of that name; those in a clip store are by clip, and cut already."""
        media = self._media("pose", id, split, span)
        return replace(media, span=None) if media and span and stored.store_of(media.path) else media

    def _media(self, kind: MediaKind, id: str, split: str, span: Span | None) -> Media | None:
        paths, root = self._found[kind].get(id, []), self._roots[kind]
        if root and split and "/" not in id:  # a path in the folder says itself which is meant
            paths = _of_split(paths, root, split)
        if not paths:
            return None
        self._asked.add(paths[0])
        return Media(kind, paths[0], span)

    def missing(self, entry: Entry) -> list[Fault]:
        """The fault of an entry of which nothing was found; an id that names no file is told as such elsewhere."""
        if not self.given or entry.pictures is not None or entry.pose is not None or bad_id(entry.id):
            return []
        told = f"has neither pictures nor poses ({entry.where})"
        return [Fault(id=entry.id, kind="missing_clip", told=told, split=entry.split)]

    def unlabelled(self) -> Iterator[Fault]:
        """A fault for every name that no label has asked for."""
        left: dict[str, list[str]] = {}
        for kind, found in self._found.items():
            for path in sorted({path for paths in found.values() for path in paths} - self._asked):
                root = self._roots[kind]
                name = path.stem if path.suffix.lower() in FILES else path.name
                left.setdefault(name, []).append(f"'{path.relative_to(root) if root else path}'")
        for id, told in sorted(left.items()):
            yield Fault(id=id, kind="unlabelled_clip", told=f"no row of the labels names {' or '.join(told)}")


def _of_split(paths: Iterable[Path], root: Path, split: str) -> list[Path]:
    """Those in folders of the split, else those in folders of none: a clip never stands in for that of another."""
    named, others = [], []
    for path in paths:
        folders = path.relative_to(root).parent.parts
        if SPLIT_NAMES.get(split, split) in (SPLIT_NAMES.get(folder, folder) for folder in folders):
            named.append(path)
        elif not any(folder in SPLIT_NAMES for folder in folders):
            others.append(path)
    return named or others


def _folders(root: Path) -> Iterator[Path]:
    """The folders of the clips, also inside the folders of splits; what is in a clip's folder is not looked at."""
    with os.scandir(root) as found:
        for entry in sorted(found, key=lambda entry: entry.name):
            if entry.is_dir() and entry.name in SPLIT_NAMES:
                yield from _folders(Path(entry.path))
            elif entry.is_dir() and not entry.name.startswith("."):
                yield Path(entry.path)


def _videos(root: Path) -> Iterator[Path]:
    """The video files, however deep they lie."""
    for folder, inner, names in os.walk(root):
        inner.sort()
        for name in sorted(names):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in VIDEOS:
                yield Path(folder, name)


def _by_name(root: Path, paths: Iterable[Path]) -> dict[str, list[Path]]:
    """Each by its name and by its path from the root, with and without the suffix of a file."""
    found: dict[str, list[Path]] = {}
    for path in paths:
        names = {path.name, path.relative_to(root).as_posix()}
        if path.suffix.lower() in FILES:
            names |= {os.path.splitext(name)[0] for name in names}
        for name in names:
            found.setdefault(name, []).append(path)
    return found
