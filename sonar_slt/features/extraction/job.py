"""The extraction job: clip after clip of a manifest into a clip store beside it, in shards; killed, it goes on.

Which clips are worked on together is fixed by the manifest: neither a kill nor the number of shards changes a bit. A
shard appears whole by one rename.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from sonar_slt.data.faults import Fault
from sonar_slt.data.feature_store import FEATURES, shard_name, whole
from sonar_slt.data.manifest import Row
from sonar_slt.data.prepared_folder import FAULTS, SUMMARY
from sonar_slt.data.store import StoreWriter
from sonar_slt.data.store.shards import DESCRIBED, JOURNAL
from sonar_slt.errors import UserError
from sonar_slt.features.extraction.made import Feature, Filmed, Made
from sonar_slt.files import replace_folder, write_atomically, write_json
from sonar_slt.progress import paced

CHUNK = 2048
"""Frames of clips that are worked on together; what is under way when a job is killed is done again."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """A shard of features: its folder, what it holds, and whether it was made now."""

    folder: Path
    summary: Mapping[str, Any]
    made: bool = False

    @property
    def faults(self) -> Path:
        """One json line per fault."""
        return self.folder / FAULTS


def extract(
    corpus: Filmed,
    feature: Feature,
    *,
    name: str,
    plan: Mapping[str, Any] | None = None,
    shard: tuple[int, int] = (1, 1),
    workers: int = 0,
    shown: bool = True,
) -> Extracted:
    """Bring one shard, `shard` of so many counted from 1, of the features called `name` to disk unless it is there.

    `plan` is what decides last bits and no more: a shard that was begun by another plan is not gone on with.
    """
    settings = {**feature.described(), "camera": dict(corpus.camera())}
    folder = corpus.prepared / FEATURES / f"{name}-{settings_hash(settings)}"
    there = [path for path in whole(folder) if path.name == shard_name(*shard)] or whole(folder)[:1]
    if there and (found := _outcome(there[0])):
        return found
    final = folder / shard_name(*shard)
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f".{final.name}.lock"):
        if found := _outcome(final):  # another process was faster
            return found
        described = {
            **{"track": feature.track, "name": name, "settings": settings, "plan": dict(plan or {})},
            **{"media": corpus.rows.media_digest, "layout": settings.get("layout", ""), "normalised": ""},
        }
        job = _Job(corpus, feature, folder / f".{final.name}.part", described, shown=shown)
        job.run(_shard(chunks(corpus.rows), *shard), workers)
        replace_folder(job.part, final)
    made = _outcome(final)
    assert made is not None
    return Extracted(made.folder, made.summary, made=True)


def settings_hash(settings: Mapping[str, Any]) -> str:
    """Eight digits of the hash of everything that decides a value."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]


def chunks(rows: Sequence[Row]) -> list[list[Row]]:
    """The clips in the manifest's order, so many frames together."""
    found: list[list[Row]] = []
    held = CHUNK
    for row in rows:
        if held >= CHUNK:
            found.append([])
            held = 0
        found[-1].append(row)
        held += row.frames
    return found


def _shard(planned: Sequence[list[Row]], number: int, of: int) -> list[list[Row]]:
    if not 1 <= number <= of:
        raise UserError(f"shard={number}/{of}: shards are counted from 1/{of} to {of}/{of}.")
    return list(planned[number - 1 :: of])


def _outcome(folder: Path) -> Extracted | None:
    try:
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return Extracted(folder, summary) if (folder / DESCRIBED).is_file() else None


class _Job:
    """One shard, from the first clip that is not there yet to the last."""

    def __init__(
        self, corpus: Filmed, feature: Feature, part: Path, described: Mapping[str, Any], *, shown: bool
    ) -> None:
        self.corpus, self.feature, self.part = corpus, feature, part
        self.described, self.shown = described, shown
        self.notes: list[dict[str, Any]] = []

    def run(self, planned: Sequence[Sequence[Row]], workers: int) -> None:
        """The clips of the planned chunks into the store, and what was wrong with them beside it."""
        rows = [row for chunk in planned for row in chunk]
        if (self.part / SUMMARY).is_file() and not (self.part / JOURNAL).is_file():
            return  # killed between the last byte and the rename
        writer = self._resumed(rows)
        try:
            done = len(self.notes)
            with paced(f"Extracting {self.described['name']}", _frames(rows), shown=self.shown) as advance:
                advance(_frames(rows[:done]), False)
                for made in self._made(planned, done, workers):
                    note = self._note(made)
                    writer.append(made.row.id, made.values, note)
                    self.notes.append(note)
                    advance(made.row.frames, True)
            self._write_down()
            writer.finish()
        finally:
            writer.close()

    def _made(self, planned: Sequence[Sequence[Row]], done: int, workers: int) -> Iterator[Made]:
        """What is still to do: whole chunks, of the first of which some clips may be there."""
        left, behind = list(planned), done
        while left and behind >= len(left[0]):
            behind -= len(left.pop(0))
        made = self.feature.made(self.corpus, left, workers=workers)
        for number, one in enumerate(made):
            if number >= behind:
                yield one

    def _resumed(self, rows: Sequence[Row]) -> StoreWriter:
        """The store as far as an earlier job came and the clips are the same since."""
        writer = self._writer()
        notes = writer.recovered
        same = next((n for n, note in enumerate(notes) if n >= len(rows) or note["id"] != rows[n].id), len(notes))
        if same < len(notes):
            writer.close()
            writer = self._writer(keep=same)
        self.notes = list(writer.recovered)
        if notes and self.shown:
            print(f"Going on behind clip {same:,} of {len(rows):,}.")
        return writer

    def _writer(self, keep: int | None = None) -> StoreWriter:
        return StoreWriter(
            self.part, shape=self.feature.shape, dtype=self.feature.dtype, described=self.described, keep=keep
        )

    def _note(self, made: Made) -> dict[str, Any]:
        """What the journal remembers of a clip."""
        faults = [*made.faults, *self._length(made)]
        told = [{**asdict(fault), "id": made.row.id, "split": made.row.split} for fault in faults]
        return {"id": made.row.id, "frames": made.frames, "kept": made.values is not None, "faults": told}

    def _length(self, made: Made) -> Iterator[Fault]:
        """The fault of a clip whose pictures are not as many as the manifest has frames."""
        if made.values is not None and made.frames and abs(made.frames - made.row.frames) > 1:
            told = f"pictures {made.frames}, manifest {made.row.frames} frames"
            yield Fault(id=made.row.id, kind="length_differs", told=told, done="kept")

    def _write_down(self) -> None:
        """Faults and summary, from the journal: nothing in them depends on when or how it was made."""
        faults = [fault for note in self.notes for fault in note["faults"]]
        lines = (json.dumps(fault, ensure_ascii=False) + "\n" for fault in faults)
        write_atomically(self.part / FAULTS, "".join(lines))
        kinds: dict[str, int] = {}
        for fault in faults:
            kinds[fault["kind"]] = kinds.get(fault["kind"], 0) + 1
        kept = [note for note in self.notes if note["kept"]]
        summary = {
            **{"name": self.described["name"], "track": self.feature.track, "clips": len(kept)},
            **{"left_out": len(self.notes) - len(kept), "frames": sum(note["frames"] for note in kept)},
            **{"faults": dict(sorted(kinds.items())), "settings": self.described["settings"]},
        }
        write_json(self.part / SUMMARY, summary)


def _frames(rows: Sequence[Row]) -> int:
    return sum(row.frames for row in rows)
