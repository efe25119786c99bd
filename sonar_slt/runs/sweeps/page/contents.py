"""What the page of a sweep holds: its runs, what each swept key does to every figure they have, and their curves.

All effects are reckoned here, so that the page only draws them.
"""

from __future__ import annotations

import os
import shlex
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sonar_slt.page import Theme, assembled
from sonar_slt.runs.folder import REPORT
from sonar_slt.runs.scores.curves import OF_A_LANGUAGE, Curve, thinned
from sonar_slt.runs.scores.figures import Figure
from sonar_slt.runs.scores.titles import figure_title, higher_is_better
from sonar_slt.runs.sweeps.settings import written
from sonar_slt.runs.sweeps.sweep import Sweep
from sonar_slt.runs.sweeps.trainings import SweptRun

SCRIPTS = ("state.js", "effects.js", "parallel.js", "table.js", "curves.js", "sweep.js")
STYLES = ("sweep.css",)
POINTS = 240_000
"""Points of all curves together: what a page may hold. A single curve has at most 150 and at least 12."""
NOT_COMPARED = frozenset({"train/lr"})
ASIDE = ("bleu", "bleu/unseen", "chrf", "retrieval_at_1", "space.translation_bleu.mean", "dev/loss")
"""Figures that stand beside the one that is asked for in the table and among the axes, as far as they are there."""


def sweep_page(sweep: Sweep, place: Path, *, target: str | None = None, theme: Theme | None = None) -> str:
    """The page of a sweep that will lie in the folder `place`, from where its links to the runs go."""
    chosen = sweep.target(target)
    targets = [name for name in sweep.targets if name == chosen or _compared(name)]
    contents = {
        "sweep": _header(sweep),
        "keys": [_key(sweep, key) for key in sweep.levels],
        "targets": [{"key": name, "title": figure_title(name), "higher": higher_is_better(name)} for name in targets],
        "target": chosen,
        "beside": [name for name in ASIDE if name in targets],
        "runs": [_run(run, place, targets) for run in sweep.runs],
        "effects": {name: asdict(sweep.effects(name)) for name in targets},
    }
    return assembled(
        f"{sweep.name}, a sweep",
        contents,
        package=__package__,
        scripts=SCRIPTS,
        styles=STYLES,
        bulk=_curves(sweep),
        theme=theme,
    )


def _compared(name: str) -> bool:
    return name not in NOT_COMPARED and not _of_a_language(name)


def _of_a_language(name: str) -> bool:
    """Whether a figure of the log is that of one language."""
    split, _, figure = name.partition("/")
    return split in ("dev", "train") and OF_A_LANGUAGE.fullmatch(figure) is not None


def _header(sweep: Sweep) -> dict[str, Any]:
    records = [run.record for run in sweep.runs]
    begun = [record.started for record in records if record.started]
    return {
        "name": sweep.name,
        "folders": [folder.name for folder in sweep.folders],
        "commands": list(
            dict.fromkeys(shlex.join(["sonar-slt", *record.argv[1:]]) for record in records if record.argv)
        ),
        "statuses": Counter(record.status for record in records).most_common(),
        "missing": [job.name for job in sweep.missing],
        "started": min(begun).strftime("%d %B %Y, %H:%M") if begun else None,
        "seconds": sum(record.seconds or 0.0 for record in records),
        "stands_on": {
            "corpus": _several(record.manifest_hash for record in records),
            "space": _several(record.space_fingerprint for record in records),
            "packages": _several((record.lock_hash or "")[:12] for record in records),
            "code": _several(record.facts.get("code") for record in records),
            "commit": _several(str((record.git or {}).get("sha") or "")[:12] for record in records),
            "device": _several(record.device for record in records),
        },
    }


def _several(values: Any) -> str:
    return ", ".join(dict.fromkeys(str(value) for value in values if value))


def _key(sweep: Sweep, key: str) -> dict[str, Any]:
    values = [run.settings[key] for run in sweep.runs]
    numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return {"key": key, "levels": list(sweep.levels[key]), "numeric": numeric}


def _run(run: SweptRun, place: Path, targets: list[str]) -> dict[str, Any]:
    record = run.record
    shown = run.judged if (run.judged.folder / REPORT).is_file() else record
    there = (shown.folder / REPORT).is_file()
    return {
        "id": record.id,
        "folder": record.folder.name,
        "link": f"./{quote(os.path.relpath(shown.folder.resolve() / REPORT, place.resolve()))}" if there else None,
        "job": record.facts.get("job"),
        "seed": run.seed,
        "status": record.status,
        "aside": run.aside,
        "evaluated": run.judged.folder.name if run.judged is not record else None,
        "minutes": record.seconds / 60 if record.seconds is not None else None,
        "settings": dict(run.settings),
        "written": {key: written(value) for key, value in run.settings.items()},
        "groups": dict(run.groups),
        "figures": {name: _numbers(run.figures[name]) for name in targets if name in run.figures},
    }


def _numbers(figure: Figure) -> list[float | None]:
    return [figure.value] if figure.low is None else [figure.value, figure.low, figure.high]


def _curves(sweep: Sweep) -> dict[str, list[dict[str, Any]]]:
    """Every logged figure: its lines, one for each run that has it, in the order of the runs."""
    names = dict.fromkeys(name for run in sweep.runs for name in run.curves if not _of_a_language(name))
    lines = sum(name in run.curves for run in sweep.runs for name in names)
    size = max(12, min(150, POINTS // max(1, lines)))
    return {
        "curves": [
            {
                "name": name,
                "title": figure_title(name).rpartition(",")[0],
                "lines": [_points(run.curves.get(name, []), size) for run in sweep.runs],
            }
            for name in names
        ]
    }


def _points(curve: Curve, most: int) -> list[tuple[float, float]]:
    """A curve with as many digits as can be seen."""
    return [(step, float(f"{value:.5g}")) for step, value in thinned(curve, most)]
