"""All runs in a folder: read, listed, and found by a word that a person would type.

A record that cannot be read is listed as such; a run whose process is gone is killed, though its file says running.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from sonar_slt.errors import UserError, nearest
from sonar_slt.runs.folder import RECORD, checkpoint_of, checkpoints_of, is_run, log_of
from sonar_slt.runs.provenance.identity import identity
from sonar_slt.runs.provenance.process import is_local, why_gone
from sonar_slt.runs.unparsed import Unparsed, read_fields

Status = Literal["running", "finished", "failed", "killed", "unreadable"]
LIST = "`sonar-slt runs` lists all."


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is known of one run. `facts` holds the fields of the record that have no name here."""

    folder: Path
    id: str
    verb: str = ""
    name: str = ""
    status: Status = "unreadable"
    reason: str | None = None
    started: datetime | None = None
    ended: datetime | None = None
    seconds: float | None = None
    parent: str | None = None
    git: Mapping[str, Any] | None = None
    lock_hash: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    device: str | None = None
    seed: int | None = None
    argv: tuple[str, ...] = ()
    process: Mapping[str, Any] = field(default_factory=dict)
    manifest_hash: str | None = None
    space_fingerprint: str | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def checkpoints(self) -> Path:
        """The folder where the run's weights lie, if it wrote any."""
        return checkpoints_of(self.folder)

    @property
    def goes_on_with(self) -> str | None:
        """The training that this one continues. A rerun's parent is the run that it does again from the beginning."""
        return self.parent if self.verb == "train" and not self.facts.get("rerun_of") else None

    @property
    def elsewhere(self) -> str | None:
        """The host that a running run is on, where that is another one: whether it still lives cannot be seen here."""
        away = self.status == "running" and bool(self.process) and not is_local(self.process)
        return str(self.process.get("host") or "an unknown host") if away else None


NAMED = frozenset(Record.__dataclass_fields__) - {"facts", "folder"}
"""Fields of a record that have a name here."""


def read(folder: Path) -> Record:
    """The record of one run folder. A damaged one comes back with status `unreadable` and the reason."""
    found = _read(folder)
    if found is None:
        raise UserError(f"{folder} is not a run folder (it has no record.json): {LIST}")
    if isinstance(found.metrics, Unparsed):
        if found.metrics.damaged:
            return replace(_nobody(folder), reason="record.json cannot be read: its metrics are no json")
        return replace(found, metrics=dict(found.metrics))
    return found


def all_runs(root: Path) -> list[Record]:
    """Every run in `root`, the newest first; folders without a record are none. An absent root has no runs.

    Their metrics are parsed when they are looked at, which keeps long lists quick.
    """
    if not root.is_dir():
        return []
    with os.scandir(root) as entries:
        names = sorted((entry.name for entry in entries), reverse=True)
    return [run for name in names if (run := _read(root / name)) is not None]


def _read(folder: Path) -> Record | None:
    """The record of a folder, its metrics unparsed; None where it has none."""
    record = _written(folder)
    if record is None or record.status != "running" or (reason := why_gone(record.process)) is None:
        return record
    record = _written(folder)  # it may have ended properly between the two looks
    if record is None or record.status != "running":
        return record
    lived = last_written(folder) - record.started.timestamp() if record.started else 0.0
    return replace(record, status="killed", reason=reason, seconds=max(record.seconds or 0.0, lived))


def last_written(folder: Path) -> float:
    """When a run last gave a sign of life, as a time of the clock."""
    times = [path.stat().st_mtime for name in (RECORD, log_of("train")) if (path := folder / name).is_file()]
    return max(times, default=0.0)


def _written(folder: Path) -> Record | None:
    try:
        with open(os.path.join(folder, RECORD), "rb") as stream:
            return _parse(folder, read_fields(stream.read()))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        return replace(_nobody(folder), reason=f"record.json cannot be read: {error or type(error).__name__}")


def _nobody(folder: Path) -> Record:
    """A run with a damaged record; the id ends the folder's name, so that even this one can be called by it."""
    return Record(folder=folder, id=folder.name.rpartition("_")[2])


def _parse(folder: Path, raw: Any) -> Record:
    fields = dict(raw)
    if (status := fields["status"]) not in ("running", "finished", "failed", "killed"):
        raise ValueError(f"unknown status {status!r}")
    known = {key: fields.pop(key) for key in NAMED if key in fields}
    known["started"] = datetime.fromisoformat(known["started"])
    known["ended"] = datetime.fromisoformat(known["ended"]) if known.get("ended") else None
    known["argv"] = tuple(known.get("argv") or ())
    for key in ("versions", "process"):
        known[key] = dict(known.get(key) or {})
    if not isinstance(known.get("metrics"), Unparsed):
        known["metrics"] = dict(known.get("metrics") or {})
    return Record(**{**known, "folder": folder, "facts": fields})


def find(root: Path, word: str, *, verb: str | None = None) -> Record:
    """The one run that a word means: a path, a folder's name, an id or its beginning, or `last`.

    Among runs with the same id (the same work, done again) it is the newest. `verb` leaves only runs of that verb.
    """
    for folder in (Path(os.path.expanduser(word)), root / word) if word not in ("", "last") else ():
        if is_run(folder):
            return _of_verb(read(folder), verb)
    runs = [run for run in all_runs(root) if verb in (None, run.verb) or run.status == "unreadable"]
    if word == "last":
        return read(_last(runs, root, verb).folder)
    by_id: dict[str, Record] = {}
    for run in runs:  # the newest comes first and stays
        by_id.setdefault(run.id, run)
    hits = [by_id[word]] if word in by_id else [run for key, run in by_id.items() if word and key.startswith(word)]
    if len(hits) == 1:
        return read(hits[0].folder)
    if hits:
        raise UserError(f"{word!r} is the beginning of several runs: {', '.join(run.id for run in hits[:8])}. {LIST}")
    raise UserError(_unknown(word, runs, root, verb))


def same_work(root: Path, verb: str, config: Mapping[str, Any], *, code: str | None = None) -> list[Record]:
    """Runs that compute what this config computes, the newest first; with `code` only those of that very code."""
    key = identity(verb, config)
    found = [run for run in all_runs(root) if run.id == key and run.verb == verb]
    return [run for run in found if code in (None, run.facts.get("code"))]


def interrupted(runs: Iterable[Record]) -> Record | None:
    """The first run that ended too early and left a checkpoint to go on from."""
    stopped = (run for run in runs if run.status in ("killed", "failed"))
    return next((run for run in stopped if checkpoint_of(run.folder).is_file()), None)


def require_same(former: Record, facts: Mapping[str, str], doing: str) -> None:
    """Refuse a space or a corpus that is not the one of a former run; `doing` says what cannot be done without it."""
    for name, then in (("space_fingerprint", former.space_fingerprint), ("manifest_hash", former.manifest_hash)):
        if then is not None and name in facts and then != facts[name]:
            what = name.partition("_")[0]
            raise UserError(
                f"{name} was {then} when {former.folder.name} was trained and is {facts[name]} now, so that {doing}: "
                f"bring the former {what} back, or train anew."
            )


def _of_verb(run: Record, verb: str | None) -> Record:
    if verb is not None and run.status != "unreadable" and run.verb != verb:
        raise UserError(f"{run.folder.name} is a run of {run.verb!r}, but one of {verb!r} is needed: {LIST}")
    return run


def _last(runs: list[Record], root: Path, verb: str | None) -> Record:
    readable = [run for run in runs if run.status != "unreadable"]
    if not readable:
        raise UserError(f"There is no {verb + ' ' if verb else ''}run in {root} yet: {LIST}")
    return readable[0]


def _unknown(word: str, runs: list[Record], root: Path, verb: str | None) -> str:
    names = list(dict.fromkeys(word for run in runs for word in (run.id, run.name, run.folder.name) if word))
    near = nearest(word, names, at_most=3)
    ids = {run.name: run.id for run in reversed(runs)}
    shown = [f"{ids[name]} ({name})" if name in ids else name for name in near]
    kind = f"{verb} run" if verb else "run"
    hint = f" Did you mean {' or '.join(shown)}?" if shown else ""
    return f"No {kind} {word!r} among {len(runs)} in {root}.{hint} {LIST}"
