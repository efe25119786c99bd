"""What becomes of a clip with faults: left out where a rule of the config says so, else kept; never in silence.

A clip of which nothing can be kept stops the job unless a rule covers it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sonar_slt.data.faults import Fault
from sonar_slt.data.preparation.checks import check
from sonar_slt.data.preparation.clip import Prepared
from sonar_slt.data.preparation.settings import OF_NO_CLIP, UNUSABLE, Preparation
from sonar_slt.data.release import Entry, Reading
from sonar_slt.errors import UserError

NO_FILE = ("bad_id", "duplicate_id", "missing_split", "span_empty")
"""Kinds that are known before a clip is opened and leave nothing to keep."""


class Rules:
    """The faults that are known from the labels, and what is done about these and about those met later."""

    def __init__(self, reading: Reading, preparation: Preparation) -> None:
        self.entries, self.preparation = reading.entries, preparation
        self.of_clips = check(reading.entries, repeats=preparation.repeats)
        self.of_labels: list[Fault] = []
        self._add_read(reading.faults)

    def _add_read(self, faults: Sequence[Fault]) -> None:
        """A reader's fault goes to the first entry of that id and split, or stays a fault of the labels."""
        exact: dict[tuple[str, str], int] = {}
        by_id: dict[str, int] = {}
        for place, entry in enumerate(self.entries):
            exact.setdefault((entry.id, entry.split), place)
            by_id.setdefault(entry.id, place)
        for fault in faults:
            known = exact.get((fault.id, fault.split), None if fault.split else by_id.get(fault.id))
            if known is None or fault.kind in OF_NO_CLIP:
                self.of_labels.append(fault)
            else:
                self.of_clips.setdefault(known, []).append(fault)

    def opens(self, place: int) -> bool:
        """Whether a clip must be looked at; not if what the labels say leaves it out already."""
        entry, kinds = self.entries[place], {fault.kind for fault in self.of_clips.get(place, ())}
        if kinds & self.preparation.leave_out:
            return False
        if kinds & set(NO_FILE) or (entry.pictures is None and entry.pose is None and "missing_clip" in kinds):
            raise self._unruled(entry, self.of_clips[place])
        return True

    def left_out_by(self, place: int) -> str:
        """The rule that leaves out a clip which is not opened."""
        return next(fault.kind for fault in self.of_clips[place] if fault.kind in self.preparation.leave_out)

    def judge(self, place: int, prepared: Prepared) -> tuple[Prepared, str | None]:
        """A clip with all its faults and what was done; the kind that left it out, None where it is kept."""
        entry = self.entries[place]
        faults = [*self.of_clips.get(place, ()), *prepared.faults]
        if prepared.row is None and not {fault.kind for fault in faults} & {*UNUSABLE, *self.preparation.leave_out}:
            told = "nothing of it can be stored: it has no points" if entry.pictures else "there is nothing of it"
            faults.append(Fault(id=entry.id, kind="missing_clip", told=told, split=entry.split))
        rule = next((fault.kind for fault in faults if fault.kind in self.preparation.leave_out), None)
        if rule is not None:
            return Prepared(None, None, [replace(fault, done="left out") for fault in faults]), rule
        if prepared.row is None:
            raise self._unruled(entry, faults)
        kept = [replace(fault, done="cut" if fault.done == "cut" else "kept") for fault in faults]
        return Prepared(prepared.row, prepared.points, kept), None

    def require_splits(self, left_out: Mapping[int, str], known: Iterable[str] = ()) -> None:
        """Refuse a split of which nothing remains; `known` are those that the release must have."""
        there = Counter(entry.split for entry in self.entries if entry.split.strip())
        if not self.entries:
            raise UserError("The label files name no clip at all.")
        if empty := [split for split in known if split not in there]:
            raise UserError(f"The label files name no clip of the split {empty[0]}.")
        gone = Counter(self.entries[place].split for place in left_out)
        if empty := [split for split, number in there.items() if gone[split] == number]:
            why = Counter(kind for place, kind in left_out.items() if self.entries[place].split == empty[0])
            told = ", ".join(f"{number} {kind}" for kind, number in why.most_common())
            raise UserError(
                f"No clip of the split {empty[0]} can be kept: {there[empty[0]]} in the labels, left out for {told} "
                f"(the first: {self._first(empty[0], left_out)})."
            )

    def _first(self, split: str, left_out: Mapping[int, str]) -> str:
        place = next(place for place in sorted(left_out) if self.entries[place].split == split)
        fault = next((fault for fault in self.of_clips.get(place, ()) if fault.kind == left_out[place]), None)
        name = self.entries[place].id or self.entries[place].where
        return f"{name}: {fault.told}" if fault else name

    def _unruled(self, entry: Entry, faults: Sequence[Fault]) -> UserError:
        found = next(fault for fault in faults if fault.kind in UNUSABLE)
        rules = ",".join(sorted({*self.preparation.leave_out, *UNUSABLE}))
        return UserError(
            f"Clip {entry.id or entry.where} cannot be kept, and no rule leaves it out: {found.kind}, "
            f"{found.told.rstrip('.')}. Mend the release, or leave such clips out, and those with any other fault of "
            f"which nothing can be kept: preparation.leave_out=[{rules}]."
        )
