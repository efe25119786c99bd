"""A run described for its mirrors: group, tags, and the runs that it goes on with. Read from records alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sonar_slt.runs.folder import CONFIG, is_run, read_yaml
from sonar_slt.runs.mirrors.mirror import Facts
from sonar_slt.runs.registry import Record, read

TAGGED = ("data", "space", "adapter", "student", "languages", "experiment")
"""Rooms whose option is a tag of a run."""
LONGEST = 64
"""Letters of a tag, as W&B allows."""


def facts_of(folder: Path, record: Mapping[str, Any]) -> Facts:
    """What a mirror is told. An evaluation stands in the group, and under the tags, of the run that it evaluates."""
    again = record["verb"] == "train" and record.get("rerun_of")  # from the beginning, beside its parent
    before = None if again else record.get("parent")
    parent = parent_of(folder, before)
    above = parent.facts if parent else {}
    sweep = record.get("sweep") or above.get("sweep")
    choices = {**(above.get("choices") or {}), **(record.get("choices") or {})}
    found = [record["name"], *(choices.get(room) for room in TAGGED)]
    tags = [str(word)[:LONGEST] for word in found if word and word != "null"]
    return Facts(
        id=record["id"],
        name=record["name"],
        verb=record["verb"],
        folder=folder,
        config=read_yaml((folder / CONFIG).read_text(encoding="utf-8")),
        parent=before,
        group=Path(sweep).name if sweep else None,
        tags=tuple(dict.fromkeys(tags)),
        record={**record, "choices": choices},
    )


def parent_of(folder: Path, parent: str | None) -> Record | None:
    """The run that a run names as its parent, if it still lies beside it."""
    if not parent or not is_run(folder.parent / parent):
        return None
    return read(folder.parent / parent)


def gone_on_with(folder: Path, verb: str, parent: str | None) -> list[Record]:
    """The runs of the same verb that a run continues, the nearest first; an evaluation continues none."""
    found: list[Record] = []
    while (one := parent_of(folder, parent)) and one.verb == verb and one.folder not in [run.folder for run in found]:
        found.append(one)
        parent = one.goes_on_with
    return found
