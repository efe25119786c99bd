"""The micro world: a tiny space and a few clips, made once per session and process in a few seconds."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

os.environ["HF_HUB_OFFLINE"] = "1"  # read when the hub's client is imported: no test asks the network

import pytest
from hypothesis import settings

from tests.composition import composed_once as composed_once

settings.register_profile("here", deadline=None, derandomize=True, database=None)
settings.load_profile("here")

MICRO = {
    "adapter": "keypoint",
    "data.train": 24,
    "data.dev": 6,
    "data.test": 12,
    "batches.size": 4,
    "adapter.dim": 32,
    "adapter.frame_hidden": 32,
    "adapter.hidden": 32,
    "adapter.layers": 1,
    "adapter.pooling.queries": 2,
    "trainer.max_steps": 6,
    "eval_every": 3,
    "trainer.log_every_n_steps": 1,
    "trainer.accelerator": "cpu",
}
"""Overrides that make any sign training a matter of seconds."""

MICRO_SPACE = {
    "task.dim": 32,
    "task.hidden": 32,
    "task.decoder_hidden": 32,
    "task.judged": 10,
    "trainer.max_steps": 4,
    "trainer.log_every_n_steps": 1,
    "trainer.accelerator": "cpu",
}


LONG = ("slurm", ".", "smoke", "bench", "task", "space", "cli", "config")
"""The folders whose files take longest, in the order in which they are begun; the dot is for those in no folder."""


def pytest_configure(config: pytest.Config) -> None:
    """xdist would leave the files of few tests for the end, whatever they take: it is to keep the order from below."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Thousands of tests come to stay: to look through them for garbage again and again takes seconds."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_unconfigure() -> None:
    gc.unfreeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long is begun first, so that no process waits long for the last one."""
    here = Path(__file__).parent

    def rank(item: pytest.Item) -> int:
        folder = item.path.relative_to(here).parts[0] if item.path.parent != here else "."
        return LONG.index(folder) if folder in LONG else len(LONG)

    items.sort(key=rank)


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    import torch  # not above: whoever only deals the files out to processes needs none

    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def _short_sentences() -> Iterator[None]:
    """A space that four steps have taught nothing ends no sentence by itself: here it has no room for 128 tokens."""
    from sonar_slt.space import fresh

    with patch.object(fresh, "MAX_TOKENS", 20):
        yield


@pytest.fixture(autouse=True)
def _ctrl_c_is_heard() -> None:
    """A shell's background jobs ignore Ctrl-C, and so would every process that they start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the session's corpora, spaces and runs lie."""
    return tmp_path_factory.mktemp("outputs")


@pytest.fixture(scope="session")
def space_folder(outputs: Path) -> Path:
    """A trained space of a few thousand weights: an ordinary transformers folder."""
    from sonar_slt.cli.training.training import train

    config = composed("train", outputs, {"experiment": "toy_space", **MICRO_SPACE})
    folder, _ = train(config, [])
    return folder / "space"


@pytest.fixture
def space(space_folder: Path) -> Any:
    """A fresh copy of the micro space, for tests that may change it."""
    from sonar_slt import SentenceSpace

    return SentenceSpace.from_pretrained(space_folder)


@pytest.fixture
def sign_config(outputs: Path, space_folder: Path) -> dict[str, Any]:
    """The config of a sign training in the micro world."""
    return composed("train", outputs, {**MICRO, "recipe": "null", "space.source": str(space_folder)})


def composed(verb: str, outputs: Path, overrides: dict[str, Any]) -> dict[str, Any]:
    """The config that a verb would receive."""
    from sonar_slt.config.compose import examine

    found = examine(verb, [f"{key}={value}" for key, value in {**overrides, "paths.outputs": outputs}.items()])
    assert not found.problems, found.problems
    return found.config
