"""Which file or folder holds the poses of a clip, in a folder of poses, with or without a folder for each split.

A clip may lie there in several formats; the first of .pose, .npz, .npy and a folder of json files is taken. A clip
store, or one for each shard of a corpus, counts as a folder of as many files as it has clips.
"""

from __future__ import annotations

import os
from pathlib import Path

from sonar_slt.data.pose import stored
from sonar_slt.data.pose.openpose_json import holds_frames

SUFFIXES = (".pose", ".npz", ".npy")


def listed(folder: Path) -> dict[str, list[Path]]:
    """Every pose file and json folder by its id, sorted: those in the folder itself, then those one folder deeper."""
    outer, others = _clips(folder)
    found: dict[str, list[Path]] = {}
    for clips in (outer, *(_clips(other)[0] for other in stored.whole_of(folder, others))):
        for id, path in clips.items():
            found.setdefault(id, []).append(path)
    return dict(sorted(found.items()))


def _clips(folder: Path) -> tuple[dict[str, Path], list[Path]]:
    """The clips of one folder, and its folders that are none, by one look into it."""
    if stored.is_store(folder):
        return stored.clips(folder), []
    ranked: dict[str, tuple[int, Path]] = {}
    others = []
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            stem, suffix = os.path.splitext(entry.name)
            suffix = suffix.lower()
            if entry.name.startswith("."):  # also what macOS leaves beside a file
                continue
            if suffix in SUFFIXES and stem and entry.is_file():
                id, rank = stem, SUFFIXES.index(suffix)
            elif entry.is_dir():
                if not holds_frames(entry.path):
                    others.append(Path(entry.path))
                    continue
                id, rank = entry.name, len(SUFFIXES)
            else:
                continue
            if id not in ranked or rank < ranked[id][0]:
                ranked[id] = rank, Path(entry.path)
    return {id: path for id, (_, path) in ranked.items()}, others
