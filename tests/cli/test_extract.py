"""`sonar-slt extract`: from a corpus to features that train, killed on the way, and what is said of wrong words."""

from __future__ import annotations

import filecmp
import time
from pathlib import Path

import pytest

from sonar_slt.cli import main
from tests.forked import forked

TOY = ["data=toy", "data.train=8", "data.dev=2", "data.test=2", "data.seed=3"]
EXTRACT = ["extract", *TOY, "features=vit_tiny_random"]


def store_of(outputs: Path) -> Path:
    [shard] = outputs.glob("corpora/toy-*/features/vit_tiny_random-*/*001-of-001")
    return shard


def same(a: Path, b: Path) -> bool:
    names = sorted(path.name for path in a.iterdir())
    matching, *_ = filecmp.cmpfiles(a, b, names, shallow=False)
    return names == sorted(path.name for path in b.iterdir()) and sorted(matching) == names


def killed(outputs: Path, clips: int) -> None:
    """Start the command and kill it once its journal has so many clips."""
    words = [*EXTRACT, f"paths.outputs={outputs}", "workers=1"]
    process = forked(lambda: main(words), outputs.with_suffix(".said"))
    deadline = time.monotonic() + 240
    while process.is_alive() and time.monotonic() < deadline:
        found = [len(path.read_bytes().splitlines()) for path in outputs.glob("corpora/toy-*/features/*/.*/journal")]
        if max(found, default=0) > clips:
            break
        time.sleep(0.02)
    assert process.is_alive()
    process.kill()
    process.join()


def test_killed_twice_the_features_are_the_same_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*EXTRACT, f"paths.outputs={tmp_path / 'whole'}", "workers=0"]) == 0
    told = capsys.readouterr().out
    assert "Extracted: vit_tiny_random, spatial, 12 clips" in told and "adapter=spamo" in told
    for clips in (2, 7):
        killed(tmp_path / "killed", clips)
    assert main([*EXTRACT, f"paths.outputs={tmp_path / 'killed'}", "workers=0"]) == 0
    assert same(store_of(tmp_path / "whole"), store_of(tmp_path / "killed"))
    assert main([*EXTRACT, f"paths.outputs={tmp_path / 'killed'}"]) == 0
    assert "There already" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["shard=4/3"], "a part of so many was expected"),
        (["shard=x"], "a part of so many was expected"),
        (["precision=float8"], "choose float32 or bfloat16"),
        (["workers=-1"], "a number of processes"),
        (["pictures=0"], "at least one at a time"),
        (["features=[]"], "features=[] leaves none"),
        (["features=vti"], "vit"),
        (["features=clip_s2", "features.clip_s2.wieghts=x"], "Did you mean features.clip_s2.weights?"),
        (["features=spamo_spatial"], "features.spamo_spatial.folder"),
    ],
)
def test_wrong_words_are_answered_by_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    assert main(["extract", *TOY, *words, f"paths.outputs={tmp_path}"]) == 2
    assert told in capsys.readouterr().err
