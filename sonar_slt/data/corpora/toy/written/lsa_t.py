"""The toy world as LSA-T circulates: one table separated by semicolons, and videos of several sentences each.

Its column `split` is no split: it is a list, as Python writes it, of the pieces of a sentence and their times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b
from itertools import pairwise

from sonar_slt.data.corpora.toy.written.clip import Clip, Draft, Style
from sonar_slt.data.corpora.toy.written.filming import film, videos
from sonar_slt.data.corpora.toy.written.traps import (
    LABELS,
    VIDEOS,
    Trap,
    damaged_numbers,
    nowhere,
    row_of,
    styled,
)

LANGUAGE, FPS = "spa_Latn", None
SIZE = (640, 360)
HEADER = ("id", "text", "video", "playlist", "start", "end", "duration", "split", "prev_delta", "post_delta")
PLAYLIST = "toy_world"
_USUAL = Style(";", "\n")

TABLE, SPLITS = "meta.csv", "splits.csv"
"""The table; and one of ours, for the release has no splits."""

TRAPS = {
    **LABELS,
    **VIDEOS,
    "unlabelled_clip": replace(LABELS["unlabelled_clip"], named=lambda clip: clip.pictures.stem),
    "row_without_video": Trap("a row without video and times", "missing_clip", nowhere),
    "damaged_numbers": Trap("times that went through a spreadsheet", "", damaged_numbers),
    "bad_row": Trap("a row of three fields", "bad_row", row_of("{}", "torn", "1.5"), named=lambda _: TABLE),
    "bom": Trap("a byte order mark", "", styled(Style(";", "\n", bom=True)), named=lambda _: TABLE),
}
"""The last of these are of the whole table."""


def write(draft: Draft) -> None:
    """Videos, then the table."""
    before: dict[int, Clip] = {}
    names: dict[int, str] = {}
    for clips in videos(draft.clips):
        name = "resumen-" + blake2b("/".join(clip.entry.id for clip in clips).encode(), digest_size=5).hexdigest()
        names.update({id(clip): name for clip in clips})
        before.update({id(clip): former for former, clip in pairwise(clips)})
        _write_video(draft, [clip for clip in clips if clip.filmed], name)
    style = draft.styles.get("train", _USUAL)
    rows: list[Sequence[str]] = [HEADER]
    for split in ("train", "dev", "test"):
        rows += (_row(clip, names[id(clip)], before.get(id(clip))) for clip in draft.labelled(split))
        rows += draft.rows.get(split, [])
    (draft.root / TABLE).write_bytes(style.quoted(rows))
    splits = dict.fromkeys((clip.id, clip.split) for clip in draft.clips)
    (draft.root / SPLITS).write_text("".join(f"{id},{split}\n" for id, split in [("id", "split"), *splits]))


def _write_video(draft: Draft, clips: list[Clip], name: str) -> None:
    path = draft.root / "videos" / f"{name}.mp4"
    if clips:
        film(draft, clips, path, SIZE)
    for clip in clips:
        clip.pictures = path
        draft.advance(1)


def _row(clip: Clip, video: str, former: Clip | None) -> list[str]:
    start, end = clip.span
    middle, half = round((start + end) / 2, 2), len(clip.text) // 2
    pieces = [(clip.text[:half], start, middle), (clip.text[half:].strip(), middle, end)]
    since = 0.0 if former is None else start - former.span[1]
    numbers = [_number(number, damaged=clip.damaged) for number in (start, end, end - start)]
    if clip.nowhere:
        return [clip.id, clip.text, "", "", "", "", "", "", "0.0", "0.0"]
    return [clip.id, clip.text, video, PLAYLIST, *numbers, repr(pieces), repr(since), "0.0"]


def _number(number: float, *, damaged: bool) -> str:
    """As Python writes it, or as a spreadsheet makes of it that takes the point for a separator of thousands."""
    if not damaged:
        return repr(number)
    digits = repr(number + 3e-15).replace(".", "").lstrip("0")
    kept = int(digits[:15].ljust(len(digits), "0"))
    return f"{kept:,}".replace(",", ".")
