"""How a run learnt: its logged figures over steps, thinned to what a screen can show, and what it said on the way.

A figure that is logged for each language apart (`bleu_deu_Latn`) becomes one line of a chart that they share.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sonar_slt.files import read_lines
from sonar_slt.runs.folder import SAMPLES
from sonar_slt.runs.report.samples import cut
from sonar_slt.runs.scores.curves import OF_A_LANGUAGE, Curve, logged, thinned

POINTS = 300
"""More points than this in a curve cannot be told apart on a screen; they are averaged."""
STEPS = 12
"""So many of the steps at which samples were shown are kept."""
KEPT = 24
"""And so many samples of each."""


def learnt(folder: Path) -> dict[str, Any]:
    """Charts in the order in which their names first came: each with train and dev points, or with one line a language.

    `{"charts": [{"name", "train", "dev"}], "languages": [{"name", "lines": {code: points}}]}`
    """
    charts: dict[str, dict[str, Curve]] = {}
    shared: dict[str, dict[str, Curve]] = {}
    for split in ("train", "dev"):
        for step, name, value in logged(folder, split):
            if of_one := OF_A_LANGUAGE.fullmatch(name):
                shared.setdefault(of_one[1], {}).setdefault(of_one[2], []).append((step, value))
            else:
                charts.setdefault(name, {"train": [], "dev": []})[split].append((step, value))
    return {
        "charts": [
            {"name": name, **{split: thinned(points, POINTS) for split, points in found.items()}}
            for name, found in charts.items()
        ],
        "languages": [
            {"name": name, "lines": {code: thinned(points, POINTS) for code, points in lines.items()}}
            for name, lines in shared.items()
        ],
    }


def shown_on_the_way(folder: Path) -> list[dict[str, Any]]:
    """What was said of the same few clips at some steps, the first and the last among them."""
    steps: dict[int, list[dict[str, Any]]] = {}
    for line in read_lines(folder / SAMPLES):
        if isinstance(step := line.get("step"), int):
            steps.setdefault(step, []).append(line)
    known = sorted(steps)
    chosen = sorted({known[round(i * (len(known) - 1) / (STEPS - 1))] for i in range(STEPS)}) if known else []
    return [{"step": step, "samples": [cut(line) for line in steps[step][:KEPT]]} for step in chosen]
