"""The .pose reader against files written here byte by byte."""

from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sonar_slt.data.layouts import MEDIAPIPE_75, MEDIAPIPE_543, MEDIAPIPE_553, OPENPOSE_137
from sonar_slt.data.pose import PoseReader
from sonar_slt.data.release import Media, Span
from sonar_slt.data.unreadable import Unreadable

HAND = [
    *("WRIST", "THUMB_CMC", "THUMB_MCP", "THUMB_IP", "THUMB_TIP"),
    *(f"{finger}_{joint}" for finger in ("INDEX_FINGER", "MIDDLE_FINGER", "RING_FINGER", "PINKY")
      for joint in ("MCP", "PIP", "DIP", "TIP")),
]  # fmt: skip
SIDES = ("LEFT", "RIGHT")
POSE = [
    *("NOSE", "LEFT_EYE_INNER", "LEFT_EYE", "LEFT_EYE_OUTER", "RIGHT_EYE_INNER", "RIGHT_EYE", "RIGHT_EYE_OUTER"),
    *("LEFT_EAR", "RIGHT_EAR", "MOUTH_LEFT", "MOUTH_RIGHT"),
    *(f"{side}_{place}" for place in ("SHOULDER", "ELBOW", "WRIST", "PINKY", "INDEX", "THUMB") for side in SIDES),
    *(f"{side}_{place}" for place in ("HIP", "KNEE", "ANKLE", "HEEL", "FOOT_INDEX") for side in SIDES),
]
HOLISTIC = {
    "POSE_LANDMARKS": POSE,
    "FACE_LANDMARKS": [str(number) for number in range(468)],
    "LEFT_HAND_LANDMARKS": HAND,
    "RIGHT_HAND_LANDMARKS": HAND,
}
OPENPOSE = {
    "pose_keypoints_2d": [
        *("Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist", "MidHip"),
        *("RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle", "REye", "LEye", "REar", "LEar"),
        *("LBigToe", "LSmallToe", "LHeel", "RBigToe", "RSmallToe", "RHeel"),
    ],
    "face_keypoints_2d": [f"F_{number}" for number in range(70)],
    "hand_left_keypoints_2d": [
        *("BASE", "T_STT", "T_BCMC", "T_MCP", "T_IP", "I_CMC", "I_MCP", "I_PIP", "I_DIP", "M_CMC", "M_MCP"),
        *("M_PIP", "M_DIP", "R_CMC", "R_MCP", "R_PIP", "R_DIP", "P_CMC", "P_MCP", "P_PIP", "P_DIP"),
    ],
}
OPENPOSE["hand_right_keypoints_2d"] = OPENPOSE["hand_left_keypoints_2d"]


def text(word: str) -> bytes:
    return struct.pack("<H", len(word)) + word.encode()


def header(components: dict[str, list[str]], *, version: float, form: str, size: tuple[int, int] = (640, 480)) -> bytes:
    found = struct.pack("<f4H", version, *size, 0, len(components))
    for name, points in components.items():
        found += text(name) + text(form) + struct.pack("<3H", len(points), 2, 1)
        found += b"".join(map(text, points)) + struct.pack("<4H", 0, 1, 1, 2) + struct.pack("<3H", 255, 0, 0)
    return found


def written(
    places: np.ndarray,
    confidence: np.ndarray,
    components: dict[str, list[str]],
    *,
    version: float = 0.2,
    fps: float = 25,
) -> bytes:
    """A whole file of `places` (frames, people, points, 2 or 3) and `confidence` (frames, people, points)."""
    head = header(components, version=version, form="XYC" if places.shape[-1] == 2 else "XYZC")
    frames, people = places.shape[:2]
    counts = (
        struct.pack("<fIH", fps, frames, people) if version == 0.2 else struct.pack("<3H", int(fps), frames, people)
    )
    return head + counts + places.astype("<f4").tobytes() + confidence.astype("<f4").tobytes()


def drawn(frames: int, people: int, points: int, depth: int = 3) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(frames * points)
    places = random.uniform(1, 600, (frames, people, points, depth)).astype("f4")
    return places, random.uniform(0.1, 1, (frames, people, points)).astype("f4")


def read(content: bytes, folder: Path, span: Span | None = None, **options):
    path = folder / "clip.pose"
    path.write_bytes(content)
    return PoseReader(**options).read(Media("pose", path, span))


@pytest.mark.parametrize("version", [0.1, 0.2])
@pytest.mark.parametrize(("components", "layout"), [(OPENPOSE, OPENPOSE_137), (HOLISTIC, MEDIAPIPE_543)])
def test_what_was_written_is_read_back(version, components, layout, tmp_path):
    places, confidence = drawn(7, 1, layout.points, depth=2 if layout is OPENPOSE_137 else 3)
    recording = read(written(places, confidence, components, version=version), tmp_path)
    assert recording.layout is layout
    assert (recording.fps, recording.size, list(recording.faults)) == (25.0, (640, 480), [])
    np.testing.assert_array_equal(recording.points[..., :2], places[:, 0, :, :2])
    np.testing.assert_array_equal(recording.points[..., 2], confidence[:, 0])


def test_a_fractional_frame_rate_survives(tmp_path):
    assert read(written(*drawn(2, 1, 137, 2), OPENPOSE, fps=29.97), tmp_path).fps == pytest.approx(29.97, abs=1e-5)


def test_no_frame_rate_is_nobody_s(tmp_path):
    content = written(*drawn(2, 1, 137, 2), OPENPOSE, version=0.1, fps=0)
    assert read(content, tmp_path).fps is None
    assert read(content, tmp_path, fps=24.0).fps == 24


def test_points_in_metres_are_left_and_the_irises_kept(tmp_path):
    components = {**HOLISTIC, "FACE_LANDMARKS": [str(n) for n in range(478)], "POSE_WORLD_LANDMARKS": POSE}
    places, confidence = drawn(3, 1, 586)
    recording = read(written(places, confidence, components), tmp_path)
    assert recording.layout is MEDIAPIPE_553
    np.testing.assert_array_equal(recording.points[..., :2], places[:, 0, :553, :2])


def test_names_decide_where_points_stand_not_their_order(tmp_path):
    components = {name: HOLISTIC[name] for name in ("RIGHT_HAND_LANDMARKS", "LEFT_HAND_LANDMARKS", "POSE_LANDMARKS")}
    places, confidence = drawn(3, 1, 75)
    recording = read(written(places, confidence, components), tmp_path)
    assert recording.layout is MEDIAPIPE_75
    right, left, body = (places[:, 0, part, :2] for part in (slice(0, 21), slice(21, 42), slice(42, 75)))
    np.testing.assert_array_equal(recording.points[..., :2], np.concatenate([body, left, right], axis=1))


def test_points_that_were_taken_out_are_missing(tmp_path):
    kept = [name for name in POSE if not name.endswith(("KNEE", "ANKLE", "HEEL", "FOOT_INDEX"))]
    places, confidence = drawn(3, 1, 543 - 8)
    recording = read(written(places, confidence, {**HOLISTIC, "POSE_LANDMARKS": kept}), tmp_path)
    ankle = MEDIAPIPE_543.names.index("left_ankle")
    assert recording.layout is MEDIAPIPE_543
    assert not recording.points[:, ankle].any()
    assert (recording.points[..., 2].min(axis=0) == 0).sum() == 8


def test_a_span_is_its_own_frames_and_no_others_are_read(tmp_path):
    places, confidence = drawn(200, 1, 543)
    content = written(places, confidence, HOLISTIC)
    recording = read(content, tmp_path, Span(1.0, 2.0))
    np.testing.assert_array_equal(recording.points[..., :2], places[25:50, 0, :, :2])
    np.testing.assert_array_equal(recording.points[..., 2], confidence[25:50, 0])
    tracemalloc.start()
    PoseReader().read(Media("pose", tmp_path / "clip.pose", Span(1.0, 1.2)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < len(content) / 4


def test_a_span_that_ends_beyond_the_file_is_cut(tmp_path):
    content = written(*drawn(10, 1, 137, 2), OPENPOSE)
    recording = read(content, tmp_path, Span(0.2, 0.5))
    assert len(recording) == 5
    assert [(fault.kind, fault.done) for fault in recording.faults] == [("span_beyond", "cut")]
    assert "0.5 s" in recording.faults[0].told and "'clip.pose'" in recording.faults[0].told
    assert len(read(content, tmp_path, Span(7, 8))) == 0
    assert list(read(content, tmp_path, Span(0.2, 0.4)).faults) == []


def test_a_crowd_of_few_points_takes_no_more_than_its_file(tmp_path):
    places, confidence = drawn(20, 500, 8, 2)
    content = written(places, confidence, {"FACE_LANDMARKS": [str(number) for number in range(8)]})
    tracemalloc.start()
    recording = read(content, tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert recording.layout is MEDIAPIPE_543
    assert (recording.points[..., 2] > 0).sum() == 20 * 8
    assert peak < 12 * len(content)


@pytest.mark.parametrize("span", [Span(0.3, 0.3), Span(0.3, 0.1)])
def test_a_span_of_nothing_is_no_frames_and_no_fault_of_the_file(span, tmp_path):
    recording = read(written(*drawn(10, 1, 137, 2), OPENPOSE), tmp_path, span)
    assert len(recording) == 0
    assert list(recording.faults) == []


@pytest.mark.parametrize("span", [Span(float("nan"), 1), Span(0, float("inf"))])
def test_a_span_without_numbers_names_the_file(span, tmp_path):
    with pytest.raises(Unreadable, match=r"'clip\.pose'"):
        read(written(*drawn(10, 1, 137, 2), OPENPOSE), tmp_path, span)


def test_the_older_version_holds_more_frames_than_it_can_say(tmp_path):
    places = np.ones((65_600, 1, 8, 2), "f4")
    components = {"pose_keypoints_2d": OPENPOSE["pose_keypoints_2d"][:8]}
    content = written(places[:1], places[:1, ..., 0], components, version=0.1)[: -8 * 3 * 4 - 4]
    body = places.tobytes() + places[..., 0].tobytes()
    for told in (65_600 & 0xFFFF, 0):
        recording = read(content + struct.pack("<2H", told, 1) + body, tmp_path)
        assert len(recording) == 65_600
    with pytest.raises(Unreadable, match="longer than it says"):
        read(content + struct.pack("<2H", 1000, 1) + body, tmp_path)


def test_unknown_components_are_named(tmp_path):
    with pytest.raises(Unreadable, match=r"'clip\.pose'.*'TENTACLES'"):
        read(written(*drawn(2, 1, 41, 2), {"POSE_LANDMARKS": POSE, "TENTACLES": ["a"] * 8}), tmp_path)


def test_unknown_points_and_formats_are_named(tmp_path):
    with pytest.raises(Unreadable, match="'TAIL' in POSE_LANDMARKS"):
        read(written(*drawn(2, 1, 33, 2), {"POSE_LANDMARKS": [*POSE[:-1], "TAIL"]}), tmp_path)
    with pytest.raises(Unreadable, match="'CYX'"):
        read(header({"POSE_LANDMARKS": POSE}, version=0.2, form="CYX"), tmp_path)
    with pytest.raises(Unreadable, match="some twice"):
        read(written(*drawn(2, 1, 33, 2), {"POSE_LANDMARKS": ["NOSE"] * 33}), tmp_path)
    with pytest.raises(Unreadable, match="too few"):
        read(written(*drawn(2, 1, 1, 2), {"POSE_LANDMARKS": ["NOSE"]}), tmp_path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "cut short inside its header"),
        (b"GIF89a, no pose at all", "version 0.1 or 0.2"),
        (struct.pack("<f4H", 0.0, 1, 1, 1, 0), "version 0.1 or 0.2"),
        (struct.pack("<f4H", float("nan"), 1, 1, 1, 0), "version 0.1 or 0.2"),
        (struct.pack("<f4H", 0.2, 1, 1, 1, 65_535), "cut short inside its header"),
        (struct.pack("<f4H", 0.2, 1, 1, 1, 0) + struct.pack("<fIH", 25, 2**32 - 1, 65_535), "components|people"),
        (header(OPENPOSE, version=0.2, form="XYC") + struct.pack("<fIH", 25, 2**32 - 1, 0), "0 people"),
        (header(OPENPOSE, version=0.2, form="XYC") + struct.pack("<fIH", 25, 2**32 - 1, 65_535), "cut short"),
    ],
)
def test_absurd_headers_are_told_and_nothing_is_allocated(content, told, tmp_path):
    tracemalloc.start()
    with pytest.raises(Unreadable, match=told) as error:
        read(content, tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "'clip.pose'" in str(error.value)
    assert peak < 8 << 20


def test_people_without_a_single_point_are_nobody(tmp_path):
    places, confidence = drawn(4, 2, 137, 2)
    confidence[:, 1] = 0
    confidence[2] = 0
    recording = read(written(places, confidence, OPENPOSE), tmp_path)
    assert [(fault.kind, fault.done) for fault in recording.faults] == [("no_person", "kept")]
    assert "1 of 4 frames: 2" in recording.faults[0].told
    np.testing.assert_array_equal(recording.points[[0, 1, 3], :, :2], places[[0, 1, 3], 0])
    assert not recording.points[2].any()


def test_points_at_no_place_are_missing_and_counted_once(tmp_path):
    places, confidence = drawn(4, 1, 137, 2)
    places[0, 0, 3], places[1, 0, 4, 1], places[1, 0, 5, 0] = np.nan, np.inf, 1e30
    confidence[2, 0, 6] = np.nan
    places[3, 0, 7], confidence[3, 0, 7] = np.nan, 0  # says itself that it is missing
    confidence[3, 0, 8] = -1
    recording = read(written(places, confidence, OPENPOSE), tmp_path)
    assert [fault.kind for fault in recording.faults] == ["bad_coordinate"]
    assert recording.faults[0].told.endswith("4 in frames 0-2")
    assert np.isfinite(recording.points).all()
    for frame, point in ((0, 3), (1, 4), (1, 5), (2, 6), (3, 7), (3, 8)):
        assert not recording.points[frame, point].any()


@pytest.mark.properties
@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    places=arrays("<f4", (3, 1, 33, 2), elements=st.floats(-1e5, 1e5, width=32)),
    confidence=arrays("<f4", (3, 1, 33), elements=st.floats(0, 1, width=32)),
)
def test_every_number_survives_and_every_missing_point_is_zero(places, confidence, tmp_path_factory):
    content = written(places, confidence, {"POSE_LANDMARKS": POSE})
    points = read(content, tmp_path_factory.getbasetemp()).points[:, :33]
    seen = confidence[:, 0] > 0
    np.testing.assert_array_equal(points[seen], np.concatenate([places[:, 0], confidence[:, 0, :, None]], -1)[seen])
    assert not points[~seen].any()


WHOLE = written(*drawn(2, 1, 75), {name: HOLISTIC[name] for name in HOLISTIC if name != "FACE_LANDMARKS"})


@pytest.mark.properties
@settings(max_examples=150, deadline=None, derandomize=True)
@given(data=st.data())
def test_damage_is_unreadable_by_name_or_read(data, tmp_path_factory):
    content = bytearray(WHOLE)
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, max(len(content) - 1, 0)))
        content[at : at + 1] = data.draw(st.binary(min_size=0, max_size=4))
    folder = tmp_path_factory.getbasetemp()
    try:
        recording = read(bytes(content), folder, data.draw(st.sampled_from([None, Span(0, 0.04)])))
    except Unreadable as error:
        assert "clip.pose" in str(error)
    else:
        assert np.isfinite(recording.points).all()


@pytest.mark.properties
@settings(max_examples=60, deadline=None, derandomize=True)
@given(cut=st.integers(0, len(WHOLE) - 1))
def test_no_truncated_file_is_read(cut, tmp_path_factory):
    with pytest.raises(Unreadable, match=r"clip\.pose"):
        read(WHOLE[:cut], tmp_path_factory.getbasetemp())
