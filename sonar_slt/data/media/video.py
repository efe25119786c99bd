"""A video's frame rate, number of frames and size, from its container.

The tables of an mp4 tell where every frame lies, so that a file of gigabytes is measured, and a truncated one found
out, without reading it; other containers are walked through packet by packet. One frame is decoded, to see that it can.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from sonar_slt.data.faults import Fault
from sonar_slt.data.media.footage import Footage, content
from sonar_slt.data.unreadable import Unreadable
from sonar_slt.errors import UserError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

Walk = tuple[list[float], "VideoFrame"]
"""The seconds of every frame in the order they are shown, and the first frame."""

# Only containers of video, and only this file: playlists and scripts, which may name any other file, are refused.
_OPTIONS = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,flv,asf,ogg,h264,hevc,gif",
    "protocol_whitelist": "file",
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


@lru_cache(maxsize=4096)
def _video(path: Path, length: int, changed: int, fps: float | None) -> Footage | str:
    """The whole video, or the sentence that tells why it cannot be read; many clips ask of one broken video."""
    try:
        return _measured(path, length, fps)
    except Unreadable as error:
        return str(error)


def _measured(path: Path, length: int, fps: float | None) -> Footage:
    try:
        import av
    except ImportError as error:
        raise UserError(
            f"'{path.name}' is a video, and PyAV, which reads videos, is not installed: pip install 'sonar-slt[video]'."
        ) from error
    try:
        with av.open(f"file:{path}", options=_OPTIONS, metadata_errors="replace") as container:
            stream = _pictured(container, path)
            times, first = _by_table(container, stream, path, length) or _by_packets(container, stream, path)
            rate = float(stream.average_rate or stream.guessed_rate or fps or 0.0)
            start = (first.time or 0.0) - (container.start_time or 0) / 1_000_000
    except (av.error.FFmpegError, UnicodeError) as error:
        raise Unreadable(f"'{path}' cannot be read as a video: {getattr(error, 'strerror', error)}.") from error
    size = (first.height, first.width) if first.rotation % 180 else (first.width, first.height)
    return Footage(
        frames=len(times),
        fps=rate or None,
        size=size,
        start=max(start, 0.0),
        content=content(length, ends=[path]),
        faults=_unsteady(times, rate, path),
    )


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

    Of a video with hidden frames only its packets tell which frames are shown when.
    """
    table = list(stream.index_entries)
    if not table or len(table) != stream.frames or stream.time_base is None or any(entry.is_discard for entry in table):
        return None
    if max(entry.pos + entry.size for entry in table) > length:
        raise Unreadable(f"'{path}' is cut short after {length} bytes.")
    times = sorted(float(entry.timestamp * stream.time_base) for entry in table)
    first = next(container.decode(stream), None)
    return None if first is None else (times, first)


def _by_packets(container: InputContainer, stream: VideoStream, path: Path) -> Walk:
    """From one walk through the whole file."""
    from av.video.frame import VideoFrame

    times: list[float] = []
    first: VideoFrame | None = None
    count, last = 0, 0.0  # of packets with the hidden ones; second of any stream
    for packet in container.demux():
        stamp = packet.pts if packet.pts is not None else packet.dts
        second = float(stamp * packet.time_base) if stamp is not None and packet.time_base else last
        last = max(last, second + float((packet.duration or 0) * (packet.time_base or 0))) if packet.size else last
        if packet.stream_index != stream.index or not packet.size:
            continue
        count += 1
        times += [] if packet.is_discard else [second]
        if first is None:  # the hidden frames are what the first that is shown is decoded from
            first = next((frame for frame in packet.decode() if isinstance(frame, VideoFrame)), None)
    if first is None:
        first = next(iter(stream.codec_context.decode(None)), None)
    promised = (container.duration or 0) / 1_000_000 + (container.start_time or 0) / 1_000_000
    # a second less than promised is forgiven: not every writer is exact
    if first is None or count + _left_out(container, stream, path) < stream.frames or last + 1.0 < promised:
        raise Unreadable(f"'{path}' is cut short: it has {len(times)} whole frames, fewer than it says.")
    return sorted(times), first


def _left_out(container: InputContainer, stream: VideoStream, path: Path) -> int:
    """How many frames the edit list of an mp4, as a cut without coding anew writes it, keeps out of the table."""
    import av

    if "mov" not in container.format.name or len(stream.index_entries) >= stream.frames:
        return 0
    with av.open(f"file:{path}", options={**_OPTIONS, "advanced_editlist": "0"}) as unedited:
        return len(_pictured(unedited, path).index_entries) - len(stream.index_entries)


def _unsteady(times: Sequence[float], fps: float, path: Path) -> tuple[Fault, ...]:
    """A fault where some frame is not at the time at which its number would put it, by more than a frame."""
    off = max((abs((time - times[0]) * fps - number) for number, time in enumerate(times)), default=0.0)
    if off <= 1.0:
        return ()
    told = f"has a varying frame rate, {fps:.2f} on average: frames of '{path.name}' are off by up to {off / fps:.2f} s"
    return (Fault(id="", kind="wrong_fps", told=told, done="kept"),)
