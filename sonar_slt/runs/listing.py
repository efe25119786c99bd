"""Runs in an order that is asked for, and as rows of a file: what `sonar-slt runs` does with those it has chosen.

They are sorted by what a record names, or by any figure that they reached, the best first.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sonar_slt.errors import UserError
from sonar_slt.files import plain, write_atomically
from sonar_slt.runs.registry import Record

NEWEST = "started"
ORDERS: Mapping[str, tuple[Callable[[Record], Any], bool]] = {
    NEWEST: (lambda run: run.started and run.started.timestamp(), True),
    "minutes": (lambda run: run.seconds, True),
    "name": (lambda run: run.name, False),
    "verb": (lambda run: run.verb, False),
    "status": (lambda run: run.status, False),
    "id": (lambda run: run.id, False),
}
"""What a record names: how it is read, and whether large values come first."""
SUFFIXES = (".json", ".csv")


def in_order(runs: Sequence[Record], by: str, *, reverse: bool = False) -> list[Record]:
    """The runs sorted: large numbers first, names from A, scores from the best; what lacks the value comes last."""
    values, largest = _values(runs, by)
    having = [place for place, value in enumerate(values) if value is not None]
    ordered = sorted(having, key=lambda place: values[place], reverse=largest is not reverse)
    return [runs[place] for place in [*ordered, *(place for place, value in enumerate(values) if value is None)]]


def figure(run: Record, key: str) -> float | None:
    """One figure of a run, from its record or, for `dev/…` and `train/…`, from its log."""
    return _figures(run, logged=key.startswith(("dev/", "train/"))).get(key)


def _values(runs: Sequence[Record], by: str) -> tuple[list[Any], bool]:
    if by in ORDERS:
        read, largest = ORDERS[by]
        return [read(run) for run in runs], largest
    from sonar_slt.runs.sweeps.figures import higher_is_better

    figures = [_figures(run, logged=by.startswith(("dev/", "train/"))) for run in runs]
    values = [one.get(by) for one in figures]
    if runs and not any(value is not None for value in values):
        known = [*ORDERS, *sorted({name for one in figures for name in one})]
        near = difflib.get_close_matches(by, known, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]}?" if near else ""
        few = ", ".join(name for name in known if not set(name) & set("/."))
        raise UserError(
            f"sort={by}: none of these runs has such a figure.{hint} They have {few}, and more below these names."
        )
    return values, higher_is_better(by)


def _figures(run: Record, *, logged: bool = False) -> dict[str, float]:
    from sonar_slt.runs.sweeps.figures import curves_of, figures_of

    found = figures_of(run, curves_of([run]) if logged else {})
    return {name: figure.value for name, figure in found.items()}


def row(run: Record) -> dict[str, Any]:
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
    return {**facts, "figures": _figures(run)}


def write_listing(runs: Sequence[Record], path: Path) -> None:
    """Put the runs into a .json (a list of objects) or a .csv (a row each, a column per figure)."""
    require_known(path)
    rows = [row(run) for run in runs]
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".json":
        write_atomically(path, json.dumps(plain(rows), indent=2, ensure_ascii=False) + "\n")
        return
    figures = [one.pop("figures") for one in rows]
    flat = [one | reached for one, reached in zip(rows, figures, strict=True)]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(dict.fromkeys(key for one in flat for key in one)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    write_atomically(path, stream.getvalue())


def require_known(path: Path) -> None:
    """Refuse a file of another kind before anything is read."""
    if path.suffix not in SUFFIXES:
        raise UserError(f"output={path}: expected a name that ends in .json or .csv.")
