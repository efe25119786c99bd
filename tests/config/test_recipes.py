"""The recipes say what their comments say, and every command that they and the documents name is one that composes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import pytest

from sonar_slt.cli.command.arguments import overrides, separate
from sonar_slt.config.compose import examine
from sonar_slt.config.floorplan import Floorplan
from sonar_slt.config.location import PACKAGE, conf_folder

pytestmark = pytest.mark.conf

PLAN = Floorplan([conf_folder()])
PAPER = PLAN.inside("experiment", "paper")
RECIPES = [*PAPER, "how2sign_keypoints", "reference_tools"]
SHEET = PACKAGE.parent / "docs" / "reproduce.md"


def commands(text: str) -> Iterator[list[str]]:
    """The words of every `sonar-slt …` line of a comment or a document; lines that end in a backslash go on."""
    whole = re.sub(r"\\\n#?\s*", "", text)
    for line in re.findall(r"^#?\s*(sonar-slt .+)$", whole, re.MULTILINE):
        yield shlex.split(line, comments=True)[1:]


def faults(words: list[str]) -> list[str]:
    verb, *rest = words
    found = separate(verb, rest)
    return examine(verb, overrides(verb, found, PLAN), multirun=found.multirun, complete=False).problems


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_names_its_own_command_and_all_of_its_commands_compose(recipe: str) -> None:
    file = PLAN.file(f"experiment/{recipe}")
    assert file is not None
    told = list(commands(file.read_text(encoding="utf-8")))
    assert any(f"experiment={recipe}" in words for words in told)
    assert [(words, faults(words)) for words in told if faults(words)] == []


@pytest.mark.skipif(not SHEET.is_file(), reason="the documents are not installed with the package")
def test_the_sheet_names_every_recipe_and_its_commands_compose() -> None:
    text = SHEET.read_text(encoding="utf-8")
    assert [recipe for recipe in RECIPES if f"experiment={recipe}" not in text] == []
    told = list(commands(text))
    assert len(told) > 8 and [(words, faults(words)) for words in told if faults(words)] == []


def test_mono_and_multi_differ_in_their_languages_alone() -> None:
    mono, multi, table = (
        examine("train", [f"experiment=paper/{name}"], complete=False).config
        for name in ("phoenix_mono", "phoenix_multi", "target_languages")
    )
    assert mono["languages"]["targets"] == ["deu_Latn"]
    assert multi["languages"]["targets"] == ["deu_Latn", "eng_Latn", "fra_Latn", "spa_Latn"]
    assert table["languages"]["unseen"] == ["tur_Latn", "plt_Latn", "pes_Arab"]
    apart = {"languages", "batches", "name"}  # batches repeat the languages
    assert all(mono[key] == multi[key] == table[key] for key in mono.keys() - apart)


def test_phoenix_is_learnt_at_a_constant_rate_and_csl_daily_by_a_cosine() -> None:
    for name, schedule in {"phoenix_mono": "Constant", "csl_mono": "WarmupCosine", "csl_multi": "WarmupCosine"}.items():
        config = examine("train", [f"experiment=paper/{name}"], complete=False).config
        assert config["schedule"]["_target_"].endswith(schedule)
        assert config["task"]["learning_rate"] == 3e-4 and config["batches"]["size"] == 8


def test_the_visual_stage_leaves_the_decoder_alone() -> None:
    config = examine("train", ["experiment=paper/visual_stage"], complete=False).config
    assert set(config["objective"]) == {"semantic", "mse", "cosine"} and config["batches"]["size"] == 64
    assert config["student"]["_target_"].endswith(".Student")
