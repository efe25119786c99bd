"""Clips as videos: several in one file with stillness between them, as a recording of a whole talk has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import groupby, islice
from pathlib import Path

import numpy as np
from PIL import Image

from sonar_slt.data.corpora.toy.written.clip import Clip, Draft
from sonar_slt.data.corpora.toy.written.drawing import picture
from sonar_slt.errors import UserError

CLIPS, STILL = 4, 5
"""At most so many clips are in a video; so many frames of stillness are before each and behind the last."""
_TICKS = 8  # a frame's time is told in eighths of a frame
_H264 = {"preset": "ultrafast", "crf": "26", "x264-params": "threads=1:lookahead-threads=1:sync-lookahead=0"}


def videos(clips: Sequence[Clip]) -> list[list[Clip]]:
    """Which clips are in a video together: those of one split, rate and signer; sets where each begins."""
    shared = sorted((clip for clip in clips if not clip.alone), key=lambda clip: (clip.split, clip.fps, clip.signer))
    together: list[list[Clip]] = []
    for _, group in groupby(shared, key=lambda clip: (clip.split, clip.fps, clip.signer)):
        while taken := list(islice(group, CLIPS)):
            together.append(taken)
    together += [[clip] for clip in clips if clip.alone]
    for video in together:
        begin = 0
        for clip in video:
            clip.begin = begin + STILL
            begin = clip.begin + clip.frames
    return together


def film(draft: Draft, clips: Sequence[Clip], path: Path, size: tuple[int, int]) -> None:
    """Write the video of some clips, at the rate that they have in common."""
    try:
        import av
    except ImportError as error:
        raise UserError("Writing videos needs PyAV, which is not installed: pip install 'sonar-slt[video]'.") from error
    path.parent.mkdir(parents=True, exist_ok=True)
    rate = Fraction(clips[0].fps).limit_denominator(1001)
    with av.open(str(path), "w", format="mp4", container_options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libx264", rate=rate, options=dict(_H264))
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        stream.codec_context.time_base = 1 / (rate * _TICKS)
        drawn: Image.Image | None = None
        for number, image in enumerate(_pictures(draft, clips, size)):
            if image is not drawn:  # stillness is one picture, many times
                frame, drawn = av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24"), image
            late = 0 if all(clip.steady for clip in clips) else _late(number)
            frame.pts, frame.duration, frame.time_base = number * _TICKS + late, _TICKS, 1 / (rate * _TICKS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _late(number: int) -> int:
    """Eighths by which a frame of an unsteady video is late: two frames' worth, caught up with before the clip."""
    return (0, 8, 16, 14, 7)[number] if number < STILL else 0


def _pictures(draft: Draft, clips: Sequence[Clip], size: tuple[int, int]) -> Iterator[Image.Image]:
    last: Image.Image | None = None
    for clip in clips:
        for number, points in enumerate(draft.points(clip)):
            image = picture(points, size, clip.signer)
            if not number:
                yield from [last or image] * STILL
            last = image
            yield image
    if last is not None and not clips[-1].alone:
        yield from [last] * STILL
