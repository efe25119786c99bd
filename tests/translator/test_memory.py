"""The memory of translations: found by what decides them, whole lines only, and never lost by a kill."""

from __future__ import annotations

from pathlib import Path

import pytest

from sonar_slt.errors import UserError
from sonar_slt.translator import TranslationMemory

PAIR = {"source": "deu_Latn", "target": "eng_Latn"}


def memory(folder: Path, identity: str = "one") -> TranslationMemory:
    return TranslationMemory(folder=folder, identity=identity, described={"model": "m"})


def test_what_is_kept_is_found_by_model_languages_and_text(tmp_path: Path) -> None:
    said = {"Regen.": "Rain.", "Zeile\nzwei \u2028": "line\ntwo"}
    memory(tmp_path).keep(said, **PAIR)
    memory(tmp_path).keep({"Nebel.": ""}, **PAIR)
    again = memory(tmp_path)
    assert again.known([*said, "Nebel.", "Sturm."], **PAIR) == {**said, "Nebel.": ""}
    assert again.known(["Regen."], source="deu_Latn", target="fra_Latn") == {}
    assert again.known(["Regen."], source="nld_Latn", target="eng_Latn") == {}
    assert memory(tmp_path, "two").known(["Regen."], **PAIR) == {}


def test_a_kill_at_any_byte_loses_the_last_lines_alone(tmp_path: Path) -> None:
    kept = memory(tmp_path)
    kept.keep({"Regen.": "Rain."}, **PAIR)
    (path,) = kept.folder.glob("*.jsonl")
    whole = path.stat().st_size
    kept.keep({"Größe": "Größe"}, **PAIR)
    content = path.read_bytes()
    for end in range(whole, len(content)):
        path.write_bytes(content[:end])
        found = memory(tmp_path).known(["Regen.", "Größe"], **PAIR)
        assert found["Regen."] == "Rain." and (found.get("Größe") in (None, "Größe"))
        memory(tmp_path).keep({"Nebel.": "Fog."}, **PAIR)
        assert memory(tmp_path).known(["Nebel.", "Regen."], **PAIR) == {"Nebel.": "Fog.", "Regen.": "Rain."}


def test_a_folder_that_cannot_be_had_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"No translations can be kept in .*choose another by paths.cache=FOLDER"):
        memory(tmp_path / "file").make_ready()
