"""The toy world as How2Sign is released: whole videos, realigned times, and OpenPose's json files of each sentence.

The tables are called csv, are separated by tabs, follow csv's quoting and have the line ends of Windows.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from sonar_slt.data.corpora.toy.written.clip import Clip, Draft, Points, Style, people_of
from sonar_slt.data.corpora.toy.written.filming import film, videos
from sonar_slt.data.corpora.toy.written.traps import LABELS, POINTS, VIDEOS, Trap, named, row_of, styled

LANGUAGE, FPS = "eng_Latn", None
SIZE = (1280, 720)
HEADER = ("VIDEO_ID", "VIDEO_NAME", "SENTENCE_ID", "SENTENCE_NAME", "START_REALIGNED", "END_REALIGNED", "SENTENCE")
NO_SIGNING = "fzrJBu2qsM8_11-8-rgb_front"
"""A clip that is known to show no signing."""
_USUAL = Style("\t", "\r\n")
_SPLITS = {"train": "train", "dev": "val", "test": "test"}
_PARTS = {
    "pose_keypoints": slice(0, 25),
    "face_keypoints": slice(25, 95),
    "hand_left_keypoints": slice(95, 116),
    "hand_right_keypoints": slice(116, 137),
}


def _table(clip: Clip) -> str:
    return f"how2sign_realigned_{_SPLITS[clip.split]}.csv"


TRAPS = {
    **LABELS,
    **VIDEOS,
    **POINTS,
    "known_bad": Trap("an id that is known for a clip without signing", "known_bad", named(NO_SIGNING)),
    "bad_row": Trap("a row of three fields", "bad_row", row_of("{}", "torn", "1.5"), named=_table),
    "line_feeds": Trap("the line ends of Unix", "", styled(Style("\t", "\n")), named=_table),
    "commas": Trap("commas for tabs", "", styled(Style(",", "\r\n")), split="dev", named=_table),
    "bom": Trap("a byte order mark", "", styled(Style("\t", "\r\n", bom=True)), split="test", named=_table),
}
"""The last of these are of whole tables."""


def write(draft: Draft) -> None:
    """Videos, points, then the three tables."""
    names: dict[int, tuple[str, str]] = {}
    for number, clips in enumerate(videos(draft.clips)):
        name = _video(number, clips)
        names.update({id(clip): name for clip in clips})
        _write_video(draft, clips, name[1])
    for split, ours in _SPLITS.items():
        style = draft.styles.get(split, _USUAL)
        rows = ([*names[id(clip)], clip.id, clip.id, *clip.span, clip.text] for clip in draft.labelled(split))
        table = style.quoted([HEADER, *rows, *draft.rows.get(split, [])])
        folder = draft.root / "sentence_level" / ours / "text" / "en" / "raw_text" / "re_aligned"
        folder.mkdir(parents=True)
        (folder / f"how2sign_realigned_{ours}.csv").write_bytes(table)


def _video(number: int, clips: list[Clip]) -> tuple[str, str]:
    """Id and name of a video; of the ids, which are of 11 letters, some start with - or _."""
    digest = blake2b("/".join(clip.entry.id for clip in clips).encode(), digest_size=9).digest()
    start = {0: "-", 1: "_"}.get(number % 4, "")
    name = (start + urlsafe_b64encode(digest).decode().lstrip("-_") + "0123456789")[:11]
    return name, f"{name}-{clips[0].signer}-rgb_front"


def _write_video(draft: Draft, clips: list[Clip], name: str) -> None:
    split = _SPLITS[clips[0].split]
    filmed = [clip for clip in clips if clip.filmed]
    path = draft.root / "video_level" / split / "rgb_front" / "raw_videos" / f"{name}.mp4"
    if filmed:
        film(draft, clips, path, SIZE)
    for clip in filmed:
        clip.pictures = path
        json_files = draft.root / "sentence_level" / split / "rgb_front" / "features" / "openpose_output" / "json"
        clip.points = json_files / clip.id
        _write_points(draft, clip)
        draft.advance(1)


def _write_points(draft: Draft, clip: Clip) -> None:
    clip.points.mkdir(parents=True)
    for number, people in enumerate(people_of(clip, draft.points(clip))):
        frame = {"version": 1.3, "people": [_person(person) for person in people]}
        _name(clip, number).write_text(json.dumps(frame, separators=(",", ":")), encoding="utf-8")


def _name(clip: Clip, number: int) -> Path:
    return clip.points / f"{clip.id}_{number:012d}_keypoints.json"


def _person(points: Points) -> dict[str, Any]:
    """As OpenPose writes one, with the toy's thousandths."""
    flat = np.round(points.astype(np.float64), 3)
    seen = {f"{part}_2d": flat[where].reshape(-1).tolist() for part, where in _PARTS.items()}
    return {"person_id": [-1], **seen, **{f"{part}_3d": [] for part in _PARTS}}
