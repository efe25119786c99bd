"""Every recipe begins: a step of training, a look at dev, on releases in the true layouts, in the micro world."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from sonar_slt.cli import main
from sonar_slt.config.floorplan import Floorplan
from sonar_slt.config.location import conf_folder
from sonar_slt.runs.registry import all_runs

pytestmark = pytest.mark.smoke

WORLD = ["data=toy", "data.train=2", "data.dev=1", "data.test=1", "data.seed=7"]
TRANSLATED = "[eng_Latn,fra_Latn,spa_Latn,tur_Latn]"
TINY = ["adapter.dim=16", "adapter.context.rank=2", "batches.size=2"]
TINY_KEYPOINTS = [f"adapter.{size}" for size in ("dim=32", "frame_hidden=32", "layers=1", "hidden=32", "heads=4")]
TINY_REFERENCE = [f"adapter.{size}" for size in ("dim=16", "layers=1", "heads=2", "frame_dim=16", "frame_layers=1")]
MULTI, BOTH = ["languages.unseen=[]"], ["languages.targets=[deu_Latn]", "languages.unseen=[]"]
"""Words for what the micro space has no word for: Chinese, Malagasy, Persian."""
RECIPES = {
    "paper/architecture": ("phoenix", [*TINY, *BOTH]),
    "paper/visual_stage": ("parts", [*TINY, *BOTH]),
    "paper/phoenix_mono": ("phoenix", [*TINY, "languages.unseen=[eng_Latn]"]),
    "paper/phoenix_multi": ("phoenix", [*TINY]),
    "paper/target_languages": ("phoenix", [*TINY, "languages.unseen=[tur_Latn]"]),
    "paper/csl_mono": ("csl", [*TINY, *BOTH]),
    "paper/csl_multi": ("csl", [*TINY, "languages.targets=[deu_Latn,eng_Latn]"]),
    "paper/visual_block": ("phoenix", [*TINY, *MULTI]),
    "how2sign_keypoints": ("how2sign", [*TINY_KEYPOINTS, "languages.unseen=[]"]),
    "reference_tools": ("how2sign", [*TINY_REFERENCE, "preparation.layout=signing", "languages.targets=[eng_Latn]"]),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recipes")


@pytest.fixture(scope="module")
def releases(place: Path, space_folder: Path) -> Mapping[str, list[str]]:
    """The toy world as three corpora, two of them extracted and translated by machine, and the words that name each."""
    named = {}
    for short, layout in {"phoenix": "phoenix14t", "csl": "csl_daily", "how2sign": "how2sign"}.items():
        command("prepare", *WORLD, f"write_as={layout}", f"output={place / layout}", place=place)
        named[short] = [f"data={layout}", f"data.root={place / layout}"]
    named["csl"].append("data.language=deu_Latn")  # as the toy world's own signs are written there
    for short in ("phoenix", "csl"):
        seen = ["features=[vit_tiny_random,videomae_tiny_random]", "features.videomae_tiny_random.stride=16"]
        command("extract", *named[short], *seen, "workers=0", place=place)
        machine = [f"translator.source={space_folder}", "translator.num_beams=1", "translator.max_tokens=4"]
        command("augment-text", *named[short], f"languages={TRANSLATED}", *machine, place=place)
    both = [(part, word.removeprefix("data.")) for part in ("phoenix", "csl") for word in named[part][1:]]
    return {**named, "parts": [f"data.parts.{part}.{word}" for part, word in both]}


@pytest.fixture(scope="module")
def stage(place: Path, space_folder: Path, releases: Mapping[str, list[str]]) -> Path:
    """A run of stage one, which leaves a visual block behind."""
    release, words = RECIPES["paper/visual_stage"]
    short = ["trainer.max_steps=2", "eval_every=2", "conclude=null", "monitor=dev/loss", "trainer.accelerator=cpu"]
    space = ["recipe=null", f"space.source={space_folder}"]
    command("train", "experiment=paper/visual_stage", *releases[release], *words, *short, *space, place=place)
    return all_runs(place / "runs")[0].folder


def command(*words: str, place: Path) -> None:
    """A command that must succeed."""
    assert main([*words, f"paths.outputs={place}"]) == 0


def test_no_recipe_is_left_out() -> None:
    plan = Floorplan([conf_folder()])
    assert set(plan.inside("experiment", "paper")) <= set(RECIPES) <= set(plan.options("experiment"))


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_starts(
    recipe: str, place: Path, space_folder: Path, releases: Mapping[str, list[str]], stage: Path
) -> None:
    release, words = RECIPES[recipe]
    before = {run.id for run in all_runs(place / "debug" / "fast")}
    taken = [f"init_from={stage}"] if recipe == "paper/visual_block" else []
    space = ["recipe=null", f"space.source={space_folder}"]
    command("train", f"experiment={recipe}", "debug=fast", *releases[release], *words, *taken, *space, place=place)
    runs = [run for run in all_runs(place / "debug" / "fast") if run.id not in before]
    assert [run.status for run in runs] == ["finished"] * (6 if taken else 1)
    if taken:
        configs = [yaml.safe_load((run.folder / "config.yaml").read_text("utf-8")) for run in runs]
        blocks = {(len(c["languages"]["targets"]), *c["init_parts"], *c["task"]["frozen"]) for c in configs}
        assert blocks == {(n, *block) for n in (1, 4) for block in ((), ("adapter",), ("adapter", "adapter"))}
