"""The pictures of a clip: how many, at what rate, how large, whether they are whole; and decoded, one after the other.

What can be asked of a folder of pictures and of a video is the same; a span of a longer recording is cut here for both.

Footage is what was measured of pictures, a reel the decoded ones of one file or folder. What a corpus gives to whoever
looks at a clip, read or drawn, is a film (`data/film`); what a web page shows of it is a film strip (`data/filmstrip`).
"""

from __future__ import annotations

from sonar_slt.data.media.decoding import decoded
from sonar_slt.data.media.footage import Footage, cut
from sonar_slt.data.media.frames import pictures
from sonar_slt.data.media.reel import Reel
from sonar_slt.data.media.video import video
from sonar_slt.data.release import Media

__all__ = ["Footage", "Reel", "decoded", "measure"]


def measure(media: Media, *, pattern: str = "*", fps: float | None = None) -> Footage:
    """The pictures of one clip, without decoding them.

    A folder's frames are the pictures that match `pattern`, at the rate `fps`, for a folder has none; a video's rate is
    its own. A recording that cannot be opened raises `Unreadable`; what is wrong inside it is a fault of the clip. No
    frame at all is no fault here: `frames` is 0.
    """
    if media.kind == "frames":
        return pictures(media.path, media.span, pattern=pattern, fps=fps)
    if media.kind == "video":
        return cut(video(media.path, fps=fps), media.span, media.path)[0]
    raise ValueError(f"'{media.path}' holds poses; the pose readers measure it")
