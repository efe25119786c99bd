"""The tour is true: what it names is there, step by step, and its key reaches the number that it says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import torch

from sonar_slt.config.build import build
from sonar_slt.config.compose import examine
from sonar_slt.objective import Landing, Objective

ROOT = Path(__file__).parents[1]
TOUR = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
NAMES = r"`[\w.]+`(?:,\s+`[\w.]+`)*"
STOP = re.compile(rf"`(?P<file>[\w/]+\.py)`\s+·\s+(?P<names>{NAMES})")


@cache
def defined(file: str) -> frozenset[str]:
    """What a file of the package defines: names at its top, and those of its classes behind a dot."""
    path = ROOT / "sonar_slt" / file
    body = ast.parse(path.read_text(encoding="utf-8")).body if path.is_file() else []
    classes = [node for node in body if isinstance(node, ast.ClassDef)]
    return frozenset([*_named(body), *(f"{one.name}.{name}" for one in classes for name in _named(one.body))])


def _named(body: Iterable[ast.stmt]) -> list[str]:
    assigned = [node for node in body if isinstance(node, ast.Assign | ast.AnnAssign)]
    targets = [
        target for node in assigned for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    ]
    made = [node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return [*made, *(target.id for target in targets if isinstance(target, ast.Name))]


def test_what_the_tour_names_is_there() -> None:
    stops = [(stop["file"], name) for stop in STOP.finditer(TOUR) for name in re.findall(r"`([\w.]+)`", stop["names"])]
    assert len(stops) > 60
    assert not [f"{file} · {name}" for file, name in stops if name not in defined(file)]


def test_every_file_is_named_with_what_to_look_for() -> None:
    assert len(re.findall(r"`[\w/.-]+\.py`", TOUR)) == len(list(STOP.finditer(TOUR)))


def test_every_step_names_a_file_and_the_steps_are_counted() -> None:
    walks = [re.split(r"^(?=\d+\. )", walk, flags=re.MULTILINE)[1:] for walk in re.split(r"\n###? ", TOUR)]
    walks = [walk for walk in walks if walk]
    assert sum(map(len, walks)) > 20
    for walk in walks:
        assert [int(step.partition(".")[0]) for step in walk] == list(range(1, len(walk) + 1))
        assert not [step for step in walk if not STOP.search(step)]


def test_every_config_that_is_named_is_there() -> None:
    named = re.findall(r"`(conf/[\w/]+\.yaml)`", TOUR)
    assert named
    assert not [name for name in named if not (ROOT / name).is_file()]


def test_the_tour_is_short() -> None:
    assert len(TOUR.splitlines()) <= 130


def test_the_key_of_the_second_walk_reaches_the_number_that_it_says() -> None:
    words = ["objective.cosine.weight=0.5", "objective.semantic.weight=3"]
    assert words[0] in TOUR
    objective = Objective(build(examine("train", ["objective=[semantic,cosine]", *words]).config["objective"]))
    z, s = torch.randn(2, 4, 8, generator=torch.Generator().manual_seed(0))
    outcome = objective(Landing(z, s))
    apart = (1 - torch.cosine_similarity(z, s)).mean()
    torch.testing.assert_close(outcome.values["cosine"], apart)
    torch.testing.assert_close(outcome.loss, 0.5 * 3 * apart)
