"""Folders of OpenPose's json files, written here as OpenPose writes them, and every trap that is known of them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonar_slt.data.layouts import OPENPOSE_137
from sonar_slt.data.pose import PoseReader
from sonar_slt.data.pose import openpose_json as module
from sonar_slt.data.release import Media, Span
from sonar_slt.data.unreadable import Unreadable
from sonar_slt.errors import UserError

PARTS = {
    **{"pose_keypoints_2d": 75, "face_keypoints_2d": 210},
    **{"hand_left_keypoints_2d": 63, "hand_right_keypoints_2d": 63},
}
EMPTY = '{"version":1.3,"people":[]}'


def person(points: np.ndarray, *, face: bool = True) -> dict:
    """One of OpenPose's people from (137, 3) points."""
    flat = [part.reshape(-1).tolist() for part in np.split(points, [25, 95, 116])]
    keys = ("pose_keypoints_2d", "face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d")
    told = {"person_id": [-1], **dict(zip(keys, flat, strict=True)), "pose_keypoints_3d": []}
    return told if face else told | {"face_keypoints_2d": []}


def frame(*people: dict) -> str:
    return json.dumps({"version": 1.3, "people": list(people)})


def drawn(seed: int, at: float = 400) -> np.ndarray:
    random = np.random.default_rng(seed)
    places = at + random.uniform(-60, 60, (137, 2))
    return np.concatenate([places, random.uniform(0.1, 1, (137, 1))], axis=1).astype("f4")


def clip(folder: Path, frames: dict[int, str], prefix: str = "-a_.b_") -> Path:
    folder.mkdir(exist_ok=True)
    for number, content in frames.items():
        (folder / f"{prefix}{number:012d}_keypoints.json").write_text(content)
    return folder


def read(folder: Path, span: Span | None = None, fps: float | None = None, **options):
    return PoseReader(**options).read(Media("pose", folder, span), fps=fps)


def kinds(recording) -> list[tuple[str, str]]:
    return [(fault.kind, fault.done) for fault in recording.faults]


@pytest.mark.parametrize("prefix", ["", "-a_.b_", "_5CV2fIG7qY_3-3-rgb_front_", "12_"])
def test_what_was_written_is_read_back(prefix, tmp_path):
    points = [drawn(seed) for seed in range(5)]
    folder = clip(tmp_path / "c", {n: frame(person(p)) for n, p in enumerate(points)}, prefix)
    recording = read(folder)
    np.testing.assert_array_equal(recording.points, points)
    assert recording.layout is OPENPOSE_137
    assert (recording.fps, recording.size, list(recording.faults)) == (None, None, [])


def test_a_file_byte_by_byte(tmp_path):
    body = "1,2,.5," * 24 + "7,8,0"
    content = (
        '{"version":1.3,"people":[{"person_id":[-1],"pose_keypoints_2d":[' + body.replace(",.5", ",0.5") + "],"
        '"face_keypoints_2d":[],"hand_left_keypoints_2d":[' + ",".join(["0"] * 63) + "],"
        '"hand_right_keypoints_2d":[' + "9,9,1," * 20 + '9.5,9,1]}],"ignored":{}}'
    )
    points = read(clip(tmp_path / "c", {0: content})).points[0]
    assert points[:24].tolist() == [[1, 2, 0.5]] * 24
    assert not points[24:116].any()
    assert points[136].tolist() == [9.5, 9, 1]


def test_numbers_are_frames_and_not_words(tmp_path):
    """Without leading zeros the alphabet would put 10 before 9."""
    folder = tmp_path / "c"
    folder.mkdir()
    for number in (8, 9, 10, 11):
        (folder / f"x_{number}_keypoints.json").write_text(frame(person(drawn(number))))
    np.testing.assert_array_equal(read(folder).points, [drawn(n) for n in (8, 9, 10, 11)])


def test_the_lowest_number_is_the_start_and_a_gap_stays_a_gap(tmp_path):
    folder = clip(tmp_path / "c", {n: frame(person(drawn(n))) for n in (1, 2, 5, 6)})
    recording = read(folder)
    assert kinds(recording) == [("missing_frame", "kept")]
    assert "frames 3-4" in recording.faults[0].told
    np.testing.assert_array_equal(recording.points[[0, 1, 4, 5]], [drawn(n) for n in (1, 2, 5, 6)])
    assert not recording.points[2:4].any()


def test_numbers_too_far_apart_are_no_clip(tmp_path):
    folder = clip(tmp_path / "c", {0: EMPTY, 999_999_999_999: EMPTY})
    with pytest.raises(Unreadable, match="'c' has 2 json files with numbers from 0 to 999999999999"):
        read(folder)


def test_nobody_is_one_fault_of_the_clip(tmp_path):
    nobody = {2: EMPTY, 3: EMPTY, 5: frame(person(np.zeros((137, 3)))), 7: frame({})}
    folder = clip(tmp_path / "c", {n: nobody.get(n) or frame(person(drawn(n))) for n in range(9)})
    recording = read(folder)
    assert kinds(recording) == [("no_person", "kept")]
    assert "4 of 9 frames: 2-3, 5, 7" in recording.faults[0].told
    assert not recording.points[[2, 3, 5, 7]].any()


def test_a_clip_of_nobody_at_all_is_empty_and_no_more(tmp_path):
    recording = read(clip(tmp_path / "c", {n: EMPTY for n in range(3)}))
    assert recording.points.shape == (3, 137, 3)
    assert not recording.points.any()
    assert kinds(recording) == []


def test_several_people_in_changing_order_are_one_signer(tmp_path):
    signer, other = [drawn(n, at=700) for n in range(8)], [drawn(n, at=200) * [1, 1, 0.5] for n in range(8)]
    people = [(a, b) if n % 3 else (b, a) for n, (a, b) in enumerate(zip(signer, other, strict=True))]
    folder = clip(tmp_path / "c", {n: frame(*map(person, pair)) for n, pair in enumerate(people)})
    recording = read(folder)
    np.testing.assert_array_equal(recording.points, signer)
    assert kinds(recording) == [("several_people", "kept")]
    assert "up to 2 people in 8 of 8 frames: 0-7" in recording.faults[0].told
    assert "pose.person=confident" in recording.faults[0].told


def test_the_older_body_of_18_points_stands_where_it_belongs(tmp_path):
    body = drawn(0)[:25]
    kept = [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]
    older = person(drawn(0)) | {"pose_keypoints_2d": body[kept].reshape(-1).tolist()}
    points = read(clip(tmp_path / "c", {0: frame(older)})).points[0]
    np.testing.assert_array_equal(points[kept], body[kept])
    assert not points[[8, *range(19, 25)]].any()
    names = [OPENPOSE_137.names[point] for point in kept]
    assert names[8:14] == [f"{side}_{joint}" for side in ("right", "left") for joint in ("hip", "knee", "ankle")]


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (frame(person(drawn(0)))[:200], "is no whole json file"),
        ("", "is no whole json file"),
        ("[" * 100_000, "is no whole json file"),
        ("[]", "has no list of people"),
        ('{"people": {}}', "has no list of people"),
        ('{"people": [7]}', "people that are no objects"),
        ('{"people": [{"pose_keypoints_2d": "abc"}]}', "other than a list of numbers under pose_keypoints_2d"),
        (frame(person(drawn(0)) | {"pose_keypoints_2d": [1, 2, 3]}), "3 numbers under pose_keypoints_2d instead of 75"),
        (frame(person(drawn(0)) | {"hand_left_keypoints_2d": [[1]] * 63}), "a list of numbers"),
        (frame(person(drawn(0)) | {"hand_left_keypoints_2d": [{}] * 63}), "a list of numbers"),
        (frame(person(drawn(0)) | {"hand_left_keypoints_2d": ["a"] * 63}), "a list of numbers"),
        (frame(person(drawn(0)) | {"hand_left_keypoints_2d": ["7"] * 63}), "a list of numbers"),
        (frame(person(drawn(0)) | {"hand_left_keypoints_2d": [True] * 63}), "a list of numbers"),
        (frame(person(drawn(0)) | {"hand_left_keypoints_2d": [10**400] * 63}), "is no whole json file"),
        (frame({key: [[1, 2, 3]] * count for key, count in PARTS.items()}), "a list of numbers"),
        (frame({key: [[]] * count for key, count in PARTS.items()}), "a list of numbers"),
    ],
)
def test_one_broken_file_is_a_frame_without_points_and_named(broken, told, tmp_path):
    frames = {n: frame(person(drawn(n))) for n in range(4)} | {2: broken}
    recording = read(clip(tmp_path / "c", frames))
    assert kinds(recording) == [("broken_frame", "kept")]
    assert "1 of 4 json files" in recording.faults[0].told and told in recording.faults[0].told
    assert "'-a_.b_000000000002_keypoints.json'" in recording.faults[0].told
    np.testing.assert_array_equal(recording.points[[0, 1, 3]], [drawn(n) for n in (0, 1, 3)])
    assert not recording.points[2].any()
    with pytest.raises(Unreadable, match=r"None of the 2 json files of 'all'.*000_keypoints\.json"):
        read(clip(tmp_path / "all", {0: broken, 1: broken}))


def test_bytes_that_are_no_text_are_named(tmp_path):
    folder = clip(tmp_path / "c", {0: frame(person(drawn(0)))})
    (folder / "000000000001_keypoints.json").write_bytes(b"\xff\xfe\x00\xd8{}")
    assert kinds(read(folder)) == [("broken_frame", "kept")]


def test_no_json_at_all_is_unreadable(tmp_path):
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "images0001.png").write_bytes(b"")
    with pytest.raises(Unreadable, match="'frames' holds no json files"):
        read(tmp_path / "frames")


def test_two_files_for_one_frame_are_two_clips_in_one_folder(tmp_path):
    clip(tmp_path / "c", {0: EMPTY}, "a_")
    with pytest.raises(Unreadable, match=r"'a_000000000000_keypoints\.json' and 'b_000000000000_keypoints\.json'"):
        read(clip(tmp_path / "c", {0: EMPTY}, "b_"))


def test_strays_are_noted_and_hidden_files_are_not(tmp_path):
    folder = clip(tmp_path / "c", {0: frame(person(drawn(0)))})
    (folder / "notes.txt").write_text("")
    (folder / ".DS_Store").write_text("")
    (folder / "._000000000000_keypoints.json").write_text("")  # macOS leaves such beside a file
    recording = read(folder)
    assert kinds(recording) == [("stray_file", "noted")]
    assert "'notes.txt'" in recording.faults[0].told


def test_no_numbers_in_a_file_are_missing_points(tmp_path):
    damaged = person(drawn(0))
    damaged["pose_keypoints_2d"][:3] = [float("nan"), 1, 1]
    damaged["pose_keypoints_2d"][3:6] = [float("inf"), 1, 1]
    damaged["pose_keypoints_2d"][6:9] = [1e300, 1, 1]
    damaged["pose_keypoints_2d"][9:12] = [None, 1, 1]
    recording = read(clip(tmp_path / "c", {4: frame(damaged)}))
    assert kinds(recording) == [("bad_coordinate", "kept")]
    assert recording.faults[0].told.endswith("4 in frames 4")
    assert not recording.points[0, :4].any()
    np.testing.assert_array_equal(recording.points[0, 4:], drawn(0)[4:])


def test_a_span_opens_its_own_files_only(tmp_path):
    frames = {n: frame(person(drawn(n))) for n in range(20)} | {0: "broken", 19: "broken", 7: EMPTY}
    del frames[8]
    recording = read(clip(tmp_path / "c", frames), Span(0.5, 1.5), fps=10)
    np.testing.assert_array_equal(recording.points[:2], [drawn(5), drawn(6)])
    assert len(recording) == 10
    assert kinds(recording) == [("missing_frame", "kept"), ("no_person", "kept")]
    assert "frame 8;" in recording.faults[0].told and "1 of 10 frames: 7" in recording.faults[1].told


def test_spans_of_one_folder_look_into_it_once(tmp_path, monkeypatch):
    folder = clip(tmp_path / "c", {n: EMPTY for n in range(20)})
    looked = []
    monkeypatch.setattr(module, "_files", lambda folder, files=module._files: looked.append(folder) or files(folder))
    for start in range(5):
        assert len(read(folder, Span(start, start + 1), fps=2)) == 2
    assert looked == [folder]
    (folder / "x_000000000020_keypoints.json").write_text(EMPTY)
    os.utime(folder, ns=(1, 1))
    assert len(read(folder, Span(0, 11), fps=2)) == 21
    assert looked == [folder, folder]


def test_the_option_goes_before_the_labels_rate(tmp_path):
    folder = clip(tmp_path / "c", {n: EMPTY for n in range(20)})
    assert len(read(folder, Span(0, 1), fps=10)) == 10
    assert len(PoseReader(fps=5).read(Media("pose", folder, Span(0, 1)), fps=10)) == 5
    with pytest.raises(UserError, match=r"'c' does not tell its frame rate.*pose\.fps=NUMBER"):
        read(folder, Span(0, 1))


def test_fractions_of_a_picture_become_pixels(tmp_path):
    points = drawn(0) * [1 / 1280, 1 / 720, 1]
    folder = clip(tmp_path / "c", {0: frame(person(points))})
    recording = read(folder, size=(1280, 720))
    np.testing.assert_allclose(recording.points[0], drawn(0), rtol=1e-5)
    assert recording.size == (1280, 720)
    assert list(recording.faults) == []
    told = read(folder)
    np.testing.assert_allclose(told.points[0], points, rtol=1e-5)
    assert kinds(told) == [("bad_coordinate", "kept")]
    assert "give data.pose.size=[width,height]" in told.faults[0].told
    filmed = PoseReader().read(Media("pose", folder), size=(1280, 720))
    np.testing.assert_array_equal(filmed.points, recording.points)
    assert PoseReader(size=(1280, 720)).read(Media("pose", folder), size=(9, 9)).size == (1280, 720)
    pixels = clip(tmp_path / "p", {0: frame(person(drawn(0)))})
    np.testing.assert_array_equal(read(pixels, size=(1280, 720)).points[0], drawn(0))


KEYS = ["people", "pose_keypoints_2d"]
WHOLE = frame(person(drawn(1)), person(drawn(2), face=False)).encode()


@pytest.mark.properties
@settings(max_examples=100, deadline=None, derandomize=True)
@given(data=st.data(), whole=st.booleans())
def test_damage_is_told_by_name(data, whole, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp() / f"json_{whole}"
    clip(folder, {0: WHOLE.decode()} if whole else {}, prefix="")
    content = bytearray(WHOLE)
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, max(len(content) - 1, 0)))
        content[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=8) | st.just(b'{"a":[]},'))
    (folder / "000000000001_keypoints.json").write_bytes(bytes(content))
    try:
        recording = read(folder)
    except Unreadable as error:
        assert not whole and "000000000001_keypoints.json" in str(error)
    else:
        assert recording.points.shape == (1 + whole, 137, 3)
        assert np.isfinite(recording.points).all()


@pytest.mark.properties
@settings(max_examples=60, deadline=None, derandomize=True)
@given(content=st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=8,
))  # fmt: skip
def test_json_of_any_shape_is_told_by_name(content, tmp_path_factory):
    folder = clip(tmp_path_factory.getbasetemp() / "shapes", {0: json.dumps(content)}, prefix="")
    try:
        read(folder)
    except Unreadable as error:
        assert "000000000000_keypoints.json" in str(error)
