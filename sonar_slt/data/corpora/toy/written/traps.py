"""What is wrong with released corpora, one trap each: which clip is touched, what is done, and which fault that makes.

A trap touches clips that no other one touches, so that the faults of a release are exactly those that were planted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from sonar_slt.data.corpora.toy.written.clip import Clip, Draft, People, Planted, Points, Style
from sonar_slt.errors import UserError

Change = Callable[[Draft, Clip, Clip], None]
"""Changes a clip; the second clip is another one of train, untouched by any other trap, for `partner` alone."""


@dataclass(frozen=True, slots=True)
class Trap:
    """One trap: what it is, what it plants, and how."""

    told: str
    kind: str  # of the fault; "" for none
    change: Change
    split: str = "train"  # where its clip is taken from
    partner: bool = False  # whether it needs a second clip
    named: Callable[[Clip], str] | None = None  # the id by which the faults are told, None for the clip's own


def plant(draft: Draft, table: Mapping[str, Trap], traps: Sequence[str]) -> list[tuple[str, Trap, Clip]]:
    """Change the clips of a draft; who is touched depends on the world, the table and the traps alone."""
    if unknown := [name for name in traps if name not in table]:
        raise UserError(f"There is no trap '{unknown[0]}' in this layout; there are {', '.join(table)}.")
    free = {split: iter([clip for clip in draft.clips if clip.split == split]) for split in ("train", "dev", "test")}
    for clips in free.values():
        next(clips, None)  # one clip of each split stays as it is, whatever the traps
    planted = []
    for name in (name for name in table if name in traps):
        trap = table[name]
        other = next(free["train"], None) if trap.partner else draft.clips[0]
        clip = next(free[trap.split], None)
        if clip is None or other is None:
            raise UserError(
                f"The world is too small for all of these traps: '{name}' finds no clip of {trap.split} untouched."
            )
        trap.change(draft, clip, other)
        planted.append((name, trap, clip))
    return planted


def told(planted: Sequence[tuple[str, Trap, Clip]]) -> list[Planted]:
    """The faults that were planted, once everything is written."""
    return [Planted(trap.named(clip) if trap.named else clip.id, trap.kind, name) for name, trap, clip in planted]


# what the labels say


def _repeat_row(_: Draft, clip: Clip, __: Clip) -> None:
    clip.rows = 2


def _no_row(_: Draft, clip: Clip, __: Clip) -> None:
    clip.rows = 0
    clip.alone = True


def _no_text(_: Draft, clip: Clip, __: Clip) -> None:
    clip.text = ""


def _same_text(_: Draft, clip: Clip, other: Clip) -> None:
    clip.text = other.text


def _quoted(_: Draft, clip: Clip, __: Clip) -> None:
    clip.text = f'"{clip.text}", so'


def _misread(_: Draft, clip: Clip, __: Clip) -> None:
    """The sentence and one more word, with the bytes of its letters taken for letters each."""
    clip.text = f"{clip.text} it’s".encode().decode("latin-1")


def named(id: str) -> Change:
    """The clip under a given id."""

    def change(_: Draft, clip: Clip, __: Clip) -> None:
        clip.id = id

    return change


def _astray(id: str) -> Change:
    """A row whose id leads to another folder; there is nothing of it there."""

    def change(_: Draft, clip: Clip, __: Clip) -> None:
        clip.id, clip.filmed, clip.alone = id, False, True

    return change


def row_of(*fields: str) -> Change:
    """One more row, of too few fields."""

    def change(draft: Draft, clip: Clip, _: Clip) -> None:
        draft.rows.setdefault(clip.split, []).append([field.format(clip.id) for field in fields])
        clip.rows, clip.filmed, clip.alone = 0, False, True

    return change


def listed(name: str, id: str | None = None) -> Change:
    """The clip under a given id, and the list of splits with another one in its place, or without it."""

    def change(_: Draft, clip: Clip, __: Clip) -> None:
        clip.id, clip.listed = id or clip.id, name

    return change


def nowhere(_: Draft, clip: Clip, __: Clip) -> None:
    """A row without video and times."""
    clip.nowhere, clip.filmed, clip.alone = True, False, True


def styled(style: Style) -> Change:
    """The whole label file of the clip's split in another style."""

    def change(draft: Draft, clip: Clip, _: Clip) -> None:
        draft.styles[clip.split] = style

    return change


def _claims_more(_: Draft, clip: Clip, __: Clip) -> None:
    clip.told = clip.frames + 10


def damaged_numbers(_: Draft, clip: Clip, __: Clip) -> None:
    """The row's times as a spreadsheet leaves them."""
    clip.damaged = True


# where the clip lies


def _not_there(_: Draft, clip: Clip, __: Clip) -> None:
    clip.filmed, clip.alone = False, True


def _longer(_: Draft, clip: Clip, __: Clip) -> None:
    clip.length, clip.alone = clip.frames / clip.fps + 0.8, True


def _no_length(_: Draft, clip: Clip, __: Clip) -> None:
    clip.length = 0.0


def _unsteady(_: Draft, clip: Clip, __: Clip) -> None:
    clip.steady, clip.alone = False, True


# its files


def _later(damage: Callable[[Clip], None], *, alone: bool = False) -> Change:
    def change(draft: Draft, clip: Clip, _: Clip) -> None:
        clip.alone = clip.alone or alone
        draft.later.append(partial(damage, clip))

    return change


def _middle(folder: Path) -> Path:
    files = sorted(folder.iterdir())
    return files[len(files) // 2]


def _halve(file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])


def _empty(clip: Clip) -> None:
    for file in clip.pictures.iterdir():
        file.unlink()


def _stray(clip: Clip) -> None:
    (clip.pictures / "createDnnTrainingLabels-profile.py.lprof").write_bytes(b"\x00profile")


# its points


def _people(change_people: Callable[[People], People]) -> Change:
    def change(_: Draft, clip: Clip, __: Clip) -> None:
        clip.people = change_people

    return change


def _scaled(*factors: float) -> Points:
    return np.array(factors, np.float32)


def _unseen(people: People) -> People:
    return [[np.zeros_like(person) for person in frame] for frame in people]


def _frozen(people: People) -> People:
    return [people[len(people) // 2]] * len(people)


def _doubtful(people: People) -> People:
    return [[person * _scaled(1, 1, 0.1) for person in frame] for frame in people]


def _not_numbers(people: People) -> People:
    hurt = [[person.copy() for person in frame] for frame in people]
    hurt[2][0][4] = hurt[3][0][[60, 100], 0] = np.nan
    return hurt


def _gone(people: People) -> People:
    return [[] if number in (3, 4) else frame for number, frame in enumerate(people)]


def _watched(people: People) -> People:
    """Somebody stands beside the signer, smaller and less clearly seen, first in the list of every other frame."""
    frames = []
    for number, (signer,) in enumerate(people):
        beside = people[0][0] * _scaled(0.5, 0.5, 0.4) + _scaled(700, 300, 0) * (people[0][0][:, 2:] > 0)
        frames.append([beside, signer] if number % 2 else [signer, beside])
    return frames


def _shorter(people: People) -> People:
    return people[:-5]


LABELS = {
    "unlabelled_clip": Trap("a clip that no row names", "unlabelled_clip", _no_row),
    "duplicate_id": Trap("a row that stands twice", "duplicate_id", _repeat_row),
    "empty_text": Trap("a row without a sentence", "empty_text", _no_text),
    "duplicate_sentence": Trap("two clips with one sentence", "duplicate_sentence", _same_text, partner=True),
    "leak": Trap("a sentence of train in dev", "leak", _same_text, split="dev", partner=True),
    "mojibake": Trap("a sentence whose letters were misread", "mojibake", _misread),
    "quotes": Trap("a sentence with quotation marks, to be read as it is", "", _quoted),
    "id_with_slash": Trap("an id with a slash", "bad_id", _astray("clips/outside")),
    "id_with_dots": Trap("an id that leads out of the folder", "bad_id", _astray("../../outside")),
    "missing_clip": Trap("a row whose clip is not there", "missing_clip", _not_there),
}
"""Traps of every layout."""

FOLDERS = {
    "empty_clip": Trap("a folder without a picture", "empty_clip", _later(_empty)),
    "truncated_picture": Trap(
        "a picture cut short", "broken_frame", _later(lambda clip: _halve(_middle(clip.pictures)))
    ),
    "stray_file": Trap("a file of a profiler among the pictures", "stray_file", _later(_stray)),
    "missing_frame": Trap(
        "a gap in the numbers", "missing_frame", _later(lambda clip: _middle(clip.pictures).unlink())
    ),
}
"""Traps of pictures in folders."""

VIDEOS = {
    "span_beyond": Trap("a span that ends behind the video", "span_beyond", _longer),
    "span_empty": Trap("a span that ends where it starts", "span_empty", _no_length),
    "truncated_video": Trap("a video cut short", "unreadable", _later(lambda clip: _halve(clip.pictures), alone=True)),
    "varying_fps": Trap("a video whose frame rate varies", "wrong_fps", _unsteady),
}
"""Traps of videos."""

POINTS = {
    "no_point": Trap("a clip without a point that was seen", "empty_clip", _people(_unseen)),
    "static_clip": Trap("a clip in which nothing moves", "static_clip", _people(_frozen)),
    "low_confidence": Trap("a clip that was hardly seen", "low_confidence", _people(_doubtful)),
    "not_a_number": Trap("coordinates that are NaN", "bad_coordinate", _people(_not_numbers)),
    "no_person": Trap("frames without a person", "no_person", _people(_gone)),
    "several_people": Trap("frames with two people in changing order", "several_people", _people(_watched)),
    "length_differs": Trap("fewer frames of points than of the video", "length_differs", _people(_shorter)),
    "truncated_points": Trap(
        "a frame's points cut short", "broken_frame", _later(lambda clip: _halve(_middle(clip.points)))
    ),
    "missing_points": Trap(
        "a gap in the numbers of the points", "missing_frame", _later(lambda clip: _middle(clip.points).unlink())
    ),
}
"""Traps of points in json files."""

CLAIMED = Trap("a row that claims another number of frames", "length_differs", _claims_more)
