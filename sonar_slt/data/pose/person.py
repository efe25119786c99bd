"""Who of several people is the signer: people are followed through the clip, and one is chosen by a stated rule.

OpenPose lists people in another order in each frame, so that a place in the list is nobody in particular.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

CROWD = 32  # of more people in a frame only the most confident are followed
MEMORY = 50  # frames for which somebody out of sight is still expected back

Rows = NDArray[np.intp]


@dataclass(slots=True)
class _Track:
    """One person through the clip: the rows of its sightings, and where it was seen last."""

    rows: list[int]
    frame: int


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """Where each sighting stands, how far it reaches around itself, and how surely it was seen; (sightings,) each."""

    place: NDArray[np.float64]  # (sightings, 2) between the shoulders
    reach: NDArray[np.float64]
    confidence: NDArray[np.float64]
    frame: NDArray[np.intp]
    middle: float


def _confident(scene: _Scene, tracks: list[_Track]) -> list[float]:
    return [-float(scene.confidence[track.rows].sum()) for track in tracks]


def _central(scene: _Scene, tracks: list[_Track]) -> list[float]:
    longest = max(len(track.rows) for track in tracks)
    away = [abs(float(scene.place[track.rows, 0].mean()) - scene.middle) for track in tracks]
    return [far if 2 * len(track.rows) >= longest else np.inf for far, track in zip(away, tracks, strict=True)]


_ORDERS: Mapping[str, Callable[[_Scene, list[_Track]], list[float]]] = MappingProxyType(
    {"confident": _confident, "central": _central}
)

RULES = MappingProxyType(
    {
        "confident": "the one with the highest sum of confidences over the clip",
        "central": "the one nearest to the middle between left and right, of those seen at least half as long as any",
        "first": "the one listed first in each frame, whoever that is",
    }
)
"""The rules by which the signer is chosen, and what each means."""


def chosen(
    people: NDArray[np.float32], frame: Rows, *, rule: str, shoulders: Sequence[int], size: tuple[int, int] | None
) -> Rows:
    """The rows of the signer, at most one a frame, of `people` (sightings, points, 3) whose `frame` ascends.

    `shoulders` are the two points, none where the file lacks them: the middle of what is seen then stands for theirs.
    Confident and central follow each person by the nearest point between the shoulders, no farther from frame to
    frame than the person reaches. Who is chosen may be lost and found again, or jump at a cut: people that share no
    frame with the chosen one then stand in for it, the best by the rule first.
    """
    starts = np.flatnonzero(np.diff(frame, prepend=-1))
    if rule == "first" or len(starts) == len(frame):
        return starts
    scene = _scene(people, frame, list(shoulders), size)
    tracks = _tracks(scene, starts)
    order = _ORDERS[rule](scene, tracks)
    taken: dict[int, int] = {}
    for _, track in sorted(zip(order, tracks, strict=True), key=lambda pair: (pair[0], pair[1].rows[0])):
        frames = frame[track.rows].tolist()
        if taken.keys().isdisjoint(frames):
            taken.update(zip(frames, track.rows, strict=True))
    return np.array([taken[number] for number in sorted(taken)], np.intp)


def _scene(people: NDArray[np.float32], frame: Rows, shoulders: list[int], size: tuple[int, int] | None) -> _Scene:
    seen = people[..., 2] > 0  # (sightings, points)
    points = people[..., :2].astype(np.float64)
    count = seen.sum(axis=1)[:, None]
    mean = points.sum(axis=1) / count  # an unseen point lies at 0, 0
    apart = np.where(seen, ((points - mean[:, None]) ** 2).sum(axis=-1), 0)
    place = mean
    if shoulders:
        both = np.all(seen[:, shoulders], axis=1, keepdims=True)
        place = np.where(both, points[:, shoulders].mean(axis=1), mean)
    across = points[..., 0][seen]
    return _Scene(
        place=place,
        reach=np.sqrt(apart.sum(axis=1) / count[:, 0]),
        confidence=people[..., 2].sum(axis=1, dtype=np.float64),
        frame=frame,
        middle=size[0] / 2 if size else float(across.min() + across.max()) / 2,
    )


def _tracks(scene: _Scene, starts: Rows) -> list[_Track]:
    tracks: list[_Track] = []
    live: list[_Track] = []
    for rows in np.split(np.arange(len(scene.frame)), starts[1:]):
        frame = int(scene.frame[rows[0]])
        if len(rows) > CROWD:
            rows = np.sort(rows[np.argsort(-scene.confidence[rows], kind="stable")[:CROWD]])
        live = [track for track in live if frame - track.frame <= MEMORY]
        followed = _followed(scene, live, rows)
        for row in rows.tolist():
            if row in followed:
                followed[row].rows.append(row)
                followed[row].frame = frame
            else:
                live.append(_Track([row], frame))
                tracks.append(live[-1])
    return tracks


def _followed(scene: _Scene, live: list[_Track], rows: Rows) -> dict[int, _Track]:
    """Which track each of a frame's sightings goes on with: the nearest pairs first, nobody twice."""
    if not live:
        return {}
    last = [track.rows[-1] for track in live]
    apart = np.linalg.norm(scene.place[last][:, None] - scene.place[rows][None], axis=-1)  # (tracks, sightings)
    apart[apart > np.maximum(scene.reach[last][:, None], scene.reach[rows][None])] = np.inf
    followed: dict[int, _Track] = {}
    while np.isfinite(apart).any():
        track, sighting = np.unravel_index(int(apart.argmin()), apart.shape)
        followed[int(rows[sighting])] = live[track]
        apart[track, :] = np.inf
        apart[:, sighting] = np.inf
    return followed
