"""Features that were extracted of a corpus: clip stores beside its own, in shards that any number of jobs has filled.

They lie in `features/` of a prepared corpus, in a folder for each setting: its name ends in a hash of everything that
decides a value, so that features of different settings never mix. In it lies a clip store for each shard.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from sonar_slt.data.store import ClipStore
from sonar_slt.data.store.shards import DESCRIBED
from sonar_slt.errors import UserError

FEATURES = "features"
"""The folder in a prepared corpus."""
SHARD = re.compile(r"(\d{3,})-of-(\d{3,})")


def shard_name(number: int, of: int) -> str:
    """The folder of one shard, counted from 1: `003-of-064`."""
    return f"{number:03d}-of-{of:03d}"


class FeatureSet:
    """The features of one setting: `set[id]` is a clip's (rows, *shape), a view of a memory map."""

    def __init__(self, folder: Path, shards: Sequence[Path]) -> None:
        self.folder, self.shards = folder, shards

    @property
    def name(self) -> str:
        """That of its folder: the option, a dash, the hash of the settings."""
        return self.folder.name

    @cached_property
    def stores(self) -> list[ClipStore]:
        """A clip store for each shard."""
        return [ClipStore(shard) for shard in self.shards]

    @property
    def described(self) -> Mapping[str, Any]:
        """What the extraction tells: `track`, `settings`, and `media`, the digest of the clips that were looked at."""
        return self.stores[0].described

    @property
    def track(self) -> str:
        """The track that these are."""
        return str(self.described["track"])

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one row."""
        return self.stores[0].shape

    def __len__(self) -> int:
        return sum(map(len, self.stores))

    def __contains__(self, id: str) -> bool:
        return any(id in store for store in self.stores)

    def __getitem__(self, id: str) -> NDArray[Any]:
        for store in self.stores:
            if id in store:
                return store[id]
        raise KeyError(f"'{self.folder}' has no clip '{id}'")

    def require(self, media: str) -> FeatureSet:
        """Itself, unless it was made of clips that the corpus no longer has."""
        if (then := self.described["media"]) != media:
            raise UserError(
                f"'{self.folder}' was extracted from other clips ({then}) than the corpus has now ({media}): extract "
                "again, and remove the folder first."
            )
        return self


def feature_sets(prepared: Path) -> list[FeatureSet]:
    """Every setting of which all shards are there, by name."""
    home = prepared / FEATURES
    folders = sorted(path for path in home.iterdir() if path.is_dir()) if home.is_dir() else []
    found = ((folder, whole(folder)) for folder in folders if not folder.name.startswith("."))
    return [FeatureSet(folder, shards) for folder, shards in found if shards]


def whole(folder: Path) -> list[Path]:
    """The finished shards of a setting where all of one partition are there, in order; else none."""
    partitions: dict[int, dict[int, Path]] = {}
    for path in folder.iterdir() if folder.is_dir() else ():
        if (match := SHARD.fullmatch(path.name)) and (path / DESCRIBED).is_file():
            partitions.setdefault(int(match[2]), {})[int(match[1])] = path
    complete = [shards for of, shards in sorted(partitions.items()) if len(shards) == of]
    return [path for _, path in sorted(complete[0].items())] if complete else []


def feature_set(prepared: Path, track: str, asked: str | None) -> FeatureSet | None:
    """The features of a track: those that are asked for by name, else the only ones; None where there are none."""
    there = [one for one in feature_sets(prepared) if one.track == track]
    named = [one for one in there if asked in (None, one.name, one.name.rpartition("-")[0])]
    if len(named) == 1:
        return named[0]
    known = ", ".join(one.name for one in there) or "none"
    if asked is not None and not named:
        raise UserError(
            f"batches.{track}={asked}: '{prepared}' has no such features; its {track} features: {known}. "
            "`sonar-slt extract` makes them."
        )
    if named:
        raise UserError(
            f"'{prepared}' has several {track} features, {', '.join(one.name for one in named)}: choose by "
            f"batches.{track}=NAME."
        )
    return None
