"""What Hydra makes of a verb and the options chosen is kept over the tests of a process.

The files of our conf folder stay as they are meanwhile; whoever brings a folder of their own is composed for anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest

from sonar_slt.config import compose as examination
from sonar_slt.config.location import VARIABLE


@pytest.fixture(scope="session", autouse=True)
def composed_once() -> Iterator[None]:
    plain = examination.compose
    kept: dict[tuple[str, ...], Any] = {}

    def compose(verb: str, overrides: list[str], **settings: Any) -> Any:
        if os.environ.get(VARIABLE) or any(word.startswith("hydra.searchpath=") for word in overrides):
            return plain(verb, overrides, **settings)
        words = (verb, *overrides, *map(str, settings.items()))
        if words not in kept:
            kept[words] = plain(verb, overrides, **settings)
        return kept[words]  # an examination changes copies only: it shares what its jobs have in common itself

    with patch.object(examination, "compose", compose):
        yield
