"""A video is measured by its container, and one that is no video, or only a part of one, is told by its name."""

from __future__ import annotations

import builtins
import os
import wave
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonar_slt.data.media import measure
from sonar_slt.data.media.video import _video, video
from sonar_slt.data.release import Media, Span
from sonar_slt.data.unreadable import Unreadable
from sonar_slt.errors import UserError

av = pytest.importorskip("av")


def film(
    path: Path,
    *,
    frames: int = 40,
    fps: Fraction = Fraction(25),
    size: tuple[int, int] = (64, 48),
    skip: int = 0,
    **how: Any,
) -> Path:
    """`skip` frames are left out in the middle, so that the rate varies."""
    random = np.random.default_rng(0)
    with av.open(str(path), "w", options=how.get("options", {})) as container:
        stream = container.add_stream(how.get("codec", "mpeg4"), rate=fps)
        stream.width, stream.height = size
        stream.codec_context.time_base = 1 / fps
        stream.options = how.get("coding", {})
        if how.get("sound"):
            _sound(container)
        if "rotation" in how:
            stream.set_display_rotation(how["rotation"])
        for number in range(frames):
            noise = random.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(noise, format="rgb24")
            frame.pts = number + how.get("late", 0) + (skip if number > frames // 2 else 0)
            frame.time_base = 1 / fps
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _sound(container: Any) -> None:
    stream = container.add_stream("aac", rate=16000, layout="mono")
    for number in range(35):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 16000, number * 1024, Fraction(1, 16000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "webm", "mov"])
@pytest.mark.parametrize("fps", [Fraction(24), Fraction(25), Fraction(30000, 1001)])
def test_frames_rate_and_size_of_every_container(tmp_path: Path, suffix: str, fps: Fraction) -> None:
    codec = "libvpx" if suffix == "webm" else "mpeg4"
    path = film(tmp_path / f"a.{suffix}", fps=fps, codec=codec)
    footage = video(path)
    assert (footage.frames, footage.size, footage.faults) == (40, (64, 48), ())
    assert footage.fps == pytest.approx(float(fps), abs=0.02)


def test_frames_that_are_coded_out_of_order_are_counted(tmp_path: Path) -> None:
    assert video(film(tmp_path / "b.mp4", codec="libx264")).frames == 40


def test_a_mp4_in_fragments_has_no_table_and_is_walked_through(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", options={"movflags": "frag_keyframe+empty_moov"})
    assert (video(path).frames, video(path).fps) == (40, 25.0)


def test_a_turned_video_has_the_size_that_is_seen(tmp_path: Path) -> None:
    assert video(film(tmp_path / "a.mp4", rotation=90)).size == (48, 64)


def test_a_varying_rate_is_told(tmp_path: Path) -> None:
    (fault,) = video(film(tmp_path / "a.mp4", skip=5)).faults
    assert (fault.kind, fault.done) == ("wrong_fps", "kept")
    assert "a.mp4" in fault.told


def test_a_span_is_cut_to_what_there_is(tmp_path: Path) -> None:
    path = film(tmp_path / "-a_b.mp4")
    assert measure(Media("video", path, Span(0.4, 1.0))).frames == 15
    assert measure(Media("video", path, Span(0.4, 1.6))).faults == ()
    beyond = measure(Media("video", path, Span(1.2, 2.0)))
    assert (beyond.frames, [(fault.kind, fault.done) for fault in beyond.faults]) == (10, [("span_beyond", "cut")])
    assert "-a_b.mp4" in beyond.faults[0].told
    assert measure(Media("video", path, Span(3.0, 4.0))).frames == 0
    assert measure(Media("video", path, Span(1.0, 1.0))).frames == 0


def cut(path: Path, source: Path, seconds: float) -> Path:
    """What `ffmpeg -ss seconds -c copy` leaves: the frames before stay there, hidden by an edit list."""
    with av.open(str(source)) as read, av.open(str(path), "w", options={"avoid_negative_ts": "disabled"}) as written:
        stream = read.streams.video[0]
        copied = written.add_stream_from_template(stream)
        for packet in read.demux(stream):
            if packet.dts is not None:
                packet.pts -= int(seconds / stream.time_base)
                packet.dts -= int(seconds / stream.time_base)
                packet.stream = copied
                written.mux(packet)
    return path


@pytest.mark.parametrize("between", ["50", "10"], ids=["all hidden frames in the table", "some of them"])
@pytest.mark.parametrize(("seconds", "frames"), [(1.0, 75), (1.48, 63)])
def test_frames_that_an_edit_list_hides_are_not_missed(
    tmp_path: Path, between: str, seconds: float, frames: int
) -> None:
    source = film(tmp_path / "a.mp4", frames=100, codec="libx264", coding={"g": between})
    path = cut(tmp_path / "b.mp4", source, seconds)
    with av.open(str(path)) as container:
        assert container.streams.video[0].frames == 100
        assert sum(1 for _ in container.decode(video=0)) == frames
    assert (video(path).frames, video(path).faults) == (frames, ())
    whole = path.read_bytes()
    assert whole.index(b"mdat") < whole.index(b"moov")
    with av.open(str(path)) as read, av.open(str(tmp_path / "c.mp4"), "w", options={"movflags": "faststart"}) as fast:
        copied = fast.add_stream_from_template(read.streams.video[0])
        for packet in read.demux(video=0):
            if packet.dts is not None:
                packet.stream = copied
                fast.mux(packet)
    whole = (tmp_path / "c.mp4").read_bytes()
    (tmp_path / "c.mp4").write_bytes(whole[: len(whole) * 3 // 4])
    with pytest.raises(Unreadable, match=r"c\.mp4"):
        video(tmp_path / "c.mp4")


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_span_counts_from_the_sound_that_begins_before_the_pictures(tmp_path: Path, suffix: str) -> None:
    path = film(tmp_path / f"a.{suffix}", late=15, sound=True)
    assert (video(path).frames, video(path).start) == (40, pytest.approx(0.6))
    late = measure(Media("video", path, Span(1.6, 2.2)))
    assert (late.frames, late.faults) == (15, ())
    early = measure(Media("video", path, Span(0.2, 1.0)))
    assert (early.frames, [fault.kind for fault in early.faults]) == (10, ["span_beyond"])
    assert "first picture at 0.60 s" in early.faults[0].told
    beyond = measure(Media("video", path, Span(2.0, 3.0)))
    assert beyond.frames == 5
    assert "ends at 2.20 s" in beyond.faults[0].told


@pytest.mark.parametrize("faststart", [False, True])
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.7])
def test_a_truncated_file_is_found_out(tmp_path: Path, suffix: str, faststart: bool, share: float) -> None:
    options = {"movflags": "faststart"} if faststart and suffix == "mp4" else {}
    path = film(tmp_path / f"a.{suffix}", frames=100, options=options)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(Unreadable, match=f"a.{suffix}"):
        video(path)


def test_what_is_no_video_is_told_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(1).bytes(5000))
    (tmp_path / "text.mp4").write_text("nothing here\n" * 100)
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with wave.open(str(tmp_path / "wave.mp4"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(b"\0" * 400)
    (tmp_path / "folder.mp4").mkdir()
    for name in ("empty", "noise", "text", "sound", "wave", "folder", "nowhere"):
        with pytest.raises(Unreadable, match=f"{name}.mp4"):
            video(tmp_path / f"{name}.mp4")


def test_a_playlist_opens_no_other_file(tmp_path: Path) -> None:
    film(tmp_path / "other.mp4")
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile other.mp4\n")
    (tmp_path / "hls.mp4").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nother.mp4\n#EXT-X-ENDLIST\n")
    for name in ("list.mp4", "hls.mp4"):
        with pytest.raises(Unreadable, match=name):
            video(tmp_path / name)


def test_a_video_is_opened_once_and_again_when_it_changes(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4")
    before = video(path)
    opened = _video.cache_info().misses
    assert measure(Media("video", path, Span(0.0, 1.0))).content == before.content
    assert _video.cache_info().misses == opened
    film(path, frames=41)
    os.utime(path, ns=(1, 1))
    after = video(path)
    assert (after.frames, after.content == before.content) == (41, False)


def test_a_broken_video_is_opened_once(tmp_path: Path) -> None:
    path = film(tmp_path / "broken.mkv", frames=100)
    path.write_bytes(path.read_bytes()[:5000])
    opened = _video.cache_info().misses
    for _ in range(3):
        with pytest.raises(Unreadable, match=r"broken\.mkv"):
            video(path)
    assert _video.cache_info().misses == opened + 1


def test_without_pyav_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = film(tmp_path / "alone.mp4")
    imported = builtins.__import__

    def absent(name: str, *rest: Any, **more: Any) -> Any:
        if name == "av":
            raise ImportError(name)
        return imported(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(UserError, match=r"alone.mp4.*pip install 'sonar-slt\[video\]'"):
        video(path)


@pytest.mark.skipif("SONAR_SLT_SAMPLES" not in os.environ, reason="the sample corpora are not here")
@pytest.mark.parametrize(
    ("name", "frames", "size"),
    [("multimodalhugs_sample_01.mp4", 22, (250, 250)), ("how2sign/_BOJ9cYPRe4_16-8-rgb_front.mp4", 18, (1280, 720))],
)
def test_videos_of_others(name: str, frames: int, size: tuple[int, int]) -> None:
    footage = video(Path(os.environ["SONAR_SLT_SAMPLES"]) / "video" / name)
    assert (footage.frames, footage.fps, footage.size, footage.faults) == (frames, 24.0, size, ())


@pytest.mark.properties
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi"])
@settings(max_examples=60, deadline=None, derandomize=True)
@given(places=st.lists(st.tuples(st.floats(0.0, 0.999), st.integers(0, 255)), min_size=1, max_size=12))
def test_damaged_bytes_give_footage_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, places: list[tuple[float, int]]
) -> None:
    path = tmp_path_factory.mktemp("damaged") / f"hurt.{suffix}"
    damaged = bytearray(whole(suffix))
    for place, value in places:
        damaged[int(place * len(damaged))] = value
    path.write_bytes(damaged)
    try:
        footage = video(path)
    except Unreadable as error:
        assert f"hurt.{suffix}" in str(error)
    else:
        assert footage.frames >= 0
        assert footage.size is not None


@cache
def whole(suffix: str) -> bytes:
    with TemporaryDirectory() as folder:
        return film(Path(folder) / f"a.{suffix}", frames=6, size=(32, 32)).read_bytes()
