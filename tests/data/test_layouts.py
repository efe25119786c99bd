"""Layouts: whole, symmetrical, and the same person in each of them the same person in the common one."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

from sonar_slt.data.layout import Layout
from sonar_slt.data.layouts import (
    COCO_133,
    LAYOUTS,
    MEDIAPIPE_178,
    MEDIAPIPE_543,
    MEDIAPIPE_586,
    OPENPOSE_135,
    OPENPOSE_137,
    SIGNING,
    YOUTUBE_ASL_85,
    by_points,
    convert,
    named,
)
from sonar_slt.data.view import Clip, NoFace, OneHand
from sonar_slt.errors import UserError

PARTS = ("body", "face", "left_hand", "right_hand")
EVERY = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
SYMMETRICAL = [layout for layout in LAYOUTS.values() if layout is not YOUTUBE_ASL_85]  # which has halves of pairs
WHOLE = pytest.mark.parametrize("layout", SYMMETRICAL, ids=[layout.name for layout in SYMMETRICAL])

# What each toolkit's own documentation says of single points.
KNOWN: dict[str, dict[str, int]] = {
    "openpose_137": {
        **{"neck": 1, "right_wrist": 4, "left_wrist": 7, "left_ear": 18, "right_heel": 24},
        **{"chin": 25 + 8, "right_brow_1": 25 + 17, "left_brow_1": 25 + 26, "nose_tip": 25 + 30},
        **{
            "right_eye_outer": 25 + 36,
            "right_eye_inner": 25 + 39,
            "left_eye_inner": 25 + 42,
            "left_eye_outer": 25 + 45,
        },
        **{"right_mouth_corner": 25 + 48, "left_mouth_corner": 25 + 54, "lower_lip": 25 + 57, "right_pupil": 25 + 68},
        **{"left_inner_mouth_corner": 25 + 64, "left_hand_wrist": 95, "right_hand_index_4": 116 + 8},
    },
    "openpose_135": {
        **{"left_eye": 1, "right_hip": 12, "head_top": 18, "left_hand_thumb_1": 25, "right_hand_little_4": 64},
        **{"right_jaw_1": 65, "left_pupil": 134},
    },
    "coco_133": {
        **{"left_eye": 1, "right_shoulder": 6, "left_big_toe": 17, "right_jaw_1": 23, "nose_tip": 23 + 30},
        **{"left_hand_wrist": 91, "right_hand_wrist": 112, "right_hand_little_4": 132},
    },
    "mediapipe_543": {
        **{"nose": 0, "left_ear": 7, "left_shoulder": 11, "right_shoulder": 12, "right_wrist": 16, "left_hip": 23},
        **{"right_foot_index": 32, "right_eye_outer": 33 + 33, "left_eye_outer": 33 + 263, "chin": 33 + 152},
        **{"left_eye_inner": 33 + 362, "left_eye_top_inner": 33 + 385, "left_eye_bottom_outer": 33 + 373},
        **{"left_brow_1": 33 + 300, "left_brow_5": 33 + 336, "left_mouth_corner": 33 + 291, "left_jaw_3": 33 + 323},
        **{"left_lower_lip_2": 33 + 314, "left_inner_upper_lip": 33 + 311, "left_inner_lower_lip": 33 + 402},
        **{"left_hand_wrist": 501, "right_hand_wrist": 522},
    },
    "mediapipe_586": {"right_pupil": 33 + 468, "left_pupil": 33 + 473, "left_hand_wrist": 511, "world_nose": 553},
    "mediapipe_178": {"left_wrist": 4, "upper_lip": 8, "forehead": 10, "left_hand_wrist": 136},
    "mediapipe_75": {"right_wrist": 16, "left_hand_wrist": 33, "right_hand_thumb_4": 58},
    "youtube_asl_85": {"left_shoulder": 0, "right_elbow": 3, "upper_lip": 6, "left_pupil": 42, "right_hand_wrist": 64},
}


def place(name: str) -> tuple[float, float]:
    """Where a point of that name lies in the picture of a person who faces the camera: the left ones to the right."""
    side, _, rest = name.partition("_")
    if side not in ("left", "right"):
        return 640.0, 100.0 + len(name)
    across = 20.0 + sum(map(ord, rest)) % 97
    return 640.0 + across * (1 if side == "left" else -1), 100.0 + 7 * len(rest)


def person(layout: Layout, frames: int = 3) -> Clip:
    still = np.array([(*place(name), 0.5 + 0.4 * (len(name) % 3) / 2) for name in layout.names], dtype=np.float32)
    points = np.stack([still] * frames)
    points[..., :2] += np.arange(frames, dtype=np.float32)[:, None, None]
    return points


def shared(source: Layout) -> list[int]:
    """The points of the common layout that `source` has under the same name."""
    return [point for point, name in enumerate(SIGNING.names) if name in source.names]


@EVERY
def test_another_process_has_the_same_layout(layout: Layout) -> None:
    assert pickle.loads(pickle.dumps(layout)) is layout


@EVERY
def test_parts_hold_each_point_once_in_order(layout: Layout) -> None:
    assert [i for part in layout.parts.values() for i in range(part.start, part.stop)] == list(range(layout.points))
    assert len(layout.names) == len(set(layout.names)) == layout.points
    assert set(PARTS) <= set(layout.parts)


@EVERY
def test_mirroring_twice_changes_nothing_and_edges_are_told_once(layout: Layout) -> None:
    assert [layout.mirror[i] for i in layout.mirror] == list(range(layout.points))
    edges = {frozenset(edge) for edge in layout.edges}
    assert len(edges) == len(layout.edges) and all(len(edge) == 2 for edge in edges)


@WHOLE
def test_the_mirror_image_is_joined_alike_and_only_the_middle_stays(layout: Layout) -> None:
    edges = {frozenset(edge) for edge in layout.edges}
    assert {frozenset(layout.mirror[i] for i in edge) for edge in edges} == edges
    middle = [name for i, name in enumerate(layout.names) if layout.mirror[i] == i]
    assert not [name for name in middle if name.startswith(("left", "right"))]


@EVERY
def test_roles_are_where_they_are_said_to_be(layout: Layout) -> None:
    body, face = layout.parts["body"], layout.parts["face"]
    for pair, place in ((layout.shoulders, "shoulder"), (layout.wrists, "wrist")):
        assert [layout.names[i].split("_")[0] for i in pair] == ["right", "left"]
        assert all(layout.names[i].endswith(place) for i in pair)
    assert layout.mirror[layout.shoulders[0]] == layout.shoulders[1]
    assert layout.mirror[layout.wrists[0]] == layout.wrists[1]
    for arm, wrist, side in zip(layout.arms, layout.wrists, ("right", "left"), strict=True):
        hand = layout.parts[f"{side}_hand"]
        assert arm[1] == wrist and set(range(hand.start, hand.stop)) <= set(arm) and len(set(arm)) == len(arm)
        assert all(layout.names[i].startswith(side) for i in arm)
        assert len({layout.roots[i] for i in range(hand.start, hand.stop)}) == 1
        assert layout.names[layout.roots[hand.start]].endswith("wrist")
    assert all(body.start <= i < body.stop for i in layout.head)
    assert len({layout.roots[i] for i in range(face.start, face.stop)}) <= 1
    assert all(layout.roots[root] == root or root not in range(body.start, body.stop) for root in layout.roots)
    assert [layout.roots[i] for i in layout.mirror] == [layout.mirror[i] for i in layout.roots]


@pytest.mark.parametrize(("name", "points"), KNOWN.items(), ids=KNOWN)
def test_single_points_are_where_the_toolkit_has_them(name: str, points: dict[str, int]) -> None:
    assert {point: named(name).names.index(point) for point in points} == points


def test_layouts_are_found_by_name_and_by_their_number_of_points() -> None:
    counts = [137, 135, 133, 543, 553, 576, 586, 178, 75, 85]
    assert [layout.points for layout in LAYOUTS.values()] == [SIGNING.points, *counts]
    assert [by_points(layout.points) for layout in LAYOUTS.values()] == list(LAYOUTS.values())
    assert by_points(544) is None
    with pytest.raises(UserError, match=r"'openpose'.*openpose_137, .*youtube_asl_85"):
        named("openpose")


@EVERY
def test_left_stays_left(layout: Layout) -> None:
    points = convert(person(layout), layout, SIGNING)
    assert points.shape == (3, SIGNING.points, 3) and points.dtype == np.float32
    for name, (x, _, seen) in zip(SIGNING.names, points[0], strict=True):
        side = {"left": 1, "right": -1}.get(name.split("_")[0], 0)
        assert seen == 0 or math.copysign(1, x - 640) == side or side == 0, name
    for part in ("left_hand", "right_hand"):
        assert (points[:, SIGNING.parts[part], 2] > 0).all()


@EVERY
def test_what_both_layouts_have_is_the_same_point(layout: Layout) -> None:
    points = convert(person(layout), layout, SIGNING)
    np.testing.assert_array_equal(points[:, shared(layout)], person(SIGNING)[:, shared(layout)])
    assert (points[points[..., 2] == 0] == 0).all()


def test_one_person_in_three_toolkits_is_one_person() -> None:
    for layout in (OPENPOSE_137, COCO_133, MEDIAPIPE_543, MEDIAPIPE_586):
        np.testing.assert_array_equal(convert(person(layout), layout, SIGNING), person(SIGNING))


@EVERY
def test_a_layout_becomes_itself_unchanged(layout: Layout) -> None:
    points = person(layout)
    assert np.array_equal(convert(points, layout, layout), points)


@pytest.mark.properties
@EVERY
def test_a_missing_point_is_missing_there_and_moves_no_other(layout: Layout) -> None:
    points, random = person(layout), np.random.default_rng(0)
    lost = points.copy()
    lost[random.random(points.shape[:2]) < 0.3] = 0
    whole, holed = convert(points, layout, SIGNING), convert(lost, layout, SIGNING)
    there = holed[..., 2] > 0
    assert (holed[~there] == 0).all() and there.any() and (~there).any()
    np.testing.assert_array_equal(holed[there], whole[there])
    for point in shared(layout):
        source = layout.names.index(SIGNING.names[point])
        np.testing.assert_array_equal(there[:, point], lost[:, source, 2] > 0)


@pytest.mark.properties
@WHOLE
def test_converting_and_mirroring_go_in_either_order(layout: Layout) -> None:
    points = np.random.default_rng(1).random((4, layout.points, 3)).astype(np.float32) + np.float32(0.1)
    first = convert(points[:, list(layout.mirror)], layout, SIGNING)
    last = convert(points, layout, SIGNING)[:, list(SIGNING.mirror)]
    np.testing.assert_allclose(first, last, rtol=1e-6)


def test_what_a_layout_lacks_is_taken_from_the_nearest_it_has() -> None:
    names = {name: i for i, name in enumerate(SIGNING.names)}
    points = person(MEDIAPIPE_178)
    inner = [MEDIAPIPE_178.names.index(f"{side}_eye_inner") for side in ("right", "left")]
    points[0, inner[0], 2], points[1, inner[0]] = 0.25, 0
    nasion = convert(points, MEDIAPIPE_178, SIGNING)[:, names["nasion"]]
    np.testing.assert_allclose(nasion[0], [*points[0, inner, :2].mean(axis=0), 0.25])
    assert (nasion[1] == 0).all() and nasion[2, 2] > 0
    for layout, wrist in ((YOUTUBE_ASL_85, "left_hand_wrist"), (OPENPOSE_135, "left_wrist")):
        found = convert(person(layout), layout, SIGNING)
        for name in ("left_wrist", "left_hand_wrist"):
            np.testing.assert_array_equal(found[:, names[name]], person(layout)[:, layout.names.index(wrist)])


def test_a_hand_is_never_the_coarse_hand_of_the_pose() -> None:
    points = person(MEDIAPIPE_543)
    points[:, MEDIAPIPE_543.parts["left_hand"]] = 0
    found = convert(points, MEDIAPIPE_543, SIGNING)
    assert (found[:, SIGNING.parts["left_hand"]] == 0).all()
    assert (found[:, SIGNING.names.index("left_wrist"), 2] > 0).all()


@EVERY
def test_views_know_every_layout(layout: Layout) -> None:
    points, random = person(layout, 5), np.random.default_rng(0)
    left, right = layout.parts["left_hand"], layout.parts["right_hand"]
    faceless = NoFace()(points, layout, random)
    assert (faceless[:, layout.parts["face"]] == 0).all() and np.array_equal(faceless[:, left], points[:, left])
    points[:, layout.wrists[0], 0] += np.arange(5) * 10
    one = OneHand()(points, layout, random)
    assert (one[:, left] == 0).all() and np.array_equal(one[:, right], points[:, right])
