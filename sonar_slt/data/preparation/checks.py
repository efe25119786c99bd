"""What can be seen from the labels alone, over all entries: ids, splits, spans, sentences that are empty or come twice.

Every check gives the place of an entry and what is wrong with it; ids may come twice, places do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite

from sonar_slt.data.faults import Fault
from sonar_slt.data.release import Entry, Media, Span

Found = Iterator[tuple[int, Fault]]
"""Places in the sequence of entries, each with a fault."""


def check(entries: Sequence[Entry], *, repeats: bool = True) -> dict[int, list[Fault]]:
    """Everything that is wrong with each entry, by its place; `repeats` says whether equal sentences count."""
    faults: dict[int, list[Fault]] = {}
    checks = [ids(entries), splits(entries), spans(entries), texts(entries), leaks(entries)]
    for found in [*checks, *([repeated(entries)] if repeats else [])]:
        for place, fault in found:
            faults.setdefault(place, []).append(fault)
    return faults


def ids(entries: Sequence[Entry]) -> Found:
    """Ids that cannot name a file, and ids that came before."""
    first: dict[str, Entry] = {}
    for place, entry in enumerate(entries):
        if why := bad_id(entry.id):
            yield place, _fault(entry, "bad_id", f"the id {entry.id!r} {why} ({entry.where})")
        if (former := first.setdefault(entry.id, entry)) is not entry:
            yield place, _fault(entry, "duplicate_id", f"has the id of {former.where} again ({entry.where})")


def bad_id(id: str) -> str | None:
    """Why an id cannot name a file, None where it can."""
    if not id.strip():
        return "is empty"
    if sign := next((sign for sign in id if sign in "/\\" or ord(sign) < 32 or 127 <= ord(sign) < 160), None):
        return f"holds {sign!r}"
    if id.startswith("."):
        return "begins with a dot"
    if any(0xD800 <= ord(sign) < 0xE000 for sign in id):
        return "holds half a character"
    return "is longer than a file's name may be" if len(id.encode()) > 200 else None


def splits(entries: Sequence[Entry]) -> Found:
    """Clips whose split is not told."""
    for place, entry in enumerate(entries):
        if not entry.split.strip():
            yield place, _fault(entry, "missing_split", f"no split is told ({entry.where})")


def spans(entries: Sequence[Entry]) -> Found:
    """Spans that hold no time."""
    for place, entry in enumerate(entries):
        for media in (entry.pictures, entry.pose):
            if media is not None and media.span is not None and (why := _wrong(media.span)):
                yield place, _fault(entry, "span_empty", f"the span {_told(media)} {why} ({entry.where})")
                break


def _wrong(span: Span) -> str | None:
    if not (isfinite(span.start) and isfinite(span.end)):
        return "is no time"
    if span.start < 0:
        return "starts before the recording"
    if span.end < span.start:
        return "ends before it starts"
    return "has no length" if span.end == span.start else None


def _told(media: Media) -> str:
    assert media.span is not None
    return f"from {media.span.start:g} s to {media.span.end:g} s of '{media.path.name}'"


def texts(entries: Sequence[Entry]) -> Found:
    """Clips without a sentence in any language, and sentences that no file can hold."""
    for place, entry in enumerate(entries):
        said = [text for _, text in sentences(entry, machines=True)]
        if not said:
            yield place, _fault(entry, "empty_text", f"has no sentence ({entry.where})")
        if broken := next((text for text in said if any(0xD800 <= ord(sign) < 0xE000 for sign in text)), None):
            yield place, _fault(entry, "mojibake", f"{broken!r} holds half a character, told as '?' ({entry.where})")


def sentences(entry: Entry, *, machines: bool = False) -> Iterator[tuple[str, str]]:
    """Language and text of every sentence that says something."""
    origins: list[Mapping[str, tuple[str, ...]]] = [entry.texts, *([entry.pseudo] if machines else [])]
    for origin in origins:
        for code, said in origin.items():
            for text in said:
                if text.strip():
                    yield code, text


def repeated(entries: Sequence[Entry]) -> Found:
    """Clips with a sentence that an earlier clip of the split has, word for word; the first of these is named."""
    first: dict[tuple[str, str, str], int] = {}
    for place, entry in enumerate(entries):
        told = False
        for code, text in sentences(entry):
            former = first.setdefault((entry.split, code, text), place)
            if former != place and not told and entries[former].id != entry.id:
                yield place, _fault(entry, "duplicate_sentence", f"{code} as in {entries[former].id}: {text}")
                told = True


def leaks(entries: Sequence[Entry]) -> Found:
    """Clips of other splits with a sentence that train has, word for word; the first clip of train is named."""
    learned: dict[tuple[str, str], str] = {}
    for entry in entries:
        if entry.split == "train":
            for said in sentences(entry):
                learned.setdefault(said, entry.id)
    for place, entry in enumerate(entries):
        if entry.split.strip() and entry.split != "train":
            known = next((said for said in sentences(entry) if said in learned), None)
            if known is not None:
                yield place, _fault(entry, "leak", f"{known[0]} as in {learned[known]} of train: {known[1]}")


def _fault(entry: Entry, kind: str, told: str) -> Fault:
    return Fault(id=entry.id, kind=kind, told=told, split=entry.split)
