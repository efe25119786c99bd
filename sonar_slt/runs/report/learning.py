"""How a run learnt: its logged figures over steps, thinned to what a screen can show, and what it said on the way.

A figure that is logged for each language apart (`bleu_deu_Latn`) becomes one line of a chart that they share.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sonar_slt.files import read_lines
from sonar_slt.runs.report.samples import cut

POINTS = 300
"""More points than this in a curve cannot be told apart on a screen; they are averaged."""
NOT_TERMS = frozenset({"step", "seconds", "epoch", "split"})
OF_A_LANGUAGE = re.compile(r"(\w+?)_([a-z]{3}_[A-Z][a-z]{3})")
STEPS = 12
"""So many of the steps at which samples were shown are kept."""
KEPT = 24
"""And so many samples of each."""

Points = list[tuple[float, float]]


def learnt(folder: Path) -> dict[str, Any]:
    """Charts in the order in which their names first came: each with train and dev points, or with one line a language.

    `{"charts": [{"name", "train", "dev"}], "languages": [{"name", "lines": {code: points}}]}`
    """
    charts: dict[str, dict[str, Points]] = {}
    shared: dict[str, dict[str, Points]] = {}
    for split, step, key, value in _logged(folder):
        name = key.removeprefix(f"{split}/")
        if of_one := OF_A_LANGUAGE.fullmatch(name):
            shared.setdefault(of_one[1], {}).setdefault(of_one[2], []).append((step, value))
        else:
            charts.setdefault(name, {"train": [], "dev": []})[split].append((step, value))
    return {
        "charts": [
            {"name": name, **{split: _thin(points) for split, points in found.items()}}
            for name, found in charts.items()
        ],
        "languages": [
            {"name": name, "lines": {code: _thin(points) for code, points in lines.items()}}
            for name, lines in shared.items()
        ],
    }


def shown_on_the_way(folder: Path) -> list[dict[str, Any]]:
    """What was said of the same few clips at some steps, the first and the last among them."""
    steps: dict[int, list[dict[str, Any]]] = {}
    for line in read_lines(folder / "samples.jsonl"):
        if isinstance(step := line.get("step"), int):
            steps.setdefault(step, []).append(line)
    known = sorted(steps)
    chosen = sorted({known[round(i * (len(known) - 1) / (STEPS - 1))] for i in range(STEPS)}) if known else []
    return [{"step": step, "samples": [cut(line) for line in steps[step][:KEPT]]} for step in chosen]


def _logged(folder: Path) -> Iterator[tuple[str, float, str, float]]:
    """Split, step, name and value of every number that was logged."""
    for split in ("train", "dev"):
        for line in read_lines(folder / f"{split}_log.jsonl"):
            step: Any = line.get("step")
            if line.get("split", split) != split or "event" in line or not _is_number(step):
                continue
            for key, value in line.items():
                if key not in NOT_TERMS and _is_number(value):
                    yield split, step, key, value


def _thin(points: Points) -> Points:
    if len(points) <= POINTS:
        return points
    size = -(-len(points) // POINTS)
    blocks = (points[first : first + size] for first in range(0, len(points), size))
    return [(block[-1][0], sum(value for _, value in block) / len(block)) for block in blocks]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
