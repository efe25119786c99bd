"""A video's frame rate, number of frames and size, from its container.

The tables of an mp4 tell where every frame lies, so that a file of gigabytes is measured, and a truncated one found
out, without reading it; other containers, and rates that vary, are walked through packet by packet. One frame is
decoded, to see that it can.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonar_slt.data.faults import Fault
from sonar_slt.data.media.footage import LARGEST, Footage, content
from sonar_slt.data.media.turning import turn
from sonar_slt.data.unreadable import Unreadable
from sonar_slt.errors import UserError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

Walk = tuple[list[float], float, "VideoFrame"]
"""The seconds of every frame in the order they are shown, when the first is shown, and the first that can be decoded.

A table's seconds are those of decoding: as steady as the others, but not the same.
"""

STEADY = 0.45
"""A frame is at most so far from where its number puts it, in frames; then its time tells its number, by rounding."""

UNTIMED = frozenset({"avi", "h264", "hevc", "mpegvideo"})
"""Containers that do not tell when a frame is shown; frames are in the order in which they come out of the decoder."""

# Only containers of video, and only this file: playlists and scripts, which may name any other file, are refused.
_OPTIONS = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,flv,asf,ogg,h264,hevc,gif",
    "protocol_whitelist": "file",
    "max_pixels": str(LARGEST),
}


def video(path: Path, *, fps: float | None = None) -> Footage:
    """The whole video; `fps` only counts where the container has no rate. Asked again, a file is not opened again."""
    try:
        found = path.stat()
    except OSError as error:
        raise Unreadable(f"'{path}' cannot be read: {error.strerror or error}.") from error
    if not found.st_size:
        raise Unreadable(f"'{path}' is empty.")
    footage = _video(path, found.st_size, found.st_mtime_ns, fps)
    if isinstance(footage, str):
        raise Unreadable(footage)
    return footage


@lru_cache(maxsize=1024)  # the times of an hour at a varying rate are 1 MB
def _video(path: Path, length: int, changed: int, fps: float | None) -> Footage | str:
    """The whole video, or the sentence that tells why it cannot be read; many clips ask of one broken video."""
    try:
        return _measured(path, length, fps)
    except Unreadable as error:
        return str(error)


def _measured(path: Path, length: int, fps: float | None) -> Footage:
    with opened(path) as (container, stream):
        rate = float(stream.average_rate or stream.guessed_rate or fps or 0.0)
        times, opening, first = _by_table(container, stream, path, length) or _by_packets(container, stream, path, rate)
        start = max(opening - (container.start_time or 0) / 1_000_000, 0.0)
        off, seen = _off(times, rate), turn(first)
    faults = []
    if rate and off > 1.0:
        told = f"has a varying frame rate, {rate:.2f} on average: frames of '{path.name}' are off by up to "
        faults.append(Fault(id="", kind="wrong_fps", told=f"{told}{off / rate:.2f} s", done="kept"))
    return Footage(
        frames=len(times),
        fps=rate or None,
        size=(first.height, first.width) if seen.sideways else (first.width, first.height),
        start=start,
        clock=opening - start,
        times=array("d", (time - opening + start for time in times)) if off > STEADY else None,
        turn=seen,
        content=content(length, ends=[path]),
        faults=tuple(faults),
    )


@contextmanager
def opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container and its moving pictures; what cannot be opened, or is too large to be decoded, is `Unreadable`."""
    try:
        import av
    except ImportError as error:
        raise UserError(
            f"'{path.name}' is a video, and PyAV, which reads videos, is not installed: pip install 'sonar-slt[video]'."
        ) from error
    try:
        with av.open(f"file:{path}", options=_OPTIONS, metadata_errors="replace") as container:
            stream = _pictured(container, path)
            context = stream.codec_context
            if context.width * context.height > LARGEST:
                size = f"{context.width} x {context.height} pixels"
                raise Unreadable(f"'{path}' has pictures of {size}, more than the {LARGEST:,} that are decoded.")
            context.options = {"max_pixels": str(LARGEST)}  # what the pictures claim counts as well
            yield container, stream
    except (av.error.FFmpegError, UnicodeError) as error:
        raise Unreadable(f"'{path}' cannot be read as a video: {getattr(error, 'strerror', error)}.") from error


def _pictured(container: InputContainer, path: Path) -> VideoStream:
    """The first stream of moving pictures; the cover of a song is none."""
    for stream in container.streams.video:
        if not stream.disposition & type(stream.disposition).attached_pic:
            if getattr(stream, "codec_context", None) is None:
                raise Unreadable(f"'{path}' has pictures of a kind that nothing here can decode.")
            return stream
    raise Unreadable(f"'{path}' has no pictures that move, only sound or text.")


def _by_table(container: InputContainer, stream: VideoStream, path: Path, length: int) -> Walk | None:
    """From the table of contents where it is whole: every frame that the container counts has its place in it.

    Of a video with hidden frames, or whose rate varies, only its packets tell which frames are shown when.
    """
    table = list(stream.index_entries)
    if not table or len(table) != stream.frames or stream.time_base is None or any(entry.is_discard for entry in table):
        return None
    if max(entry.pos + entry.size for entry in table) > length:
        raise Unreadable(f"'{path}' is cut short after {length} bytes.")
    times = sorted(float(entry.timestamp * stream.time_base) for entry in table)
    if _off(times, float(stream.average_rate or stream.guessed_rate or 0.0)) > STEADY:
        return None
    stamps: list[int] = []
    for packet in container.demux(stream):
        stamps += [] if packet.pts is None else [packet.pts]
        if (first := _frame(stream, packet)) is not None:
            timed = stamps and container.format.name not in UNTIMED
            return times, float(min(stamps) * stream.time_base) if timed else times[0], first
    raise _dark(path, stream)


def _dark(path: Path, stream: VideoStream) -> Unreadable:
    size = "" if stream.codec_context.width else f"; a picture may have {LARGEST:,} pixels at most"
    return Unreadable(f"'{path}' has no frame that can be decoded{size}.")


def _frame(stream: VideoStream, packet: Packet[Any] | None) -> VideoFrame | None:
    """The first of the frames that come out when a packet goes in, None where it is broken or others come first."""
    import av

    with suppress(av.error.FFmpegError):
        return next(iter(stream.codec_context.decode(packet)), None)
    return None


def _by_packets(container: InputContainer, stream: VideoStream, path: Path, fps: float) -> Walk:
    """From one walk through the whole file; `fps` counts where the file tells no time at all."""
    times: list[float] = []
    first: VideoFrame | None = None
    count, last, timed = 0, 0.0, False  # of packets with the hidden ones; second of any stream
    for packet in container.demux():
        stamp = packet.dts if packet.pts is None or container.format.name in UNTIMED else packet.pts
        second = float(stamp * packet.time_base) if stamp is not None and packet.time_base else last
        last = max(last, second + float((packet.duration or 0) * (packet.time_base or 0))) if packet.size else last
        if packet.stream_index != stream.index or not packet.size:
            continue
        count, timed = count + 1, timed or stamp is not None
        times += [] if packet.is_discard else [second]
        if first is None:  # the hidden frames are what the first that is shown is decoded from
            first = _frame(stream, packet)
    first = first or _frame(stream, None)
    promised = (container.duration or 0) / 1_000_000 + (container.start_time or 0) / 1_000_000
    # a second less than promised is forgiven: not every writer is exact
    if count + _left_out(container, stream, path) < stream.frames or last + 1.0 < promised:
        raise Unreadable(f"'{path}' is cut short: it has {len(times)} whole frames, fewer than it says.")
    if first is None:
        raise _dark(path, stream)
    times = sorted(times) if timed else [number / (fps or 1.0) for number in range(len(times))]
    return times, times[0] if times else 0.0, first


def _left_out(container: InputContainer, stream: VideoStream, path: Path) -> int:
    """How many frames the edit list of an mp4, as a cut without coding anew writes it, keeps out of the table."""
    import av

    if "mov" not in container.format.name or len(stream.index_entries) >= stream.frames:
        return 0
    with av.open(f"file:{path}", options={**_OPTIONS, "advanced_editlist": "0"}) as unedited:
        return len(_pictured(unedited, path).index_entries) - len(stream.index_entries)


def _off(times: Sequence[float], fps: float) -> float:
    """By how many frames some frame is off from where its number would put it; endlessly, where there is no rate."""
    if not fps:
        return float("inf") if len(times) > 1 else 0.0
    return max((abs((time - times[0]) * fps - number) for number, time in enumerate(times)), default=0.0)
