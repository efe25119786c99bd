"""From a release of pictures to translations: prepare, extract, train, evaluate, in true layouts of the toy world."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from sonar_slt.cli import main
from sonar_slt.data.feature_store import feature_sets
from sonar_slt.data.manifest import Manifest
from sonar_slt.runs.registry import all_runs
from tests.conftest import MICRO

pytestmark = pytest.mark.smoke

WORLD = ["data=toy", "data.train=5", "data.dev=3", "data.test=3", "data.seed=7"]
SMALL = [f"{key}={value}" for key, value in MICRO.items() if key.startswith("trainer")]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("seeing")


def trained(place: Path, *words: str) -> Any:
    """The run of a training that must succeed."""
    assert main(["train", *words, *SMALL, f"paths.outputs={place}"]) == 0
    return all_runs(place / "runs")[0]


def written(place: Path, layout: str, *words: str) -> list[str]:
    """The toy world as a release of pictures, and the words that name it."""
    release = place / layout
    assert main(["prepare", *WORLD, *words, f"write_as={layout}", f"output={release}", f"paths.outputs={place}"]) == 0
    return [f"data={layout}", f"data.root={release}"]


def test_pictures_alone_become_a_translation(
    place: Path, space_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    release, outputs = written(place, "phoenix14t"), f"paths.outputs={place}"
    assert main(["extract", *release, "features=[vit_tiny_random,videomae_tiny_random]", "workers=1", outputs]) == 0
    assert "left out" not in capsys.readouterr().out
    space = ["recipe=null", f"space.source={space_folder}", "languages.anchors=null", "languages.unseen=[]"]
    run = trained(place, *release, *space, "languages=[deu_Latn]")
    assert "Adapter: spamo, because features of the corpus were extracted" in capsys.readouterr().err
    config = yaml.safe_load((run.folder / "config.yaml").read_text("utf-8"))
    assert config["adapter"]["_target_"].endswith("SpamoAdapter")
    assert config["batches"]["spatial"].startswith("vit_tiny_random-")
    assert "adapter=spamo" in (run.folder / "overrides.yaml").read_text("utf-8")
    [lines] = [path.read_text("utf-8").splitlines() for path in (run.folder / "hypotheses").glob("dev.*.jsonl")]
    assert len(lines) == 3 and {"id", "hypothesis"} <= json.loads(lines[0]).keys()
    assert main(["extract", *release, "features=vit_tiny_patches", "workers=0", outputs]) == 0
    words = ["evaluate", run.id, "split=test", "num_beams=1", outputs]
    assert main(words) == 0, "other features beside those of the training change nothing"


def test_clips_cut_from_videos_have_a_row_for_every_frame(place: Path) -> None:
    release = written(place, "how2sign", "data.train=2", "data.dev=1", "data.test=1")
    assert main(["extract", *release, "features=vit_tiny_random", "workers=0", f"paths.outputs={place}"]) == 0
    [home] = (place / "corpora").glob("how2sign-*")
    [features] = feature_sets(home)
    rows = Manifest(home / "manifest.jsonl")
    assert len(features) == len(rows) == 4
    assert [len(features[row.id]) for row in rows] == [row.frames for row in rows]


def test_pictures_in_the_loop_are_made_where_the_corpus_is_generated(
    place: Path, space_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space = ["recipe=null", f"space.source={space_folder}", "languages=[deu_Latn]"]
    small = ["batches.size=4", "adapter.eye.backbone.architecture.embed_dim=16", "adapter.eye.backbone.narrow=2"]
    run = trained(place, *WORLD, *space, *small, "adapter=visual", "augment=[crop,colour,frame_mask]")
    config = yaml.safe_load((run.folder / "config.yaml").read_text("utf-8"))
    assert config["batches"]["pictures"].startswith("pictures-") and run.status == "finished"
    assert len(run.metrics["scores"]) == 3
    release = [f"data.root={place / 'phoenix14t'}", "data=phoenix14t"]
    assert main(["train", *release, *space, "adapter=visual", f"paths.outputs={place}"]) == 2
    assert "no pictures for the adapter to read" in capsys.readouterr().err
