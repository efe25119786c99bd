"""Frames come out by their times, the same from wherever decoding starts; what is broken is replaced and told.

The number of every frame is drawn into it, as blocks of black and white.
"""

from __future__ import annotations

import gc
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from functools import cache
from importlib import import_module
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sonar_slt.data.media import Reel, decoded, measure, video_reel
from sonar_slt.data.media.reel import Picture
from sonar_slt.data.media.video import video
from sonar_slt.data.release import Media, Span
from sonar_slt.data.unreadable import Unreadable

av = pytest.importorskip("av")

BLOCK, BITS = 8, 10


def drawn(number: int, size: tuple[int, int]) -> Picture:
    """Noise below a line of blocks that tell the number."""
    picture = np.random.default_rng(number).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    for bit in range(BITS):
        picture[:BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 255 if number >> bit & 1 else 0
    return picture


def number(picture: Picture) -> int:
    blocks = picture[2 : BLOCK - 2, : BITS * BLOCK].reshape(BLOCK - 4, BITS, BLOCK, 3)[:, :, 2:-2].mean((0, 2, 3))
    return sum(1 << bit for bit in range(BITS) if blocks[bit] > 127)


def film(path: Path, stamps: Sequence[int], tick: Fraction, *, codec: str = "libx264", **how: Any) -> Path:
    """A video whose frames are shown at the stamps, a key frame among every 25."""
    size = how.get("size", (96, 48))
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=how.get("rate", 25))
        stream.width, stream.height = size
        stream.pix_fmt = how.get("pixels", "yuv420p")
        stream.codec_context.time_base = tick
        stream.options = {"g": "25", "crf": "30", **how.get("coding", {})}
        if how.get("sound"):
            _sound(container)
        if "turn" in how:
            stream.set_display_rotation(how["turn"], hflip=how.get("mirrored", False))
        for count, stamp in enumerate(stamps):
            frame = av.VideoFrame.from_ndarray(drawn(count, size), format="rgb24")
            frame.pts, frame.time_base = stamp, tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _sound(container: Any) -> None:
    stream = container.add_stream("aac", rate=16000, layout="mono")
    for count in range(80):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 16000, count * 1024, Fraction(1, 16000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def numbers(reel: Reel) -> list[int]:
    return [number(picture) for picture in reel]


def reel(path: Path, span: Span | None = None, **how: Any) -> Reel:
    return decoded(Media("video", path, span), **how)


def kinds(reel: Reel) -> list[str]:
    return [fault.kind for fault in reel.faults]


def held_to_its_times(path: Path, seconds: Sequence[float], spans: int = 10) -> None:
    """Random spans with random steps: what the times say, to the bit what decoding from the start gives."""
    chance, fps = random.Random(path.name), video(path).fps or 0.0
    whole = list(reel(path))
    middles = [(here + there) / 2 for here, there in zip(seconds, [*seconds[1:], seconds[-1] + 1 / fps], strict=True)]
    assert [number(picture) for picture in whole] == list(range(len(seconds)))
    for _ in range(spans):
        start = chance.uniform(seconds[0], seconds[-1])
        span = Span(start, start + chance.choice([0.0, 0.1, 0.7, 3.0]))
        step = chance.choice([1, 1, 2, 3, 8])
        said = [at for at, middle in enumerate(middles) if span.start < middle <= span.end]
        found = reel(path, span, step=step, threads=chance.choice([1, 2]))
        pictures = list(found)
        assert measure(Media("video", path, span)).frames == len(said)
        assert (found.length, [number(picture) for picture in pictures]) == (len(said[::step]), said[::step])
        assert all(np.array_equal(picture, whole[at]) for picture, at in zip(pictures, said[::step], strict=True))
        assert "broken_frame" not in kinds(found)


CODINGS = [
    pytest.param("mp4", "libx264", {}, id="b-frames"),
    pytest.param("mp4", "libx264", {"bf": "0"}, id="no-b-frames"),
    pytest.param("mov", "libx264", {"x264-params": "open-gop=1:bframes=5:b-pyramid=normal"}, id="open-gops"),
    pytest.param("mkv", "libx264", {"x264-params": "open-gop=1"}, id="open-gops-mkv"),
    pytest.param("mp4", "libx265", {"x265-params": "log-level=none"}, id="hevc"),
    pytest.param("webm", "libsvtav1", {"preset": "10"}, id="av1"),
    pytest.param("ts", "libx264", {}, id="ts"),
    pytest.param("webm", "libvpx", {"auto-alt-ref": "1", "lag-in-frames": "10", "cpu-used": "8"}, id="vp8"),
    pytest.param("webm", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}, id="vp9"),
]


@pytest.mark.parametrize(("suffix", "codec", "coding"), CODINGS)
def test_steady_frames(tmp_path: Path, suffix: str, codec: str, coding: dict[str, str]) -> None:
    for fps in (Fraction(25), Fraction(24), Fraction(30000, 1001))[: 3 if codec == "libx264" else 1]:
        path = film(tmp_path / f"{float(fps):.0f}.{suffix}", range(80), 1 / fps, codec=codec, coding=coding, rate=fps)
        assert video(path).times is None
        held_to_its_times(path, [float(at / fps) for at in range(80)], spans=6)


@pytest.mark.parametrize(("suffix", "codec", "coding"), CODINGS)
def test_frames_at_a_varying_rate(tmp_path: Path, suffix: str, codec: str, coding: dict[str, str]) -> None:
    chance = random.Random(suffix)
    stamps = [0, *accumulate(chance.choice([20, 33, 40, 40, 90, 250]) for _ in range(79))]
    path = film(tmp_path / f"a.{suffix}", stamps, Fraction(1, 1000), codec=codec, coding=coding)
    assert [fault.kind for fault in video(path).faults] == ["wrong_fps"]
    held_to_its_times(path, [stamp / 1000 for stamp in stamps])


@pytest.mark.parametrize(("codec", "coding"), [("libx264", {}), ("mpeg4", {}), ("mpeg4", {"bf": "2"})])
def test_avi_which_tells_no_times(tmp_path: Path, codec: str, coding: dict[str, str]) -> None:
    path = film(tmp_path / "a.avi", range(80), Fraction(1, 25), codec=codec, coding=coding)
    held_to_its_times(path, [at / 25 for at in range(80)])


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("steady", [True, False])
def test_times_count_from_the_sound_that_begins_before(tmp_path: Path, suffix: str, steady: bool) -> None:
    stamps = [15 + at + (20 if at > 30 and not steady else 0) for at in range(60)]
    path = film(tmp_path / f"a.{suffix}", stamps, Fraction(1, 25), sound=True)
    assert video(path).start == pytest.approx(0.6)
    held_to_its_times(path, [stamp / 25 for stamp in stamps])
    early = reel(path, Span(0.0, 0.8))
    assert (numbers(early), "span_beyond" in kinds(early)) == ([0, 1, 2, 3, 4], True)


def test_a_span_behind_an_unsteady_video_is_told(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", [*range(10), *range(40, 50)], Fraction(1, 25), coding={"bf": "0"})
    beyond = reel(path, Span(1.58, 9.0))
    assert (numbers(beyond), kinds(beyond)) == ([*range(10, 20)], ["wrong_fps", "span_beyond"])
    assert [reel(path, Span(start, start + 2.0)).length for start in (-9.0, 90.0)] == [0, 0]


@pytest.mark.parametrize("between", ["50", "10"])
@pytest.mark.parametrize(("seconds", "first"), [(1.0, 25), (1.48, 37)])
def test_frames_that_an_edit_list_hides_stay_hidden(tmp_path: Path, between: str, seconds: float, first: int) -> None:
    source = film(tmp_path / "a.mp4", range(100), Fraction(1, 25), coding={"g": between})
    with (
        av.open(str(source)) as read,
        av.open(str(tmp_path / "b.mp4"), "w", options={"avoid_negative_ts": "disabled"}) as written,
    ):
        stream = read.streams.video[0]
        copied = written.add_stream_from_template(stream)
        for packet in read.demux(stream):
            if packet.dts is not None:
                packet.pts -= int(seconds / stream.time_base)
                packet.dts -= int(seconds / stream.time_base)
                packet.stream = copied
                written.mux(packet)
    assert numbers(reel(tmp_path / "b.mp4")) == [*range(first, 100)]
    assert numbers(reel(tmp_path / "b.mp4", Span(1.2, 1.4))) == [*range(first + 30, first + 35)]


def test_a_part_of_a_long_video_is_decoded_from_the_key_frame_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = film(tmp_path / "a.mp4", range(1000), Fraction(1, 25), coding={"preset": "ultrafast"})
    fed, decode = [], video_reel._decoded
    monkeypatch.setattr(video_reel, "_decoded", lambda *those: (fed.append(1), decode(*those))[1])
    assert numbers(reel(path, Span(36.0, 36.4), step=3)) == [900, 903, 906, 909]
    assert len(fed) < 25 + 10 + 10


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the memory that is used now is not told here")
def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", range(300), Fraction(1, 25), size=(640, 360), coding={"preset": "ultrafast"})
    used = []
    gc.disable()  # frames that wait to be collected would hide
    try:
        for _ in reel(path):
            used.append(int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20)
    finally:
        gc.enable()
    assert max(used) - used[40] < 25  # MiB; the frames are 99


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_pictures_are_turned_as_they_are_seen(tmp_path: Path, turn: int, mirrored: bool) -> None:
    plain = film(tmp_path / "plain.mp4", range(3), Fraction(1, 25))
    path = film(tmp_path / "a.mp4", range(3), Fraction(1, 25), turn=turn, mirrored=mirrored)
    for picture, stored in zip(reel(path), reel(plain), strict=True):
        with_mirror = [np.rot90(stored, turn // 90)[:, ::-1], np.rot90(stored[:, ::-1], turn // 90)]
        seen = with_mirror if mirrored else [np.rot90(stored, turn // 90)]
        assert any(np.array_equal(picture, one) for one in seen)
        assert (picture.shape[1], picture.shape[0]) == measure(Media("video", path)).size
        assert picture.flags.c_contiguous


def test_odd_sizes_and_wrong_names(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", range(5), Fraction(1, 25), size=(101, 77), pixels="yuv444p")
    assert [picture.shape for picture in reel(path)] == [(77, 101, 3)] * 5
    assert numbers(reel(path.rename(tmp_path / "a.webm"))) == [*range(5)]
    Image.fromarray(drawn(1, (96, 48))).save(tmp_path / "picture.mp4", "png")
    with pytest.raises(Unreadable, match=r"picture\.mp4"):
        reel(tmp_path / "picture.mp4")


def test_a_huge_video_is_refused_before_it_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with av.open(str(tmp_path / "huge.mov"), "w") as container:
        stream = container.add_stream("png", rate=25)
        stream.width = stream.height = 16000
        stream.pix_fmt = "monob"
        frame = av.VideoFrame(16000, 16000, "monob")
        frame.pts = 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(Unreadable, match=r"huge\.mov.*36,000,000"):
        reel(tmp_path / "huge.mov")
    path = film(tmp_path / "large.mp4", range(3), Fraction(1, 25))
    monkeypatch.setattr(import_module("sonar_slt.data.media.video"), "LARGEST", 96 * 48 - 1)
    with pytest.raises(Unreadable, match=r"large\.mp4.*96 x 48"):
        reel(path)


def hurt(path: Path, frames: Sequence[int], suffix: str = "mp4") -> Path:
    """The film with the bytes of some frames gone."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        places = {round(packet.pts * stream.time_base * 25): packet for packet in container.demux() if packet.size}
        gone = [(places[frame].pos, places[frame].size) for frame in frames]
    damaged = bytearray(path.read_bytes())
    for place, size in gone:
        damaged[place : place + size] = bytes(size)
    (path.with_name(f"hurt.{suffix}")).write_bytes(damaged)
    return path.with_name(f"hurt.{suffix}")


def test_a_lost_frame_is_replaced_by_the_one_before(tmp_path: Path) -> None:
    whole = film(tmp_path / "a.mp4", range(100), Fraction(1, 25), coding={"g": "1"})  # nothing leans on a lost frame
    path = hurt(whole, [40, 41, 60])
    found = reel(path)
    assert numbers(found) == [*range(40), 39, 39, *range(42, 60), 59, *range(61, 100)]
    assert kinds(found) == ["broken_frame"]
    assert "3 of 100 frames of 'hurt.mp4'" in found.faults[0].told
    stepped = reel(path, Span(1.2, 2.0), step=5)
    assert numbers(stepped) == [30, 35, 39, 45]  # the one before is the last whole one, asked for or not
    assert numbers(reel(path, Span(1.6, 2.0))) == [42, 42, *range(42, 50)]


def test_frames_behind_a_lost_key_frame(tmp_path: Path) -> None:
    path = hurt(film(tmp_path / "a.mp4", range(100), Fraction(1, 25)), [0])
    found = reel(path)
    pictures = numbers(found)
    assert (len(pictures), pictures[-1], kinds(found)) == (100, 99, ["broken_frame"])
    assert len(set(pictures[:20])) == 1


def test_more_lost_than_whole_is_unreadable(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", range(20), Fraction(1, 25), coding={"g": "1"})
    assert len(numbers(reel(hurt(path, range(10))))) == 20
    with pytest.raises(Unreadable, match=r"more than half of its 20 frames"):
        numbers(reel(hurt(path, range(9, 20))))
    with pytest.raises(Unreadable, match=r"hurt\.mp4"):
        reel(hurt(path, range(20), "mp4"))


@cache
def small() -> bytes:
    with TemporaryDirectory() as folder:
        return film(Path(folder) / "a.mp4", range(12), Fraction(1, 25), coding={"g": "4"}).read_bytes()


@pytest.mark.properties
@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    places=st.lists(st.tuples(st.floats(0.0, 0.999), st.integers(0, 255)), min_size=1, max_size=30),
    step=st.integers(1, 3),
)
def test_damaged_bytes_give_as_many_pictures_as_are_counted_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, places: list[tuple[float, int]], step: int
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "hurt.mp4"
    damaged = bytearray(small())
    for place, value in places:
        damaged[int(place * len(damaged))] = value
    path.write_bytes(damaged)
    try:
        found = reel(path, step=step)
        assert len(list(found)) == found.length == -(-measure(Media("video", path)).frames // step)
    except Unreadable as error:
        assert "hurt.mp4" in str(error)
    else:
        assert kinds(found).count("broken_frame") <= 1


def test_reels_run_side_by_side_and_can_be_left(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", range(60), Fraction(1, 25))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda start: numbers(reel(path, Span(start, start + 0.4))), [0.0, 0.4, 0.8, 1.2]))
    assert found == [[*range(start, start + 10)] for start in (0, 10, 20, 30)]
    with reel(path) as left:
        assert number(next(left)) == 0
    assert list(left) == []
