"""A clip as a folder of numbered pictures: counted, and each looked at for its two ends.

A corpus has a million pictures, so none is decoded: a png or jpg that begins and ends as it should is taken for whole.
"""

from __future__ import annotations

import os
import re
import struct
from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from sonar_slt.data.faults import Fault
from sonar_slt.data.media.footage import LARGEST, Footage, content, inside
from sonar_slt.data.release import Span
from sonar_slt.data.unreadable import Unreadable

PICTURES = (".png", ".jpg", ".jpeg")
"""What the name of a picture ends in; any other file in the folder is a stray one."""

Size = tuple[int, int]

_HEAD, _TAIL, _HEADER = 512, 64, 1 << 18  # bytes read at the ends; a jpg's header may hold a preview and be long
_PNG, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
_JPG, _JPG_END = b"\xff\xd8\xff", b"\xff\xd9"
_JPG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # the markers of a frame's header


def pictures(folder: Path, span: Span | None = None, *, pattern: str = "*", fps: float | None = None) -> Footage:
    """The frames of a folder: every picture whose name matches, in the order of their numbers.

    A picture that cannot be read stays a frame where others are whole, and a gap in the numbers is not closed up: time
    is counted by the pictures that are there. A picture of another size than most counts as a stray one, and stays.
    """
    return framed(folder, span, pattern=pattern, fps=fps)[0]


def framed(
    folder: Path, span: Span | None = None, *, pattern: str = "*", fps: float | None = None
) -> tuple[Footage, list[Path]]:
    """What `pictures` tells, and the files of the frames in order."""
    named, strays = _listed(folder, pattern)
    faults = [_stray_files(strays, folder)] if strays else []
    gaps = _gaps([number for number, _ in named])
    if gaps:
        faults.append(_fault("missing_frame", f"lacks {_several(gaps, 'frame')} of '{folder.name}'"))
    files = [folder / name for _, name in named]
    if span is not None:
        kept, beyond = inside(len(files), span, fps, folder)
        files, faults = files[kept.start : kept.stop], [*faults, *beyond]
    bytes_and_sizes, broken = _looked_at(files)
    if files and len(broken) == len(files):
        raise Unreadable(f"None of the {len(files)} pictures in '{folder}' is whole; the first: {broken[files[0]]}")
    faults += _unlike(files, bytes_and_sizes, broken)
    known = [(file.name, length) for file, (length, _) in zip(files, bytes_and_sizes, strict=True)]
    size = Counter(size for _, size in bytes_and_sizes if size).most_common(1)
    footage = Footage(
        frames=len(files),
        fps=fps,
        size=size[0][0] if size else None,
        content=content(known, ends=[files[0], files[-1]] if files else []),
        faults=tuple(faults),
    )
    return footage, files


def _listed(folder: Path, pattern: str) -> tuple[list[tuple[int, str]], list[str]]:
    """The frames by number (-1 where none has one) and name, and the other things of the folder."""
    names, strays = [], []
    try:
        with os.scandir(folder) as found:
            for item in found:
                picture = item.name.lower().endswith(PICTURES) and not item.name.startswith(".")
                if picture and fnmatchcase(item.name, pattern) and item.is_file():
                    names.append(item.name)
                else:
                    strays.append(item.name)
    except OSError as error:
        raise Unreadable(f"'{folder}' cannot be read as a folder of pictures: {error.strerror or error}.") from error
    frames, others = _numbered(names)
    return frames, sorted([*strays, *others])


def _numbered(names: Sequence[str]) -> tuple[list[tuple[int, str]], list[str]]:
    """The pictures by their numbers, and those that have none or another's; of two the one named as most are stays.

    Of several numbers in a name the one counts that tells most pictures apart, the last of equal ones.
    """
    found = [[int(number) for number in re.findall(r"\d+", name.rpartition(".")[0])][::-1] for name in names]
    longest = max(map(len, found), default=0)
    place = max(range(longest), key=lambda place: len({each[place] for each in found if place < len(each)}), default=-1)
    if place < 0:
        return [(-1, name) for name in sorted(names)], []
    styles = [re.sub(r"\d+", "#", name) for name in names]
    usual = Counter(styles)
    frames: dict[int, str] = {}
    for name, numbers, _ in sorted(zip(names, found, styles, strict=True), key=lambda each: (-usual[each[2]], each[0])):
        if place < len(numbers):
            frames.setdefault(numbers[place], name)
    return sorted(frames.items()), sorted(set(names) - set(frames.values()))


def _gaps(numbers: Sequence[int]) -> list[str]:
    """The numbers that lack between the first and the last; only the first dozen of a wide gap."""
    there, lacking = set(numbers), []
    for number in range(min(there, default=0), max(there, default=0)):
        if number not in there:
            lacking.append(str(number))
        if len(lacking) > 12:
            break
    return lacking


def _looked_at(files: Sequence[Path]) -> tuple[list[tuple[int, Size | None]], dict[Path, str]]:
    """Length in bytes and size in pixels of each picture, and what is wrong with those that are not whole."""
    found: list[tuple[int, Size | None]] = []
    broken = {}
    for file in files:
        try:
            found.append(look(file))
        except Unreadable as error:
            broken[file] = str(error)
            found.append((file.stat().st_size if file.exists() else 0, None))
    return found, broken


def look(picture: Path) -> tuple[int, Size]:
    """Length in bytes, and width and height of a picture; raises `Unreadable` where its ends are not a picture's."""
    name = f"{picture.parent.name}/{picture.name}"
    try:
        with picture.open("rb", buffering=0) as stream:
            length = os.fstat(stream.fileno()).st_size
            head = stream.read(_HEAD)
            tail = os.pread(stream.fileno(), _TAIL, max(length - _TAIL, 0))
            if head.startswith(_JPG) and (size := _jpg_size(head)) is None:
                size = _jpg_size(head + stream.read(_HEADER))
    except OSError as error:
        raise Unreadable(f"'{name}' cannot be read: {error.strerror or error}.") from error
    if head.startswith(_PNG):
        size, end = _png_size(head), _PNG_END
    elif head.startswith(_JPG):
        end = _JPG_END
    else:
        raise Unreadable(f"'{name}' is " + ("no picture, neither png nor jpg." if length else "empty."))
    if size is None or end not in tail:
        raise Unreadable(f"'{name}' is cut short after {length} bytes.")
    if size[0] * size[1] > LARGEST:
        raise Unreadable(f"'{name}' has {size[0]} x {size[1]} pixels, more than {LARGEST:,}.")
    return length, size


def _png_size(head: bytes) -> Size | None:
    if len(head) < 33 or head[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def _jpg_size(head: bytes) -> Size | None:
    """From segment to segment until the one of the frame; None where the bytes end before."""
    place = 2
    while place + 9 <= len(head):
        if head[place] != 0xFF:
            return None
        marker = head[place + 1]
        if marker == 0xFF:  # a byte of padding
            place += 1
        elif marker in _JPG_SIZES:
            height, width = struct.unpack(">HH", head[place + 5 : place + 9])
            return width, height
        else:
            place += 2 + int(struct.unpack(">H", head[place + 2 : place + 4])[0])
    return None


def _unlike(files: Sequence[Path], found: Sequence[tuple[int, Size | None]], broken: dict[Path, str]) -> list[Fault]:
    """The faults of pictures that are not whole, and of those that are not of the size of most; one of each kind."""
    faults = []
    if broken:
        more = f" ({len(broken)} of {len(files)} pictures are not whole)" if len(broken) > 1 else ""
        faults.append(_fault("broken_frame", next(iter(broken.values())).rstrip(".") + more))
    sizes = Counter(size for _, size in found if size)
    if len(sizes) > 1:
        usual = sizes.most_common(1)[0][0]
        others = [file.name for file, (_, size) in zip(files, found, strict=True) if size and size != usual]
        told = f"has {_several(others, 'picture')} of another size than {usual[0]} x {usual[1]} pixels"
        faults.append(_fault("stray_file", told))
    return faults


def _stray_files(strays: Sequence[str], folder: Path) -> Fault:
    return _fault("stray_file", f"has {_several(strays, 'file')} in '{folder.name}' that is no frame of it")


def _several(names: Sequence[str], noun: str) -> str:
    """ "frame 7", or "3 frames (7, 8, 12)", or no more than a dozen of them."""
    if len(names) == 1:
        return f"{noun} {names[0]}"
    shown = ", ".join(names[:12])
    return f"more than 12 {noun}s ({shown}, ...)" if len(names) > 12 else f"{len(names)} {noun}s ({shown})"


def _fault(kind: str, told: str) -> Fault:
    return Fault(id="", kind=kind, told=told, done="kept")
