"""Which layout the components of a .pose file make: their names and the names of their points decide, not the count.

OpenPose, MediaPipe holistic with and without iris, whole or with points left out, and COCO-WholeBody are known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.layout import Layout
from sonar_slt.data.layouts import LAYOUTS, named
from sonar_slt.data.unreadable import Unreadable

FEWEST = 8  # points; the least that make somebody


@dataclass(frozen=True, slots=True)
class Component:
    """A part of a skeleton as a header has it: its name, the format of its points (XYC, XYZC), and their names."""

    name: str
    form: str
    points: tuple[str, ...]


def _sided(*places: str) -> tuple[str, ...]:
    return tuple(f"{side}_{place}" for place in places for side in ("LEFT", "RIGHT"))


_MEDIAPIPE_BODY = (
    *("NOSE", "LEFT_EYE_INNER", "LEFT_EYE", "LEFT_EYE_OUTER", "RIGHT_EYE_INNER", "RIGHT_EYE", "RIGHT_EYE_OUTER"),
    *("LEFT_EAR", "RIGHT_EAR", "MOUTH_LEFT", "MOUTH_RIGHT"),
    *_sided("SHOULDER", "ELBOW", "WRIST", "PINKY", "INDEX", "THUMB", "HIP", "KNEE", "ANKLE", "HEEL", "FOOT_INDEX"),
)
_MEDIAPIPE_HAND = (
    *("WRIST", "THUMB_CMC", "THUMB_MCP", "THUMB_IP", "THUMB_TIP"),
    *(
        f"{finger}_{joint}"
        for finger in ("INDEX_FINGER", "MIDDLE_FINGER", "RING_FINGER", "PINKY")
        for joint in ("MCP", "PIP", "DIP", "TIP")
    ),
)
_OPENPOSE_BODY = (
    *("Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist", "MidHip"),
    *("RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle", "REye", "LEye", "REar", "LEar"),
    *("LBigToe", "LSmallToe", "LHeel", "RBigToe", "RSmallToe", "RHeel"),
)
_OPENPOSE_HAND = (
    *("BASE", "T_STT", "T_BCMC", "T_MCP", "T_IP"),
    *(f"{finger}_{joint}" for finger in "IMRP" for joint in ("CMC", "MCP", "PIP", "DIP")),
)
_COCO_BODY = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear"),
    *(name.lower() for name in _sided("SHOULDER", "ELBOW", "WRIST", "HIP", "KNEE", "ANKLE")),
    *(f"{side}_{place}" for side in ("left", "right") for place in ("big_toe", "small_toe", "heel")),
)
_NUMBERED: Sequence[str] = ()  # points that are named by their number

_COCO = MappingProxyType({"BODY": _COCO_BODY, "FACE": _NUMBERED, "LEFT_HAND": _NUMBERED, "RIGHT_HAND": _NUMBERED})

# each component by its name: the layout that is its whole, the part of it, and the names of the part's points
_KNOWN: Mapping[str, tuple[str, str, Sequence[str]]] = MappingProxyType(
    {
        "pose_keypoints_2d": ("openpose_137", "body", _OPENPOSE_BODY),
        "face_keypoints_2d": ("openpose_137", "face", _NUMBERED),
        "hand_left_keypoints_2d": ("openpose_137", "left_hand", _OPENPOSE_HAND),
        "hand_right_keypoints_2d": ("openpose_137", "right_hand", _OPENPOSE_HAND),
        "POSE_LANDMARKS": ("mediapipe_553", "body", _MEDIAPIPE_BODY),
        "FACE_LANDMARKS": ("mediapipe_553", "face", _NUMBERED),
        "LEFT_HAND_LANDMARKS": ("mediapipe_553", "left_hand", _MEDIAPIPE_HAND),
        "RIGHT_HAND_LANDMARKS": ("mediapipe_553", "right_hand", _MEDIAPIPE_HAND),
        **{part + kind: ("coco_133", part.lower(), points) for part, points in _COCO.items() for kind in ("", "_133")},
    }
)
ELSEWHERE = ("POSE_WORLD_LANDMARKS",)  # the body once more, in metres


def placed(components: Sequence[Component], name: str) -> tuple[NDArray[np.intp], NDArray[np.intp], Layout]:
    """Which points of file `name` to take, where they stand in a layout, and that layout.

    The layout is the one that has just these points in this order, otherwise the smallest that has them all.
    """
    unknown = [repr(component.name) for component in components if component.name not in (*_KNOWN, *ELSEWHERE)]
    if unknown:
        raise Unreadable(f"'{name}' has components that are not known: {', '.join(unknown[:5])}.")
    sources: list[int] = []
    points: list[str] = []
    start = 0
    for component in components:
        if component.name in _KNOWN:
            points += _names(component, name)
            sources += range(start, start + len(component.points))
        start += len(component.points)
    if len(set(points)) < max(FEWEST, len(points)):
        raise Unreadable(f"'{name}' has {len(set(points))} known points of {len(points)}: too few, or some twice.")
    layout = _layout(tuple(points), name)
    index = {point: place for place, point in enumerate(layout.names)}
    return np.array(sources, np.intp), np.array([index[point] for point in points], np.intp), layout


def _names(component: Component, name: str) -> list[str]:
    """Our names of a component's points."""
    whole, part, points = _KNOWN[component.name]
    layout = named(whole)
    ours = layout.names[layout.parts[part]]
    index = {point: place for place, point in enumerate(points)}
    found = []
    for point in component.points:
        number = index.get(point, -1) if points else _number(point)
        if not 0 <= number < len(ours):
            raise Unreadable(f"'{name}' has a point {point!r} in {component.name}, which is not known there.")
        found.append(ours[number])
    return found


def _number(point: str) -> int:
    """The number that a point's name ends in, as in 0, FB_0 and face-0."""
    matched = re.search(r"[0-9]{1,4}\Z", point)
    return int(matched[0]) if matched else -1


def _layout(points: tuple[str, ...], name: str) -> Layout:
    holding = [layout for layout in LAYOUTS.values() if set(points) <= set(layout.names)]
    if not holding:
        raise Unreadable(f"'{name}' has components of several kinds that no layout has together.")
    return min(holding, key=lambda layout: (layout.names != points, layout.points))
