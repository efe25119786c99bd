"""Poses that lie in a clip store, as the extraction of skeletons leaves them: points in pixels, a clip an id.

The path of such a clip is STORE/<id>, where no file is.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from sonar_slt.data.feature_store import SHARD, whole
from sonar_slt.data.layouts import named
from sonar_slt.data.pose.sighting import Sightings, Wanted
from sonar_slt.data.store import ClipStore
from sonar_slt.data.store.shards import DESCRIBED, JOURNAL
from sonar_slt.data.unreadable import Unreadable
from sonar_slt.errors import UserError


def is_store(folder: str | Path) -> bool:
    """Whether a folder is a clip store, finished or not."""
    return any(os.path.isfile(os.path.join(folder, name)) for name in (DESCRIBED, JOURNAL))


def store_of(path: Path) -> Path | None:
    """The store that a path leads into, None for any other path."""
    return path.parent if is_store(path.parent) and not path.exists() else None


def whole_of(folder: Path, inner: Sequence[Path]) -> Sequence[Path]:
    """The folders in a folder; where shards of a corpus are among them, the shards of one partition, all of it."""
    if not any(SHARD.fullmatch(one.name) and is_store(one) for one in inner):
        return inner
    if shards := whole(folder):
        return shards
    raise UserError(
        f"data.poses: not all shards of '{folder}' are there, or not finished: give `sonar-slt extract` for the others."
    )


def clips(folder: Path) -> dict[str, Path]:
    """Every clip of a store by its id."""
    return {id: folder / id for id in _opened(folder).ids if "/" not in id and id not in ("", ".", "..")}


def read(path: Path, wanted: Wanted) -> Sightings:
    """The points of a clip; the store knows no frame rate and no picture's size."""
    store = _opened(path.parent)
    if path.name not in store:
        raise Unreadable(f"the clip store '{path.parent}' has no clip '{path.name}'.")
    points = store.read(path.name).astype(np.float32, copy=False)
    fps = wanted.rate(None)
    frames, faults = wanted.frames(len(points), fps, path.name)
    asked = points[frames.start : frames.stop]
    frame = np.flatnonzero((asked[..., 2] > 0).any(axis=1))
    return Sightings(
        people=asked[frame],
        frame=frame,
        length=len(asked),
        layout=named(store.layout),
        first=frames.start,
        fps=fps,
        in_pixels=True,
        faults=faults,
    )


def _opened(folder: Path) -> ClipStore:
    """The store as it lies there now, opened once and not for every clip."""
    if (folder / JOURNAL).is_file():
        raise UserError(
            f"data.poses: the clip store '{folder}' is unfinished: give its `sonar-slt extract` command again, which "
            "goes on where it was."
        )
    return _known(folder, os.stat(folder / DESCRIBED).st_mtime_ns)


@lru_cache(maxsize=256)
def _known(folder: Path, changed: int) -> ClipStore:
    store = ClipStore(folder)
    if store.normalised or not store.layout or store.shape != (named(store.layout).points, 3):
        what = f"points normalised by {store.normalised}" if store.normalised else f"frames of {store.shape}"
        raise UserError(
            f"data.poses: the clip store '{folder}' holds {what}; the points of `sonar-slt extract` in pixels were "
            "expected, such as those of features=mediapipe_holistic."
        )
    return store
