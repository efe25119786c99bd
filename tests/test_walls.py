"""The walls between the rooms: who may import what, read from the sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house import circles, graph, imports, modules

PACKAGE = Path(__file__).parents[1] / "sonar_slt"
FLOORS = (
    ("errors", "lazy", "processes", "progress", "source_hash"),
    ("files", "hub", "languages"),
    ("page", "objective"),
    ("space",),
    ("data",),
    ("augment", "features", "metrics", "translator"),
    ("adapter", "runs"),
    ("launcher", "sweeper", "task"),
    ("bench", "config"),
    ("cli",),
    ("__main__",),
)
"""From the ground up: a room imports only from the floors below its own."""

LEARNING = {"torch", "pytorch_lightning", "transformers", "peft"}
CONFIGURING = {"hydra", "omegaconf"}
LIGHTNING = {"pytorch_lightning"}
FORBIDDEN = {
    "page": LEARNING | CONFIGURING,
    **dict.fromkeys(
        ("objective", "space", "augment", "features", "metrics", "translator", "adapter"), CONFIGURING | LIGHTNING
    ),
    **dict.fromkeys(("data", "task", "bench"), CONFIGURING),
    **dict.fromkeys(("runs", "launcher", "sweeper"), LEARNING | CONFIGURING),
    "config": set(),
    "cli": set(),
}
"""What no file of a room imports, early or late. Only the mirror of a run knows wandb."""
LATE = ("config", "cli", "runs", "page", "launcher", "sweeper")
"""Rooms that answer before torch is loaded: they import it inside functions only."""


def test_every_room_has_its_floor() -> None:
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert sorted(name for floor in FLOORS for name in floor) == sorted(rooms - {"__init__"})
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == FORBIDDEN.keys()


def test_a_room_imports_only_from_the_floors_below() -> None:
    floor = {name: number for number, names in enumerate(FLOORS) for name in names}
    room = {name: name.split(".")[1] for name in modules() if "." in name}
    up = [
        f"{one} -> {other}"
        for one, others in graph().items()
        for other in others
        if one in room and other in room and room[one] != room[other] and floor[room[other]] >= floor[room[one]]
    ]
    assert not up


def test_words_become_jobs_without_torch_and_without_a_verb() -> None:
    verbs = {f"sonar_slt.cli.{path.stem}" for path in (PACKAGE / "cli").glob("*.py")}
    for path in (PACKAGE / "cli" / "command").glob("*.py"):
        found = {one.name for one in imports(path)}
        assert not {name.partition(".")[0] for name in found} & LEARNING, path
        assert not {verb for verb in verbs for name in found if f"{name}.".startswith(f"{verb}.")}, path


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles(graph()) == []


@pytest.mark.parametrize("room", sorted(FORBIDDEN))
def test_a_room_imports_nothing_through_a_wall(room: str) -> None:
    for path in (PACKAGE / room).rglob("*.py"):
        found = {one.name.partition(".")[0]: one.late for one in sorted(imports(path), key=lambda one: -one.late)}
        assert not FORBIDDEN[room] & found.keys(), path
        assert "wandb" not in found or path.parent.name == "mirrors" or room == "runs", path
        if room in LATE:
            assert not {name for name, late in found.items() if not late} & LEARNING, path


def test_the_house_can_tell_a_circle_and_a_late_import(tmp_path: Path) -> None:
    package = tmp_path / "sonar_slt"
    package.mkdir()
    (package / "a.py").write_text("def f():\n    from sonar_slt.b import x\n", encoding="utf-8")
    (package / "b.py").write_text("from sonar_slt import c\n", encoding="utf-8")
    (package / "c.py").write_text("if TYPE_CHECKING:\n    from sonar_slt.a import f\n", encoding="utf-8")
    (package / "d.py").write_text("import sonar_slt.a\n", encoding="utf-8")
    assert circles(graph(tmp_path)) == [["sonar_slt.a", "sonar_slt.b", "sonar_slt.c"]]
    assert [one.late for one in imports(package / "a.py")] == [True]
