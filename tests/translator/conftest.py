"""One tiny translator for the session."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.translator.speaking import write_translator


@pytest.fixture(scope="session")
def nllb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its folder, which no test changes."""
    return write_translator(tmp_path_factory.mktemp("translator") / "nllb")
