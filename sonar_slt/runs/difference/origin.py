"""What a run stood on beside its config: code, packages, the corpus, the space, the device.

Of a recorded run it is read from the record, of today from the checkout; the corpus and the space of today are those
that the newest run of the same config sections met.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sonar_slt.errors import UserError
from sonar_slt.runs.difference.configs import Change, changes, config_of
from sonar_slt.runs.provenance.code import git_state, lock_hash, versions
from sonar_slt.runs.registry import Record
from sonar_slt.source_hash import code_hash

DIGITS = 12
"""So many digits of a hash are shown."""
NEWEST = 20
"""So many runs are asked for the corpus and the space of today."""
SECTIONS = {"space": ("space",), "manifest": ("data", "batches", "preparation", "normalise", "languages")}
"""The sections of a config that decide which space and which corpus a run meets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a result may depend on beside the config; None stands for what is not known."""

    commit: str | None = None
    changed: bool | None = None  # whether the working tree departed from the commit
    code: str | None = None
    lock: str | None = None
    manifest: str | None = None
    space: str | None = None
    device: str | None = None
    packages: Mapping[str, str] = field(default_factory=dict)


def origin_of(record: Record) -> Origin:
    """What a run's record says."""
    git = record.git or {}
    return Origin(
        commit=git.get("sha"),
        changed=git.get("dirty"),
        code=record.facts.get("code"),
        lock=record.lock_hash,
        manifest=record.manifest_hash,
        space=record.space_fingerprint,
        device=record.device,
        packages=record.versions,
    )


def origin_now(record: Record, runs: Iterable[Record] = ()) -> Origin:
    """What the work of `record` would stand on today; `runs`, the newest first, know its corpus and its space."""
    git = git_state() or {}
    met = _met(record, runs)
    return Origin(
        commit=git.get("sha"), changed=git.get("dirty"), code=code_hash(), lock=lock_hash(), packages=versions(), **met
    )


def departures(first: Origin, second: Origin) -> list[Change]:
    """What is known of both and differs; of the packages also what one of both has alone."""
    found = []
    for name in ("commit", "changed", "code", "lock", "manifest", "space", "device"):
        one, two = getattr(first, name), getattr(second, name)
        if one is not None and two is not None and one != two:
            found.append(Change(name, _short(one), _short(two)))
    if first.packages and second.packages:
        found += changes(first.packages, second.packages, "packages.")
    return found


def _short(value: Any) -> Any:
    return value[:DIGITS] if isinstance(value, str) else value


def _met(record: Record, runs: Iterable[Record]) -> dict[str, str]:
    """The corpus and the space that the newest later run with the same sections met."""
    later = [run for run in runs if run.folder.name > record.folder.name and run.verb == record.verb == "train"]
    asked = {"manifest": record.manifest_hash, "space": record.space_fingerprint}
    missing = {name for name, value in asked.items() if value is not None}
    found: dict[str, str] = {}
    own = config_of(record) if later and missing else {}
    for run in later[:NEWEST]:
        facts = {"manifest": run.manifest_hash, "space": run.space_fingerprint}
        known = [name for name in sorted(missing) if facts[name] is not None]
        theirs = _config(run) if known else {}
        for name in known:
            if all(theirs.get(section) == own.get(section) for section in SECTIONS[name]):
                found[name] = str(facts[name])
                missing.discard(name)
        if not missing:
            break
    return found


def _config(run: Record) -> Mapping[str, Any]:
    """The config of a run, which may have been damaged: then it says nothing."""
    try:
        return config_of(run)
    except UserError:
        return {}
