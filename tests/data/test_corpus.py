"""A corpus is named by its labels and settings: by nothing else, and always inside the folder of corpora."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sonar_slt.data.corpora.table import Table
from sonar_slt.data.normalise import ByFrame, BySigner
from sonar_slt.data.preparation import Preparation
from sonar_slt.errors import UserError


def table(root: Path, **options: Any) -> Table:
    normalise = options.pop("normalise", BySigner())
    preparation = Preparation(normalise=normalise)
    asked = {"root": root, "folder": root / "corpora", "table": "t.csv", "language": "deu_Latn", "name": "mine"}
    asked["columns"] = {"id": "id", "text": "text", "split": "split"}
    return Table(**{**asked, "preparation": preparation, **options})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "t.csv").write_text("id,text,split\na,Guten Tag.,train\n", encoding="utf-8")
    return tmp_path


def test_labels_settings_and_preparation_name_a_corpus(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    plain = table(root).prepared
    assert plain.parent == root / "corpora" and plain.name.startswith("mine-")
    moved = tmp_path_factory.mktemp("moved")
    (moved / "t.csv").write_bytes((root / "t.csv").read_bytes())
    assert table(moved).prepared.name == plain.name, "the place of a release does not matter"
    others = [table(root, language="eng_Latn"), table(root, normalise=ByFrame())]
    (moved / "t.csv").write_text("id,text,split\na,Guten Tag!,train\n", encoding="utf-8")
    assert len({plain.name, *(other.prepared.name for other in (*others, table(moved)))}) == 4


@pytest.mark.parametrize("name", ["../out", "", "a/b", ".hidden", ".."])
def test_a_name_that_leads_elsewhere_is_refused(root: Path, name: str) -> None:
    with pytest.raises(UserError, match=r"name"):
        _ = table(root, name=name).prepared
