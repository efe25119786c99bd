"""Runs as rows of a file, for a spreadsheet or a program: what a record says of each, and every figure that it has."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sonar_slt.errors import UserError
from sonar_slt.files import write_atomically, write_json
from sonar_slt.runs.listing.order import figures
from sonar_slt.runs.registry import Record

SUFFIXES = (".json", ".csv")


def write_listing(runs: Sequence[Record], path: Path) -> None:
    """Put the runs into a .json (a list of objects) or a .csv (a row each, a column per figure)."""
    require_known(path)
    rows = [_row(run) for run in runs]
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".json":
        write_json(path, rows)
        return
    figures_of_each = [one.pop("figures") for one in rows]
    flat = [one | reached for one, reached in zip(rows, figures_of_each, strict=True)]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(dict.fromkeys(key for one in flat for key in one)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    write_atomically(path, stream.getvalue())


def require_known(path: Path) -> None:
    """Refuse a file of another kind before anything is read."""
    if path.suffix not in SUFFIXES:
        raise UserError(f"output={path}: expected a name that ends in .json or .csv.")


def _row(run: Record) -> dict[str, Any]:
    """What a file says of a run, its figures last."""
    git = run.git or {}
    facts = {
        "id": run.id, "folder": run.folder.name, "verb": run.verb, "name": run.name, "status": run.status,
        "reason": run.reason, "started": run.started and run.started.isoformat(),
        "ended": run.ended and run.ended.isoformat(),
        "minutes": None if run.seconds is None else round(run.seconds / 60, 3),
        "sweep": run.facts.get("sweep"), "job": run.facts.get("job"), "parent": run.parent,
        "rerun_of": run.facts.get("rerun_of"), "host": run.process.get("host"), "device": run.device,
        "seed": run.seed, "commit": git.get("sha"), "changed": git.get("dirty"), "code": run.facts.get("code"),
        "manifest_hash": run.manifest_hash, "space_fingerprint": run.space_fingerprint,
    }  # fmt: skip
    return {**facts, "figures": figures(run)}
