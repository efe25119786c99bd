"""Keypoints in plain arrays: every shape, channel and marker that circulates, and what is refused."""

from __future__ import annotations

import io
import pickle
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from sonar_slt.data.layouts import LAYOUTS, MEDIAPIPE_75, MEDIAPIPE_543, OPENPOSE_137
from sonar_slt.data.pose import PoseReader
from sonar_slt.data.pose import arrays as module
from sonar_slt.data.pose.npy import read_npz
from sonar_slt.data.release import Media, Span
from sonar_slt.data.unreadable import Unreadable
from sonar_slt.errors import UserError

RANDOM = np.random.default_rng(0)
NUMBERS = sorted({layout.points for layout in LAYOUTS.values()})


def drawn(*shape: int, kind: str = "f4") -> np.ndarray:
    return RANDOM.uniform(1, 900, shape).astype(kind)


def read(path: Path, span: Span | None = None, **options):
    return PoseReader(**options).read(Media("pose", path, span))


def npy(folder: Path, array: np.ndarray) -> Path:
    np.save(folder / "clip.npy", array)
    return folder / "clip.npy"


def npz(folder: Path, **arrays: np.ndarray) -> Path:
    np.savez(folder / "clip.npz", **arrays)
    return folder / "clip.npz"


def npy_bytes(header: bytes, body: bytes = b"", version: int = 1) -> bytes:
    length = len(header).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + body


@pytest.mark.parametrize("points", NUMBERS)
@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("channels", [2, 3, 4])
def test_the_number_of_points_tells_the_layout(points, flat, channels, tmp_path):
    array = drawn(4, points, channels)
    recording = read(npy(tmp_path, array.reshape(4, -1) if flat else array))
    points -= 33 if points in (576, 586) else 0  # those in metres, which come last
    array = array[:, :points]
    assert recording.layout.points == points
    np.testing.assert_array_equal(recording.points[..., :2], array[..., :2])
    carried = channels == 4 or (channels == 3 and recording.layout.channels == "xyc")
    np.testing.assert_array_equal(recording.points[..., 2], array[..., -1] if carried else np.ones((4, points)))
    assert (recording.fps, recording.size, list(recording.faults)) == (None, None, [])


def test_three_numbers_are_a_confidence_for_openpose_and_depth_for_mediapipe():
    assert (OPENPOSE_137.channels, MEDIAPIPE_543.channels) == ("xyc", "xyz")


def test_channels_can_be_told(tmp_path):
    array = drawn(3, 543, 3)
    np.testing.assert_array_equal(read(npy(tmp_path, array), channels="xyc").points, array)
    with pytest.raises(Unreadable, match=r"'clip\.npy' has 3 numbers a point; expected was data.pose.channels=xyzc"):
        read(npy(tmp_path, array), channels="xyzc")
    with pytest.raises(Unreadable, match="5 numbers a point"):
        read(npy(tmp_path, drawn(3, 543, 5)))


@pytest.mark.parametrize("kind", ["f2", "f8", ">f4", "i2", "u1"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_type_and_order_of_numbers(kind, order, tmp_path):
    array = np.asarray(RANDOM.uniform(1, 200, (3, 75, 2)).astype(kind), order=order)
    for path in (npy(tmp_path, array), npz(tmp_path, points=array)):
        np.testing.assert_array_equal(read(path).points[..., :2], array.astype("f4"))


@pytest.mark.parametrize("key", ["keypoints", "frames", "points", "pose", "data", "whatever"])
def test_the_array_is_found_by_its_key_or_as_the_only_one(key, tmp_path):
    array = drawn(3, 75, 2)
    recording = read(npz(tmp_path, fps=np.float64(29.97), **{key: array}))
    np.testing.assert_array_equal(recording.points[..., :2], array)
    assert recording.fps == 29.97


def test_the_first_known_key_goes_before_others(tmp_path):
    wanted = drawn(3, 75, 2)
    recording = read(npz(tmp_path, other=drawn(3, 543, 3), data=drawn(3, 75, 2), keypoints=wanted))
    np.testing.assert_array_equal(recording.points[..., :2], wanted)
    with pytest.raises(Unreadable, match=r"'clip\.npz' has its points under none of keypoints.*'left', 'right'"):
        read(npz(tmp_path, left=wanted, right=wanted))
    with pytest.raises(Unreadable, match="it holds nothing"):
        read(npz(tmp_path))


def test_what_an_npz_says_of_itself(tmp_path):
    points, confidence = drawn(4, 75, 2) / 1000, RANDOM.uniform(0.1, 1, (4, 75)).astype("f4")
    confidence[1, 2] = 0
    path = npz(
        tmp_path,
        keypoints=points,
        confidence=confidence,
        fps=np.array(25),
        size=np.array([1280, 720]),
        layout=np.array("mediapipe_75"),
    )
    recording = read(path, fps=5, layout=None)
    assert (recording.fps, recording.size, recording.layout) == (25, (1280, 720), MEDIAPIPE_75)
    np.testing.assert_array_equal(recording.points[..., 2], confidence)
    np.testing.assert_allclose(recording.points[0, :, :2], points[0] * [1280, 720], rtol=1e-5)
    assert not recording.points[1, 2].any()
    with pytest.raises(Unreadable, match=r"confidences of shape \(3, 75\)"):
        read(npz(tmp_path, keypoints=points, confidence=confidence[:3]))


def test_the_reference_tools_name_of_the_layout(tmp_path):
    path = npz(tmp_path, keypoints=drawn(2, 543, 3), layout=np.array("mediapipe_holistic_v1"))
    assert read(path).layout is MEDIAPIPE_543


def test_a_layout_that_nobody_knows_is_told_by_the_points(tmp_path):
    path = npz(tmp_path, keypoints=drawn(2, 543, 3), layout=np.array("my_own"))
    assert read(path).layout is MEDIAPIPE_543


def test_an_unknown_number_of_points_is_the_users_to_tell(tmp_path):
    with pytest.raises(Unreadable, match=r"'clip\.npy' has 79 points.*pose\.layout=NAME, of .*mediapipe_543"):
        read(npy(tmp_path, drawn(2, 79, 3)))
    with pytest.raises(Unreadable, match=r"'clip\.npy' has 237 numbers a frame.*pose\.layout=NAME"):
        read(npy(tmp_path, drawn(2, 237)))


def test_with_a_layout_told_one_odd_file_is_only_that_clips(tmp_path):
    with pytest.raises(Unreadable, match=r"'clip\.npy' has 79 points a frame, but mediapipe_543 has 543"):
        read(npy(tmp_path, drawn(2, 79, 3)), layout="mediapipe_543")
    with pytest.raises(Unreadable, match=r"'clip\.npy' has 237 numbers a frame, but mediapipe_543"):
        read(npy(tmp_path, drawn(2, 237)), layout="mediapipe_543")


def test_a_flat_width_of_two_meanings_asks(tmp_path, monkeypatch):
    """75 points of 4 numbers would also be 100 of 3; the reference tools read the one silently as the other."""
    import dataclasses

    hundred = dataclasses.replace(MEDIAPIPE_75, name="hundred", points=100)
    both = {75: MEDIAPIPE_75, 100: hundred}
    monkeypatch.setattr(module, "LAYOUTS", {"mediapipe_75": MEDIAPIPE_75, "hundred": hundred})
    monkeypatch.setattr(module, "by_points", both.get)
    with pytest.raises(UserError, match=r"hundred of 3 numbers, mediapipe_75 of 4 numbers.*pose\.layout=NAME"):
        read(npy(tmp_path, drawn(2, 300)))
    assert read(npy(tmp_path, drawn(2, 300)), channels="xyzc").layout is MEDIAPIPE_75
    assert read(npy(tmp_path, drawn(2, 300)), layout="mediapipe_75").layout is MEDIAPIPE_75


@pytest.mark.parametrize(("mark", "value"), [("nan", np.nan), ("zero", 0), ("minus_one", -1)])
def test_each_marker_of_a_missing_point(mark, value, tmp_path):
    array = drawn(3, 75, 3)
    array[1, 4] = value
    array[2, 5, 0] = value if mark == "nan" else array[2, 5, 0]
    recording = read(npy(tmp_path, array), missing=[mark])
    assert list(recording.faults) == []
    assert not recording.points[1, 4].any()
    assert (recording.points[..., 2] == 0).sum() == (2 if mark == "nan" else 1)
    unmarked = read(npy(tmp_path, array), missing=[])
    assert [fault.kind for fault in unmarked.faults] == (["bad_coordinate"] if mark == "nan" else [])
    assert (unmarked.points[1, 4, 2] == 0) == (mark == "nan")


def test_no_point_is_a_place_by_default_where_a_tool_left_zeros_or_nan(tmp_path):
    array = drawn(3, 75, 3)
    array[0, :40], array[1, 5] = 0, np.nan
    points = read(npy(tmp_path, array)).points
    assert not points[0, :40].any() and not points[1, 5].any()
    assert (points[..., 2] == 0).sum() == 41


def test_infinite_and_absurd_coordinates_are_one_fault(tmp_path):
    array = drawn(30, 75, 3, kind="f8")
    array[2, 3, 0], array[3, 3, 1], array[4, 3, 0], array[29, 0, 1] = np.inf, -np.inf, 1e300, np.nan
    recording = read(npy(tmp_path, array))
    assert [(fault.kind, fault.done) for fault in recording.faults] == [("bad_coordinate", "kept")]
    assert recording.faults[0].told.endswith("3 in frames 2-4")
    assert (recording.points[..., 2] == 0).sum() == 4


def test_frames_without_anybody_are_told(tmp_path):
    array = drawn(30, 75, 3)
    array[[3, 4, 9]] = np.nan
    assert [fault.told for fault in read(npy(tmp_path, array)).faults] == ["nobody was found in 3 of 30 frames: 3-4, 9"]


def test_a_span_of_an_array(tmp_path):
    array = drawn(50, 75, 2)
    for path in (npy(tmp_path, array), npz(tmp_path, keypoints=array, confidence=np.full((50, 75), 0.5))):
        recording = PoseReader().read(Media("pose", path, Span(0.4, 1.2)), fps=25)
        np.testing.assert_array_equal(recording.points[..., :2], array[10:30])
        with pytest.raises(UserError, match=r"pose\.fps"):
            read(path, Span(0.4, 1.2))


def test_an_array_of_no_frames_is_no_frames(tmp_path):
    assert len(read(npy(tmp_path, drawn(0, 75, 3)))) == 0
    assert len(read(npz(tmp_path, data=drawn(0, 75 * 3)))) == 0


@pytest.mark.parametrize("shape", [(), (7,), (2, 3, 75, 2), (2, 1, 3, 75, 2)])
def test_other_shapes_are_named(shape, tmp_path):
    for path in (npy(tmp_path, drawn(*shape)), npz(tmp_path, keypoints=drawn(*shape))):
        with pytest.raises(Unreadable, match=r"clip\.np[yz]'.*shape"):
            read(path)


def test_other_types_are_named_and_a_pickle_is_never_loaded(tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    traps = np.array([Trap()], dtype=object)
    for path in (tmp_path / "clip.npy", tmp_path / "clip.npz"):
        (np.save if path.suffix == ".npy" else np.savez)(path, traps, allow_pickle=True)
        with pytest.raises(Unreadable, match=r"clip\.np[yz]' holds Python objects, a pickle, which is never loaded"):
            read(path)
    (tmp_path / "clip.npy").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(Unreadable, match="no array of numpy's"):
        read(tmp_path / "clip.npy")
    assert not (tmp_path / "sprung").exists()
    for array in (
        np.array([["a"]]),
        np.ones((2, 75, 3), complex),
        np.zeros((2, 75), "f4,f4"),
        np.ones((2, 75, 3), bool),
    ):
        with pytest.raises(Unreadable, match=r"'clip\.npy'.* (holds|plain)"):
            read(npy(tmp_path, array))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no array of numpy's"),
        (b"\x93NUMPY\x09\x00", "no array of numpy's"),
        (npy_bytes(b"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999, 543, 3), }\n"), "cut short"),
        (npy_bytes(b"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 75, 2), }\n", bytes(604)), "longer"),
        (npy_bytes(b"{'descr': '<f4', 'fortran_order': False, 'shape': (9" + b"9" * 40 + b", 75, 3), }"), "impossible"),
        (npy_bytes(b"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 1" + b"0" * 25 + b", 3), }"), "impossible"),
        (npy_bytes(b"{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 75, 3), }"), "impossible"),
        (npy_bytes(b"{'descr': '<f4', 'fortran_order': False, 'shape': 75, }"), "impossible"),
        (npy_bytes(b"{'descr': '<f3', 'fortran_order': False, 'shape': (1, 75, 3), }"), "no type of numbers"),
        (npy_bytes(b"{'descr': '<f4', 'shape': (1, 75, 3), }"), "no array's header"),
        (npy_bytes(b"__import__('os').getcwd()"), "no array's header"),
        (npy_bytes(b"(" * 9000, version=2), "no array's header"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "no array's header"),
    ],
)  # fmt: skip
def test_absurd_headers_are_told_and_nothing_is_allocated(content, told, tmp_path):
    (tmp_path / "clip.npy").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "clip.npz", "w") as archive:
        archive.writestr("keypoints.npy", content)
    for name in ("clip.npy", "clip.npz"):
        tracemalloc.start()
        with pytest.raises(Unreadable, match=told) as error:
            read(tmp_path / name)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert name in str(error.value)
        assert peak < 8 << 20


def test_a_bomb_is_not_unpacked(tmp_path):
    header = npy_bytes(b"{'descr': '|u1', 'fortran_order': False, 'shape': (1000000, 75, 2), }")
    with (
        zipfile.ZipFile(tmp_path / "clip.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("keypoints.npy", "w") as file,
    ):
        file.write(header)
        for _ in range(150):
            file.write(bytes(1_000_000))
    tracemalloc.start()
    with pytest.raises(Unreadable, match=r"'clip\.npz' would unpack \d+ bytes to 150"):
        read(tmp_path / "clip.npz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_many_arrays_are_no_bomb_in_pieces_and_unwanted_ones_stay_packed(tmp_path):
    wanted = drawn(3, 75, 2)
    np.savez_compressed(tmp_path / "clip.npz", keypoints=wanted, **{f"x{n}": np.zeros(30 << 20, "u1") for n in "ab"})
    tracemalloc.start()
    np.testing.assert_array_equal(read(tmp_path / "clip.npz").points[..., :2], wanted)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20
    zeros = np.zeros((40 << 20, 1), "u1")
    np.savez_compressed(tmp_path / "clip.npz", keypoints=zeros, confidence=zeros)
    with pytest.raises(Unreadable, match=r"'clip\.npz' would unpack"):
        read(tmp_path / "clip.npz")


def test_a_member_that_claims_more_bytes_than_its_file_has_is_refused(tmp_path):
    np.savez_compressed(tmp_path / "clip.npz", keypoints=np.zeros((400_000, 75, 3), "f4"))
    content = bytearray((tmp_path / "clip.npz").read_bytes())
    at = content.rfind(b"PK\x01\x02") + 20
    content[at : at + 4] = (4_000_000).to_bytes(4, "little")
    (tmp_path / "clip.npz").write_bytes(content)
    with pytest.raises(Unreadable, match=r"'clip\.npz' says that it holds 4000000 bytes"):
        read(tmp_path / "clip.npz")


@pytest.mark.parametrize(
    "other", [np.array({"a": 1}, dtype=object), np.bytes_(b"clip"), np.zeros((2, 2, 2, 2, 3), "u1"), np.zeros(9)]
)
@pytest.mark.parametrize("key", ["keypoints", "whatever"])
def test_what_nobody_asks_for_does_no_harm(key, other, tmp_path):
    wanted = drawn(3, 75, 2)
    np.testing.assert_array_equal(read(npz(tmp_path, **{key: wanted}, meta=other)).points[..., :2], wanted)


def test_spans_of_one_file_unpack_it_once(tmp_path, monkeypatch):
    array = drawn(50, 75, 2)
    path, unpacked = npz(tmp_path, keypoints=array), []
    monkeypatch.setattr(module, "read_npz", lambda path, *names: unpacked.append(path) or read_npz(path, *names))
    for start in range(5):
        points = read(path, Span(start, start + 1), fps=10).points
        np.testing.assert_array_equal(points[..., :2], array[10 * start : 10 * start + 10])
    assert unpacked == [path]
    npz(tmp_path, keypoints=array[:30])
    assert len(read(path, Span(2, 4), fps=10)) == 10


@pytest.mark.parametrize("layout", [MEDIAPIPE_75, MEDIAPIPE_543])
@pytest.mark.parametrize("own", [False, True])
def test_parts_without_any_confidence_are_where_they_are(layout, own, tmp_path):
    array = drawn(40, layout.points, 4)
    array[:, 33:, 3] = 0  # MediaPipe tells a visibility of the body alone
    hand = layout.parts["left_hand"]
    array[3, hand, :2], array[5, hand, 0] = 0, np.nan
    array[6, 2, 3] = 0
    path = npz(tmp_path, keypoints=array[..., :2], confidence=array[..., 3]) if own else npy(tmp_path, array)
    points = read(path).points
    expected = np.concatenate([array[:, :33, 3], np.ones((40, layout.points - 33))], axis=1)
    expected[[3, 5], hand] = 0
    np.testing.assert_array_equal(points[..., 2], expected.astype("f4"))
    array[30, hand, 3] = 0.5  # a tool that tells one after all, if only outside of the span
    path = npz(tmp_path, keypoints=array[..., :2], confidence=array[..., 3]) if own else npy(tmp_path, array)
    assert not read(path, Span(0, 1), fps=10).points[:, hand].any()


def test_an_oddly_packed_archive_is_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "clip.npz", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("keypoints.npy", b"\x93NUMPY")
    with pytest.raises(Unreadable, match=r"'clip\.npz' is packed in a way"):
        read(tmp_path / "clip.npz")


@pytest.mark.properties
@settings(max_examples=60, deadline=None, derandomize=True)
@given(array=arrays(
    st.sampled_from(["f2", "f4", "f8", ">f4"]),
    array_shapes(min_dims=1, max_dims=1, max_side=4).map(lambda frames: (*frames, 75, 3)),
    elements=st.floats(-1e4, 1e4, width=16),
), order=st.sampled_from("CF"))  # fmt: skip
def test_every_number_survives(array, order, tmp_path_factory):
    array[0, [0, 33, 54], 2] = 1  # of each part one point is sure
    path = npy(tmp_path_factory.getbasetemp(), np.asarray(array, order=order))
    points = read(path, missing=[], channels="xyc").points
    seen = array[..., 2] > 0
    np.testing.assert_array_equal(points[seen], array.astype("f4")[seen])
    assert not points[~seen].any()


def packed(compressed: bool) -> bytes:
    found = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(found, keypoints=drawn(2, 75, 3), fps=25.0, size=[9, 9])
    return found.getvalue()


def stored() -> bytes:
    found = io.BytesIO()
    np.save(found, drawn(2, 75, 3))
    return found.getvalue()


WHOLE = {"clip.npy": [stored()], "clip.npz": [packed(True), packed(False)]}


@pytest.mark.properties
@settings(max_examples=150, deadline=None, derandomize=True)
@given(data=st.data(), name=st.sampled_from(list(WHOLE)))
def test_damage_is_told_by_name_or_read(data, name, tmp_path_factory):
    content = bytearray(data.draw(st.sampled_from(WHOLE[name])))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, 128) | st.integers(0, max(len(content) - 1, 0)))
        content[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(bytes(content))
    try:
        recording = read(path)
    except (Unreadable, UserError) as error:
        assert name in str(error)
    else:
        assert np.isfinite(recording.points).all()


@pytest.mark.properties
@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    content=st.binary(max_size=300),
    head=st.sampled_from([b"", b"\x93NUMPY\x01\x00\x76\x00", b"PK\x03\x04", b"PK\x05\x06"]),
)
def test_random_bytes_are_unreadable_by_name(content, head, tmp_path_factory):
    for name in ("clip.npy", "clip.npz"):
        path = tmp_path_factory.getbasetemp() / name
        path.write_bytes(head + content)
        with pytest.raises(Unreadable, match=name.replace(".", r"\.")):
            read(path)
