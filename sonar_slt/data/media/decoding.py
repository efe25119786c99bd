"""The pictures of a clip, decoded: a folder of pictures and a video, whole or a part, through one reader."""

from __future__ import annotations

from sonar_slt.data.media import frames_reel, video_reel
from sonar_slt.data.media.footage import cut
from sonar_slt.data.media.frames import framed
from sonar_slt.data.media.reel import Reel
from sonar_slt.data.media.video import video
from sonar_slt.data.release import Media


def decoded(media: Media, *, pattern: str = "*", fps: float | None = None, step: int = 1, threads: int = 1) -> Reel:
    """The frames 0, `step`, 2 · `step` ... of what `measure` counts, one after the other, in memory one at a time.

    `pattern` and `fps` are as for `measure`. Of a video all frames are decoded, of a folder only those asked for.
    `threads` decode a video together; 0 are as many as there are cores. `Unreadable` may come here, or while it runs.
    """
    if step < 1:
        raise ValueError(f"step is {step}: every first picture is the least")
    if media.kind == "frames":
        footage, files = framed(media.path, media.span, pattern=pattern, fps=fps)
        chosen = files[::step]
        shots = frames_reel.shots(chosen, footage.size)
        return Reel(shots, footage=footage, name=media.path.name, frames=len(chosen))
    if media.kind == "video":
        whole = video(media.path, fps=fps)
        footage, kept = cut(whole, media.span, media.path)
        shots = video_reel.shots(media.path, whole, kept, threads=threads)
        return Reel(shots, footage=footage, name=media.path.name, frames=len(kept), step=step)
    raise ValueError(f"'{media.path}' holds poses, and no pictures")
