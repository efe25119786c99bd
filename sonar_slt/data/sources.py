"""Where the tracks of a batch come from: the corpus' own points, or features that were extracted of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from sonar_slt.data.feature_store import FeatureSet, feature_set
from sonar_slt.data.prepared_folder import has_points
from sonar_slt.data.served import Served
from sonar_slt.errors import UserError

POINTS, PICTURES, SPATIAL, MOTION = "points", "pictures", "spatial", "motion"
TRACKS = (POINTS, PICTURES, SPATIAL, MOTION)


class Source(Protocol):
    """One track of every clip that has it."""

    def __contains__(self, id: str) -> bool:
        """Whether a clip has it."""

    def of(self, row: int, id: str) -> NDArray[Any]:
        """A view of all of a clip's rows (time, ...)."""


class Points:
    """The points of a corpus, by the numbers of its rows; they are opened when the first clip is read."""

    def __init__(self, corpus: Served) -> None:
        self.corpus = corpus

    def __contains__(self, id: str) -> bool:
        return True

    def of(self, row: int, id: str) -> NDArray[Any]:
        """A view (frames, points, 3)."""
        view: NDArray[Any] = self.corpus.clips[row]
        return view


class Features:
    """Features of each corpus that this one is made of; `sets` are by what stands before its clips' ids."""

    def __init__(self, sets: Mapping[str, FeatureSet]) -> None:
        self.sets = dict(sets)
        if len(shapes := {one.shape for one in self.sets.values()}) > 1:
            raise UserError(f"The corpora that are mixed have features of different shapes: {sorted(shapes)}.")

    @property
    def names(self) -> str:
        """The settings that they were made by."""
        return ", ".join(dict.fromkeys(one.name for one in self.sets.values()))

    def __len__(self) -> int:
        return sum(map(len, self.sets.values()))

    def __contains__(self, id: str) -> bool:
        home, inner = self._home(id)
        return inner in home

    def of(self, row: int, id: str) -> NDArray[Any]:
        """A view (rows, ...)."""
        home, inner = self._home(id)
        return home[inner]

    def _home(self, id: str) -> tuple[FeatureSet, str]:
        if "" in self.sets:
            return self.sets[""], id
        part, _, inner = id.partition("/")
        return self.sets[f"{part}/"], inner


def sources(corpus: Served, reads: Sequence[str], asked: Mapping[str, str | None]) -> dict[str, Source]:
    """The tracks among `reads` that a corpus has; one at least, or a UserError that says how to come by one.

    `asked` names the features of a track where there are several.
    """
    if unknown := [name for name in reads if name not in TRACKS]:
        raise UserError(f"An adapter reads '{unknown[0]}'; the tracks are {', '.join(TRACKS)}.")
    found: dict[str, Source] = {}
    for track in reads:
        source = _points(corpus) if track == POINTS else _features(corpus, track, asked.get(track))
        if source is not None:
            found[track] = source
    if not found:
        told = " or ".join(reads)
        raise UserError(
            f"The corpus has no {told} for the adapter to read: `sonar-slt extract` makes spatial and motion features "
            "of its pictures, `adapter=keypoint` reads its points."
        )
    return found


def all_have_points(corpus: Served) -> bool:
    """Whether every clip has points; a corpus of pictures alone has none."""
    return all(map(has_points, corpus.homes.values()))


def _points(corpus: Served) -> Points | None:
    return Points(corpus) if all_have_points(corpus) else None


def _features(corpus: Served, track: str, asked: str | None) -> Features | None:
    sets = {before: feature_set(home, track, asked) for before, home in corpus.homes.items()}
    media = corpus.media
    there = {before: one.require(media[before]) for before, one in sets.items() if one is not None}
    if there and len(there) < len(sets):
        lacking = next(before for before, one in sets.items() if one is None)
        raise UserError(f"The corpus {lacking.rstrip('/')} has no {track} features, others of the mix have.")
    return Features(there) if there else None
