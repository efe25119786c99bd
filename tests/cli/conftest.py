"""The command line in this process, with a verb that only notes what it is given."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sonar_slt.cli import main
from sonar_slt.cli.command.asked import Asked

Note = list[dict[str, Any]]
Command = Callable[..., int]


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Hydra's `--info` logs to the standard error of its own test, at every level, for ever."""
    handlers, level = list(logging.root.handlers), logging.root.level
    yield
    logging.root.handlers, logging.root.level = handlers, level


@pytest.fixture
def seen() -> Note:
    """The configs that the verb was given, with what else it was told under `asked`."""
    return []


@pytest.fixture
def command(seen: Note, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run ``sonar-slt`` in an empty folder; ``job`` is what the verb does with each config."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["sonar-slt"])

    def run(*words: str, job: Callable[[dict[str, Any]], Any] = lambda config: None) -> int:
        def noted(config: dict[str, Any], asked: Asked) -> Any:
            config["asked"] = asked
            seen.append(config)
            return job(config)

        for verb in ("train", "evaluate", "runs", "demo", "check"):
            module = ModuleType(f"sonar_slt.cli.{verb}")
            module.run = noted  # type: ignore[attr-defined]
            monkeypatch.setitem(sys.modules, module.__name__, module)
        return main(words)

    return run
