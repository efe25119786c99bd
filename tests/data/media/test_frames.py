"""A folder of pictures is counted and looked at; what is wrong with it is a fault, and its time stays right."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sonar_slt.data.media import Footage, measure
from sonar_slt.data.media.frames import look
from sonar_slt.data.release import Media, Span
from sonar_slt.data.unreadable import Unreadable
from sonar_slt.errors import UserError


def picture(path: Path, size: tuple[int, int] = (21, 26), shade: int = 90, **how: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (shade, 20, 200)).save(path, **how)  # type: ignore[arg-type]
    return path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    for number in range(1, 13):
        picture(tmp_path / "clip" / f"images{number:04d}.png", shade=number)
    return tmp_path / "clip"


def measured(folder: Path, span: Span | None = None, fps: float | None = 25.0) -> Footage:
    return measure(Media("frames", folder, span), pattern="images*.png", fps=fps)


def kinds(footage: Footage) -> list[str]:
    return [fault.kind for fault in footage.faults]


def test_a_whole_clip_has_no_fault(clip: Path) -> None:
    footage = measured(clip)
    assert (footage.frames, footage.fps, footage.size, footage.faults) == (12, 25.0, (21, 26), ())


def test_a_stray_file_is_no_frame_and_is_named(clip: Path) -> None:
    (clip / "createDnnTrainingLabels-profile.py.lprof").write_bytes(b"x")
    footage = measured(clip)
    assert footage.frames == 12
    assert kinds(footage) == ["stray_file"]
    assert "createDnnTrainingLabels-profile.py.lprof" in footage.faults[0].told


def test_with_any_pattern_only_pictures_are_frames(clip: Path) -> None:
    (clip / "notes.txt").write_text("x")
    (clip / ".hidden.png").write_bytes(b"x")
    footage = measure(Media("frames", clip))
    assert (footage.frames, footage.fps, kinds(footage)) == (12, None, ["stray_file"])


def test_a_gap_in_the_numbers_is_told(clip: Path) -> None:
    (clip / "images0005.png").unlink()
    (clip / "images0007.png").unlink()
    footage = measured(clip)
    assert (footage.frames, kinds(footage)) == (10, ["missing_frame"])
    assert "2 frames (5, 7)" in footage.faults[0].told


def test_a_number_far_away_is_one_short_fault(clip: Path) -> None:
    picture(clip / "images999999999999.png")
    (fault,) = measured(clip).faults
    assert fault.kind == "missing_frame"
    assert len(fault.told) < 200


def test_a_second_picture_of_one_number_and_one_without_a_number_are_strays(clip: Path) -> None:
    picture(clip / "images0003 (1).png")
    picture(clip / "images0005.jpg")
    picture(clip / "cover.png")
    (clip / "images0002.png").unlink()
    footage = measure(Media("frames", clip))
    assert (footage.frames, kinds(footage)) == (11, ["stray_file", "missing_frame"])
    assert "(cover.png, images0003 (1).png, images0005.jpg)" in footage.faults[0].told
    assert "frame 2 " in footage.faults[1].told


@pytest.mark.parametrize("name", ["fn{:06d}-0", "{:04d}_512x512", "2010_{}", "a{:03d}"])
def test_the_number_is_the_one_that_changes(tmp_path: Path, name: str) -> None:
    for number in range(5):
        picture(tmp_path / "c" / f"{name.format(number)}.png")
    (tmp_path / "c" / f"{name.format(3)}.png").unlink()
    footage = measure(Media("frames", tmp_path / "c"))
    assert (footage.frames, kinds(footage)) == (4, ["missing_frame"])


def test_pictures_without_any_number_are_frames(tmp_path: Path) -> None:
    for name in "abc":
        picture(tmp_path / "c" / f"{name}.png")
    assert (measure(Media("frames", tmp_path / "c")).frames, measure(Media("frames", tmp_path / "c")).faults) == (3, ())


def test_a_broken_picture_stays_a_frame(clip: Path) -> None:
    whole = (clip / "images0003.png").read_bytes()
    (clip / "images0003.png").write_bytes(whole[:-20])
    (clip / "images0004.png").write_bytes(b"")
    footage = measured(clip)
    assert (footage.frames, footage.size, kinds(footage)) == (12, (21, 26), ["broken_frame"])
    assert "clip/images0003.png" in footage.faults[0].told
    assert "2 of 12" in footage.faults[0].told


def test_a_folder_of_broken_pictures_is_unreadable(clip: Path) -> None:
    for file in clip.iterdir():
        file.write_bytes(b"")
    with pytest.raises(Unreadable, match=r"None of the 12 pictures in .*images0001"):
        measured(clip)


def test_pictures_of_several_sizes_are_told(clip: Path) -> None:
    picture(clip / "images0002.png", size=(26, 21))
    footage = measured(clip)
    assert (footage.frames, footage.size, kinds(footage)) == (12, (21, 26), ["stray_file"])
    assert "images0002.png" in footage.faults[0].told


def test_an_empty_folder_has_no_frames_and_a_missing_one_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert measured(tmp_path / "empty").frames == 0
    with pytest.raises(Unreadable, match="nowhere"):
        measured(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    with pytest.raises(Unreadable, match="file"):
        measured(tmp_path / "file")


def test_a_span_takes_its_frames_and_sees_only_their_faults(clip: Path) -> None:
    (clip / "images0012.png").write_bytes(b"")
    footage = measured(clip, Span(0.08, 0.2))
    assert (footage.frames, footage.faults) == (3, ())
    beyond = measured(clip, Span(0.4, 0.6))
    assert (beyond.frames, kinds(beyond), beyond.faults[0].done) == (2, ["span_beyond", "broken_frame"], "cut")
    assert measured(clip, Span(0.2, 0.2)).frames == 0
    with pytest.raises(UserError, match=r"clip.*data\.fps"):
        measured(clip, Span(0.0, 0.2), fps=None)


def test_content_changes_with_names_sizes_and_ends_but_not_with_the_place(clip: Path) -> None:
    known = measured(clip).content
    assert measured(clip.rename(clip.with_name("moved"))).content == known
    moved = clip.with_name("moved")
    (moved / "images0006.png").rename(moved / "images0099.png")
    renamed = measured(moved).content
    picture(moved / "images0001.png", shade=250)
    assert len({known, renamed, measured(moved).content}) == 3


@pytest.mark.parametrize(
    "how", [{}, {"progressive": True}, {"exif": b"Exif\0\0" + b"\0" * 5000}, {"icc_profile": b"p" * 70000}]
)
def test_the_size_of_a_jpg_is_in_its_header_however_long(tmp_path: Path, how: dict[str, object]) -> None:
    file = picture(tmp_path / "000001.jpg", size=(33, 17), **how)
    assert look(file) == (file.stat().st_size, (33, 17))


@pytest.mark.properties
@pytest.mark.parametrize("suffix", ["png", "jpg"])
@settings(max_examples=80, deadline=None, derandomize=True)
@given(data=st.data())
def test_a_picture_cut_anywhere_is_found_out(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    whole = picture(folder / f"whole.{suffix}").read_bytes()
    kept = data.draw(st.integers(0, len(whole) - 1))
    (folder / f"part.{suffix}").write_bytes(whole[:kept])
    with pytest.raises(Unreadable, match=f"part.{suffix}"):
        look(folder / f"part.{suffix}")


@pytest.mark.properties
@settings(max_examples=80, deadline=None, derandomize=True)
@given(junk=st.binary(max_size=700), start=st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"]))
def test_any_bytes_are_looked_at_without_a_crash(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes, start: bytes
) -> None:
    file = tmp_path_factory.mktemp("junk") / "images0001.png"
    file.write_bytes(start + junk)
    picture(file.with_name("images0002.png"))
    footage = measured(file.parent)
    assert footage.frames == 2
    assert all("images0001.png" in fault.told for fault in footage.faults)
