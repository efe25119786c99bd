"""What a training logged over its steps, as curves: read from its logs, and thinned to what a screen can show."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from sonar_slt.files import read_lines
from sonar_slt.runs.folder import log_of
from sonar_slt.runs.registry import Record
from sonar_slt.runs.scores.numbers import is_number

NOT_FIGURES = frozenset({"step", "seconds", "epoch", "split"})
OF_A_LANGUAGE = re.compile(r"(\w+?)_([a-z]{3}_[A-Z][a-z]{3})")
"""A figure that is logged for each language apart, such as `bleu_deu_Latn`: its name and the language."""

Curve = list[tuple[float, float]]


def logged(folder: Path, split: str) -> Iterator[tuple[float, str, float]]:
    """Step, name and value of every number of a split that the run in `folder` logged."""
    for line in read_lines(folder / log_of(split)):
        step = line.get("step")
        if line.get("split", split) == split and "event" not in line and is_number(step):
            for key, value in line.items():
                if key not in NOT_FIGURES and is_number(value):
                    yield step, key.removeprefix(f"{split}/"), float(value)


def curves_of(records: Iterable[Record]) -> dict[str, Curve]:
    """What one training logged over its steps, as train/NAME and dev/NAME; of a resumed one in several folders.

    A later folder takes over from the step at which it begins.
    """
    curves: dict[str, Curve] = {}
    for record in records:
        for split in ("train", "dev"):
            fresh: dict[str, Curve] = {}
            for step, name, value in logged(record.folder, split):
                fresh.setdefault(f"{split}/{name}", []).append((step, value))
            for name, curve in fresh.items():
                curves[name] = [point for point in curves.get(name, []) if point[0] < curve[0][0]] + curve
    return curves


def thinned(curve: Curve, most: int) -> Curve:
    """At most so many points: means of neighbours, each at the last of its steps."""
    size = max(1, -(-len(curve) // most))
    blocks = (curve[first : first + size] for first in range(0, len(curve), size))
    return [(block[-1][0], sum(value for _, value in block) / len(block)) for block in blocks]
