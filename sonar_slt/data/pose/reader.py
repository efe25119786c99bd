"""Pose files of every kind to one recording of one signer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.faults import Fault
from sonar_slt.data.layouts import named
from sonar_slt.data.pose import arrays, dot_pose, openpose_json, stored
from sonar_slt.data.pose.person import RULES, chosen
from sonar_slt.data.pose.sighting import Sightings, Wanted, fractions, listed, settled
from sonar_slt.data.recording import Recording
from sonar_slt.data.release import Media
from sonar_slt.data.unreadable import Unreadable
from sonar_slt.errors import UserError

_UNSCALED = Fault(
    id="",
    kind="bad_coordinate",
    told="coordinates are fractions of a picture of unknown size, taken as square: give data.pose.size=[width,height]",
    done="kept",
)


class PoseReader:
    """Reads .pose, .npz, .npy, folders of OpenPose's json files and clips of a clip store.

    The options are for what these do not tell. `layout` and `channels` (xy, xyc, xyz, xyzc) are of arrays, as is
    `missing`, by which an array marks what was not found: nan, zero, minus_one; zero is x and y both 0, where nobody is
    seen but many tools leave what they missed. A part of an array (a hand, the face) that lies somewhere, but with
    confidence 0 throughout the file, is taken for seen: MediaPipe tells a `visibility` of the body alone. With the size
    that an .npz has, else `size`, else that of the clip's pictures, coordinates of arrays and json files that are
    fractions of the picture come out in pixels; without any they stay as they are, as of a square picture, which is a
    fault. `fps` goes before the frame rate that the labels know, behind the file's own. `person` chooses the signer of
    several people: confident, central or first, each as `sonar_slt.data.pose.person.RULES` has it. Depth is dropped.
    """

    def __init__(
        self,
        *,
        layout: str | None = None,
        channels: str | None = None,
        missing: Sequence[str] = ("nan", "zero"),
        size: Sequence[int] | None = None,
        fps: float | None = None,
        person: str = "confident",
    ) -> None:
        if channels is not None and channels not in arrays.CHANNELS:
            raise UserError(f"There are no data.pose.channels={channels}; there are {', '.join(arrays.CHANNELS)}.")
        for mark in missing:
            if mark not in arrays.MISSING:
                raise UserError(f"data.pose.missing has {mark!r}; there are {', '.join(arrays.MISSING)}.")
        if size is not None and (len(size) != 2 or min(size) < 1):
            raise UserError(f"data.pose.size is {list(size)}, expected a picture's [width,height].")
        if fps is not None and not 0 < fps < float("inf"):
            raise UserError(f"data.pose.fps is {fps}, expected a number above 0.")
        if person not in RULES:
            raise UserError(f"There is no data.pose.person={person}; there are {', '.join(RULES)}.")
        self.told = arrays.Told(layout=named(layout) if layout else None, channels=channels, missing=tuple(missing))
        self.size = None if size is None else (int(size[0]), int(size[1]))
        self.fps, self.person = fps, person

    def described(self) -> dict[str, Any]:
        """What decides how a file is read, in plain values."""
        return {
            "layout": self.told.layout.name if self.told.layout else None,
            "channels": self.told.channels,
            "missing": sorted(self.told.missing),
            "size": list(self.size) if self.size else None,
            "fps": self.fps,
            "person": self.person,
        }

    def read(self, media: Media, *, fps: float | None = None, size: tuple[int, int] | None = None) -> Recording:
        """The points of the signer in a file or folder, or in a span of it.

        `fps` is what the labels know, `size` what the clip's pictures have.
        A broken file is Unreadable, and so is a folder of json files none of which can be read.
        """
        try:
            seen = self._seen(media.path, Wanted(media.span, self.fps if self.fps is not None else fps))
        except OSError as error:
            raise Unreadable(f"'{media.path.name}' cannot be read: {error.strerror or error}.") from error
        size = seen.size or self.size or size
        people, misplaced = settled(seen.people)
        faults = [*seen.faults, *_misplaced(misplaced, seen)]
        if not seen.in_pixels and fractions(people):
            people = people * np.array([*(size or (1, 1)), 1], np.float32)
            faults += [] if size else [_UNSCALED]
        somebody = (people[..., 2] > 0).any(axis=1)
        people, frame = people[somebody], seen.frame[somebody]
        places = np.arange(seen.layout.points) if seen.places is None else seen.places
        shoulders = np.flatnonzero(np.isin(places, seen.layout.shoulders)).tolist()
        shoulders = shoulders if len(shoulders) == 2 else []
        signer = chosen(people, frame, rule=self.person, shoulders=shoulders, size=size)
        points = np.zeros((seen.length, seen.layout.points, 3), np.float32)
        points[frame[signer][:, None], places] = people[signer]
        faults += self._people(frame, seen)
        return Recording(points=points, layout=seen.layout, fps=seen.fps, size=size, faults=faults)

    def _seen(self, path: Path, wanted: Wanted) -> Sightings:
        if stored.store_of(path):
            return stored.read(path, wanted)
        if path.is_dir():
            return openpose_json.read(path, wanted)
        suffix = path.suffix.lower()
        if suffix == ".pose":
            return dot_pose.read(path, wanted)
        if suffix in (".npz", ".npy"):
            return arrays.read(path, wanted, self.told)
        raise Unreadable(f"'{path.name}' is no pose file: expected .pose, .npz, .npy or a folder of OpenPose's json.")

    def _people(self, frame: NDArray[np.intp], seen: Sightings) -> list[Fault]:
        """Frames without anybody, unless all of the clip is empty, and frames with several people."""
        count = np.bincount(frame, minlength=seen.length)
        faults = []
        nobody = sorted(set(np.flatnonzero(count == 0).tolist()) - set(seen.silent))
        if nobody and count.any():
            told = f"nobody was found in {len(nobody)} of {seen.length} frames: {_numbers(nobody, seen)}"
            faults.append(Fault(id="", kind="no_person", told=told, done="kept"))
        several = np.flatnonzero(count > 1).tolist()
        if several:
            told = (
                f"up to {count.max()} people in {len(several)} of {seen.length} frames: {_numbers(several, seen)}; "
                f"the signer is {RULES[self.person]} (data.pose.person={self.person})"
            )
            faults.append(Fault(id="", kind="several_people", told=told, done="kept"))
        return faults


def _misplaced(misplaced: NDArray[np.bool_], seen: Sightings) -> list[Fault]:
    rows = misplaced.any(axis=1)
    if not rows.any():
        return []
    frames = _numbers(set(seen.frame[rows].tolist()), seen)
    told = (
        f"points that are no numbers or lie beyond any picture count as missing: {misplaced.sum()} in frames {frames}"
    )
    return [Fault(id="", kind="bad_coordinate", told=told, done="kept")]


def _numbers(frames: Sequence[int] | set[int], seen: Sightings) -> str:
    return listed(seen.first + frame for frame in frames)
