"""The frames of a video, by number, from the key frame before the first that is asked for.

What libav conceals is not taken for a picture: frames that it marks as damaged are left out, and so are those of which
nothing comes. Frames behind a lost one may be smeared up to the next key frame.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sonar_slt.data.media.footage import Footage
from sonar_slt.data.media.reel import Picture, Shot
from sonar_slt.data.media.video import UNTIMED, opened
from sonar_slt.data.unreadable import Unreadable

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.reformatter import VideoReformatter
    from av.video.stream import VideoStream

BACK = (0.0, 1.0, 10.0, 60.0)
"""So many seconds before a frame a key frame is looked for, until one is found from which it can be decoded."""

LEANING = frozenset({"h264", "hevc"})
"""Decoders that may leave out, packet by packet, the frames on which no other leans; dav1d would leave out others."""


def shots(path: Path, whole: Footage, kept: range, *, threads: int = 1) -> Generator[Shot, None, None]:
    """The frames of a part of a video, numbered from the part's first."""
    if not kept:
        return
    develop = _developer(path, whole)
    for number, frame in _from(path, whole, kept.start, threads):
        if number >= kept.stop:
            break
        if number >= kept.start and not frame.is_corrupt:
            yield number - kept.start, partial(develop, frame)


def _developer(path: Path, whole: Footage) -> Callable[[VideoFrame], Picture]:
    """What makes a picture of a frame; one that is of another size than the video is brought to that."""
    import av
    from av.video.reformatter import VideoReformatter

    reformatter: VideoReformatter = VideoReformatter()
    width, height = (whole.size or (0, 0))[:: -1 if whole.turn.sideways else 1]

    def develop(frame: VideoFrame) -> Picture:
        try:
            stored = reformatter.reformat(frame, width=width, height=height, format="rgb24", threads=1)
        except av.error.FFmpegError as error:
            raise Unreadable(f"'{path}' has pictures that cannot be converted: {error.strerror}.") from error
        picture = whole.turn(np.asarray(stored.to_ndarray(), np.uint8))
        # the memory of a frame that came as RGB is the decoder's
        return np.array(picture) if stored is frame else np.ascontiguousarray(picture)

    return develop


def _from(path: Path, whole: Footage, first: int, threads: int) -> Iterator[tuple[int, VideoFrame]]:
    """Numbered frames, of which the first is the one asked for or before it.

    A key frame that is stored before a frame need not be shown before it, and frames behind it may lean on what was
    before: then the key frame before that is tried, at last the beginning.
    """
    for back in BACK:
        place = whole.second(first) - back
        if place <= whole.start:
            break
        frames = _played(path, whole, first, threads, place=place)
        ahead = next(frames, None)
        if ahead is not None and ahead[0] <= first:
            yield ahead
            yield from frames
            return
        frames.close()
    yield from _played(path, whole, first, threads)


def _played(
    path: Path, whole: Footage, first: int, threads: int, *, place: float | None = None
) -> Generator[tuple[int, VideoFrame], None, None]:
    """Numbered frames in the order they are shown; from the key frame before a place, if it is not behind `first`.

    Of the frames before `first` only those come that others lean on.
    """
    import av

    with opened(path) as (container, stream):
        stream.codec_context.thread_count = threads
        stream.thread_type = "SLICE" if threads == 1 else "AUTO"
        tick = float(stream.time_base or 0)
        untimed = container.format.name in UNTIMED
        leaning = not untimed and stream.codec_context.name in LEANING
        come = 0  # the next number, where no time tells it
        if place is not None and _can_jump(container, stream):
            with suppress(av.error.FFmpegError):
                container.seek(round((place + whole.clock) / tick), stream=stream)
        key = place is None
        for packet in _packets(container, stream):
            if not key and packet is not None:
                stamp = packet.dts if untimed else packet.pts
                if not packet.is_keyframe or stamp is None:
                    continue
                come, key = whole.number(stamp * tick - whole.clock), True
                if come > first:
                    return
            if leaning and packet is not None and packet.pts is not None:
                early = whole.number(packet.pts * tick - whole.clock) < first
                stream.codec_context.skip_frame = "NONREF" if early else "DEFAULT"
            frames = _decoded(stream, packet)
            come += frames is None  # counts as one that has come
            for frame in frames or ():
                if not untimed and frame.pts is not None:  # one without a time fills a gap that the decoder noticed
                    yield whole.number(frame.pts * tick - whole.clock), frame
                elif untimed:
                    yield come, frame
                    come += 1


def _can_jump(container: InputContainer, stream: VideoStream) -> bool:
    """Whether frames are numbered rightly from the middle on; MPEG's program streams tell wrong times after a jump."""
    reordered = container.format.name in UNTIMED and stream.codec_context.has_b_frames
    return not reordered and container.format.name != "mpeg"


def _packets(container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream] | None]:
    """The packets up to where the file cannot be read on, and None, for which the last frames come out."""
    import av

    with suppress(av.error.FFmpegError):
        yield from (packet for packet in container.demux(stream) if packet.size)
    yield None


def _decoded(stream: VideoStream, packet: Packet[VideoStream] | None) -> list[VideoFrame] | None:
    """What comes out of the decoder, None where the packet is broken."""
    import av

    with suppress(av.error.FFmpegError):
        return stream.codec_context.decode(packet)
    return None
