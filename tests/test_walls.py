"""The walls between the rooms: who may import what, read from the sources."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import sonar_slt

PACKAGE = Path(sonar_slt.__file__).parent
PLAIN_TORCH = ("adapter", "augment", "features", "objective", "metrics", "space", "translator")
FORBIDDEN = {
    **{key: {"hydra", "omegaconf", "wandb", "pytorch_lightning"} for key in PLAIN_TORCH},
    "data": {"hydra", "omegaconf", "wandb"},
    "task": {"hydra", "omegaconf", "wandb"},
    "bench": {"hydra", "omegaconf", "wandb"},
    "runs": {"torch", "hydra", "omegaconf", "pytorch_lightning", "transformers"},
    "config": {"wandb"},
    "launcher": {"torch", "hydra", "omegaconf", "wandb", "pytorch_lightning", "transformers"},
    "sweeper": {"torch", "hydra", "omegaconf", "wandb", "pytorch_lightning", "transformers"},
    "cli": {"wandb"},
}
LATE = {"config", "cli", "runs"}
"""Rooms that answer before torch is loaded: they import it inside functions only."""
HEAVY = {"torch", "pytorch_lightning", "transformers", "peft"}


def imports(path: Path, *, top: bool) -> Iterator[str]:
    """Names of imported packages; with `top` only those imported when the module is."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def test_every_room_is_known() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert rooms == FORBIDDEN.keys()


@pytest.mark.parametrize("room", sorted(FORBIDDEN))
def test_a_room_imports_nothing_through_a_wall(room: str) -> None:
    for path in (PACKAGE / room).rglob("*.py"):
        assert not FORBIDDEN[room] & set(imports(path, top=False)), path
        if room in LATE:
            assert not HEAVY & set(imports(path, top=True)), path


def test_losses_are_unknown_to_data() -> None:
    for path in (PACKAGE / "data").rglob("*.py"):
        assert "sonar_slt.objective" not in path.read_text(encoding="utf-8"), path
