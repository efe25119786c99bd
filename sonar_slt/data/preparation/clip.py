"""One entry of a release to one row of the manifest and the points that go beside it, or to the faults it bears.

The pictures are measured, the points are read, looked at, brought to the common layout, normalised and cast.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.faults import Fault
from sonar_slt.data.layout import Layout
from sonar_slt.data.layouts import convert, named
from sonar_slt.data.manifest import Row
from sonar_slt.data.media import Footage, measure
from sonar_slt.data.preparation.preparable import Preparable
from sonar_slt.data.preparation.seen import confidence, motion
from sonar_slt.data.recording import Recording
from sonar_slt.data.release import Entry
from sonar_slt.data.unreadable import Unreadable
from sonar_slt.errors import UserError

NEAR = 0.01
"""Frame rates that differ by less are the same: 23.976 is called 24 everywhere."""
Read = TypeVar("Read")
Points = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What became of an entry: a row and points (frames, points, 3), None where there is nothing to keep."""

    row: Row | None
    points: Points | None
    faults: Sequence[Fault] = ()


@dataclass(slots=True)
class _Look:
    """Faults as they are met while one entry is worked on."""

    entry: Entry
    faults: list[Fault] = field(default_factory=list)

    def add(self, kind: str, told: str, **options: Any) -> None:
        self.faults.append(Fault(id=self.entry.id, kind=kind, told=told, split=self.entry.split, **options))

    def take(self, faults: Sequence[Fault]) -> None:
        self.faults += [replace(fault, id=self.entry.id, split=self.entry.split) for fault in faults]

    def read(self, what: Callable[[], Read]) -> Read | None:
        try:
            return what()
        except Unreadable as error:
            self.add("unreadable", str(error))
            return None


def prepare_clip(corpus: Preparable, entry: Entry, *, layout: str | None) -> Prepared:
    """Work on one entry, whose points are stored in the layout of that name; None where the corpus has pictures alone.

    What cannot be read is a fault of the clip. Whatever else goes wrong is raised with the clip's id.
    """
    with _named(entry):
        return _prepared(corpus, entry, named(layout) if layout else None)


def first_layout(corpus: Preparable, entries: Iterable[Entry]) -> Layout | None:
    """How the points of the first clip that can be read are ordered."""
    for entry in entries:
        with _named(entry), suppress(Unreadable):
            if (recording := corpus.record(entry)) is not None:
                return recording.layout
    return None


@contextmanager
def _named(entry: Entry) -> Iterator[None]:
    """What goes wrong in the block is said of the clip."""
    try:
        yield
    except UserError as error:
        raise UserError(f"Clip {entry.id}: {error}") from error
    except OSError as error:
        raise UserError(f"Clip {entry.id}: '{error.filename}' cannot be read: {error.strerror or error}.") from error
    except Exception as error:
        raise RuntimeError(f"clip {entry.id} ({entry.where}): {type(error).__name__}: {error}") from error


def _prepared(corpus: Preparable, entry: Entry, layout: Layout | None) -> Prepared:
    look = _Look(entry)
    pictures, footage, rate = entry.pictures, None, entry.fps or corpus.frame_rate
    if pictures is not None and pictures.kind != "pose":
        footage = look.read(lambda: measure(pictures, pattern=corpus.pattern, fps=rate))
    size = footage.size if footage else None
    recording = look.read(lambda: corpus.record(entry, size=size)) if layout else None
    look.take(footage.faults if footage else ())
    if recording is not None:
        one_span = entry.pose is not None and pictures is not None and entry.pose.span == pictures.span
        cut = one_span and any(fault.kind == "span_beyond" for fault in look.faults)  # is told of the pictures
        look.take([fault for fault in recording.faults if not (cut and fault.kind == "span_beyond")])
    frames = footage.frames if footage and not layout else 0
    if recording is not None and (recording.points[..., 2] > 0).any():
        frames = len(recording)
    if recording is not None and not frames:
        look.add("empty_clip", "no point was seen in any frame" if len(recording) else "has no frame of points")
    elif footage and not footage.frames:
        look.add("empty_clip", "has no picture")
    _compare(corpus, look, footage, recording)
    if not frames:
        return Prepared(None, None, look.faults)
    points = _points(corpus, look, recording, layout) if recording is not None and layout else None
    return Prepared(_row(corpus, entry, footage, recording, frames), points, look.faults)


def _compare(corpus: Preparable, look: _Look, footage: Footage | None, recording: Recording | None) -> None:
    """Labels, pictures and points must tell one length and one frame rate, the corpus' own where it has one."""
    lengths = {"labels": look.entry.frames, "pictures": None, "points": None}
    rates = {"corpus": corpus.frame_rate, "labels": look.entry.fps, "pictures": None, "points": None}
    if footage is not None:
        lengths["pictures"], rates["pictures"] = footage.frames, footage.fps
    if recording is not None:
        lengths["points"], rates["points"] = len(recording), recording.fps
    told = {name: length for name, length in lengths.items() if length}  # one without a frame has a fault of its own
    if told and max(told.values()) - min(told.values()) > corpus.preparation.frame_tolerance:
        look.add("length_differs", ", ".join(f"{name} {length}" for name, length in told.items()) + " frames")
    known = {name: rate for name, rate in rates.items() if rate}
    if known and max(known.values()) - min(known.values()) > NEAR * max(known.values()):
        look.add("wrong_fps", ", ".join(f"{name} {rate:g}" for name, rate in known.items()) + " frames a second")


def _points(corpus: Preparable, look: _Look, recording: Recording, layout: Layout) -> Points:
    """The recording as it is stored, after a look at how well it was seen and whether anything moves."""
    asked = corpus.preparation
    seen, moved = confidence(recording.points, recording.layout), motion(recording.points, recording.layout)
    if seen < asked.least_confidence:
        look.add("low_confidence", f"seen with a confidence of {seen:.2f} on average")
    if moved is not None and moved < asked.least_motion:
        look.add("static_clip", f"no hand moves by more than {moved:.3f} widths of the shoulders")
    if asked.layout is None and recording.layout.name != layout.name:
        raise UserError(
            f"its points are {recording.layout.name}, those of the first clip {layout.name}: choose "
            "preparation.layout=signing, to which both can be brought."
        )
    points = convert(recording.points, recording.layout, layout)
    if asked.normalise is not None:
        points = asked.normalise(points, layout)
    with np.errstate(over="ignore"):
        cast = points.astype(asked.precision)
    if far := int((~np.isfinite(cast)).any(axis=-1).sum()):
        look.add(
            "bad_coordinate", f"{far} points lie too far out for {asked.precision}; they count as missing", done="cut"
        )
        cast[~np.isfinite(cast).all(axis=-1)] = 0
    return np.ascontiguousarray(cast)


def _row(corpus: Preparable, entry: Entry, footage: Footage | None, recording: Recording | None, frames: int) -> Row:
    media = entry.pictures or entry.pose
    span = media.span if media else None
    rates = (footage and footage.fps, recording.fps if recording else None, entry.fps, corpus.frame_rate)
    return Row(
        id=entry.id,
        corpus=corpus.name,
        split=entry.split,
        signer=clean(entry.signer),
        sign_language=corpus.sign_language,
        frames=frames,
        fps=next((float(rate) for rate in rates if rate), None),
        texts=_said(entry.texts),
        pseudo=_said(entry.pseudo),
        gloss=None if entry.gloss is None else clean(entry.gloss),
        source=_place(entry.pictures.path, corpus.release) if entry.pictures else None,
        span=(float(span.start), float(span.end)) if span else None,
        pose=_place(entry.pose.path, corpus.release) if entry.pose else None,
        content=_content(footage, recording),
        tags=tuple(clean(tag) for tag in entry.tags),
    )


def _content(footage: Footage | None, recording: Recording | None) -> str:
    """A hash of the points as they were read, whatever the file's format; of the pictures where there are no points."""
    if recording is None:
        return footage.content if footage else ""
    return hashlib.blake2b(np.ascontiguousarray(recording.points).tobytes(), digest_size=16).hexdigest()


def _place(path: Path, root: Path | None) -> str:
    """The path from the release's root where it lies inside, else the whole path."""
    if root is not None and path.is_relative_to(root):
        return clean(path.relative_to(root).as_posix())
    return clean(str(path.absolute()))


def _said(texts: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The sentences that say something, by language."""
    kept = {code: tuple(clean(text) for text in said if text.strip()) for code, said in texts.items()}
    return {code: said for code, said in kept.items() if said}


def clean(text: str) -> str:
    """The text as a file can hold it: half a character becomes '?'."""
    return text.encode("utf-8", "replace").decode("utf-8")
