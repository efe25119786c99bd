"""OpenPose's json files, one a frame in a folder of the clip's name, as How2Sign ships them.

Files are taken by the numbers in their names and the lowest is where the clip starts. A number that is missing, and a
file that cannot be read among others that can, leaves a frame without points, so that time stays right.
"""

from __future__ import annotations

import json
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.faults import Fault
from sonar_slt.data.layouts import OPENPOSE_137
from sonar_slt.data.pose.sighting import Sightings, Wanted, listed
from sonar_slt.data.unreadable import Unreadable

PATTERN = re.compile(r"(?:.*_)?(\d{1,18})_keypoints\.json", re.DOTALL)
LARGEST = 4 << 20  # bytes of one frame's file; a person takes about 6 thousand

_PARTS = (
    ("pose_keypoints_2d", 75),
    ("face_keypoints_2d", 210),
    ("hand_left_keypoints_2d", 63),
    ("hand_right_keypoints_2d", 63),
)
_NUMBERS = sum(count for _, count in _PARTS)
_PLAIN = frozenset((float, int, type(None)))  # what may stand in a list; a null is a point that is none
# OpenPose's older body of 18 points has no middle of the hips and no feet; the others stand in BODY_25's order
_COCO_18 = [*range(8), *range(9, 19)]


def read(folder: Path, wanted: Wanted) -> Sightings:
    """Everybody in the json files of `folder`."""
    files, strays = _files(folder) if wanted.span is None else _listing(folder, os.stat(folder).st_mtime_ns)
    first, fps = min(files), wanted.rate(None)
    total = max(files) - first + 1
    if total - len(files) > 1000 + 9 * len(files):
        raise Unreadable(
            f"'{folder.name}' has {len(files)} json files with numbers from {first} to {max(files)}: "
            "they are not the frames of one clip."
        )
    frames, faults = wanted.frames(total, fps, folder.name)
    numbers = [first + frame for frame in frames]
    there = [number for number in numbers if number in files]
    people, rows, broken = _people(folder, {number: files[number] for number in there})
    gaps = [number for number in numbers if number not in files]
    start = first + frames.start
    return Sightings(
        people=people,
        frame=np.array(rows, np.intp) - start,
        length=len(frames),
        layout=OPENPOSE_137,
        first=start,
        silent=[number - start for number in (*gaps, *broken)],
        fps=fps,
        faults=[*faults, *_told(len(there), gaps, broken, strays)],
    )


def holds_frames(folder: str | Path) -> bool:
    """Whether a folder has a json file of OpenPose's."""
    with os.scandir(folder) as entries:
        return any(entry.name.endswith("_keypoints.json") for entry in entries)


def _files(folder: Path) -> tuple[dict[int, str], list[str]]:
    """The names of the frames' files by number, and of those that are none."""
    files: dict[int, str] = {}
    strays: list[str] = []
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.startswith("."):
                continue
            matched = PATTERN.fullmatch(entry.name)
            if matched is None or not entry.is_file():
                strays.append(entry.name)
            elif (number := int(matched[1])) in files:
                raise Unreadable(f"'{folder.name}' has two files for one frame: '{files[number]}' and '{entry.name}'.")
            else:
                files[number] = entry.name
    if not files:
        raise Unreadable(f"'{folder.name}' holds no json files of OpenPose (…_000000000000_keypoints.json).")
    return files, strays


@lru_cache(maxsize=1)
def _listing(folder: Path, changed: int) -> tuple[dict[int, str], list[str]]:
    """The same, remembered from one span of a folder to the next."""
    return _files(folder)


def _people(folder: Path, files: dict[int, str]) -> tuple[NDArray[np.float32], list[int], dict[int, str]]:
    """The points of everybody (sightings, points, 3), the number of each one's frame, and what broke by number."""
    found: dict[int, NDArray[np.float32]] = {}
    broken: dict[int, str] = {}
    for number, name in files.items():
        try:
            found[number] = _frame(folder / name)
        except (ValueError, OverflowError, OSError, RecursionError) as error:
            broken[number] = f"'{name}' {error if isinstance(error, _Odd) else 'is no whole json file'}"
    if files and not found:
        raise Unreadable(
            f"None of the {len(files)} json files of '{folder.name}' can be read: {next(iter(broken.values()))}."
        )
    points = [np.zeros((0, _NUMBERS // 3, 3), np.float32), *found.values()]
    return np.concatenate(points), [number for number, people in found.items() for _ in people], broken


class _Odd(ValueError):
    """Json that OpenPose does not write; the message goes on from the name of the file."""


def _frame(path: Path) -> NDArray[np.float32]:
    """The points of each person in one file (people, points, 3)."""
    with open(path, "rb", buffering=0) as file:
        if os.fstat(file.fileno()).st_size > LARGEST:
            raise _Odd("is too large for the json file of one frame")
        told = json.loads(file.read())
    people = told.get("people") if isinstance(told, dict) else None
    if not isinstance(people, list):
        raise _Odd("has no list of people")
    with np.errstate(over="ignore"):
        found = np.array([numbers for person in people if (numbers := _person(person))], np.float32)
    return found.reshape(-1, _NUMBERS // 3, 3)


def _person(told: Any) -> list[float]:
    """The 411 numbers of a person, nothing for one without any; a part that was not looked for is zeros."""
    if not isinstance(told, dict):
        raise _Odd("lists people that are no objects")
    numbers: list[float] = []
    found = False
    for key, count in _PARTS:
        part = told.get(key, [])
        if not (isinstance(part, list) and _PLAIN.issuperset(map(type, part))):
            raise _Odd(f"has something other than a list of numbers under {key}")
        found = found or bool(part)
        if len(part) == count:
            numbers += part
        elif not part:
            numbers += [0.0] * count
        elif len(part) == 54 and count == 75:
            numbers += _body_25(part)
        else:
            raise _Odd(f"has {len(part)} numbers under {key} instead of {count}")
    return numbers if found else []


def _body_25(coco: list[float]) -> list[float]:
    body = [0.0] * 75
    for place, point in enumerate(_COCO_18):
        body[3 * point : 3 * point + 3] = coco[3 * place : 3 * place + 3]
    return body


def _told(count: int, gaps: list[int], broken: dict[int, str], strays: list[str]) -> list[Fault]:
    faults = []
    if gaps:
        told = f"no json file for {'frame' if len(gaps) == 1 else 'frames'} {listed(gaps)}; without points there"
        faults.append(Fault(id="", kind="missing_frame", told=told, done="kept"))
    if broken:
        names = "; ".join(list(broken.values())[:3]) + ("; …" if len(broken) > 3 else "")
        told = f"{len(broken)} of {count} json files cannot be read, without points there: {names}"
        faults.append(Fault(id="", kind="broken_frame", told=told, done="kept"))
    if strays:
        names = ", ".join(f"'{name}'" for name in strays[:3]) + (", …" if len(strays) > 3 else "")
        told = f"{len(strays)} among the json files that {'is' if len(strays) == 1 else 'are'} none of a frame: {names}"
        faults.append(Fault(id="", kind="stray_file", told=told, done="noted"))
    return faults
