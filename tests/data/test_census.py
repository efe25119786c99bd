"""What a record says of the data: the clips that are read, and the faults that were found when they were prepared."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from sonar_slt.data.census import census

TRAIN = {"clips": 3, "labelled": 4, "hours": 0.25, "signers": 2}


def prepared(folder: Path, faults: dict[str, dict[str, int]]) -> Path:
    folder.mkdir()
    (folder / "manifest.jsonl").touch()
    (folder / "summary.json").write_text(json.dumps({"splits": {"train": TRAIN}, "faults": faults}))
    return folder


def data(homes: dict[str, Path], train: list[int], frames: list[int]) -> Any:
    class Rows(list[int]):
        numbers = np.array(train)

    corpus = SimpleNamespace(homes=homes, rows=SimpleNamespace(frames=np.array(frames)))
    return SimpleNamespace(corpus=corpus, rows={"train": Rows(train)})


def test_a_split_that_is_read_whole_has_its_hours_and_signers(tmp_path: Path) -> None:
    home = prepared(tmp_path / "a", {"empty_text": {"left out": 1, "kept": 2}})
    found = census(data({"": home}, [0, 1, 2], [5, 6, 7]))
    assert found["splits"]["train"] == {"clips": 3, "frames": 18, "labelled": 4, "hours": 0.25, "signers": 2}
    assert found["faults"] == {"empty_text": 3}


def test_of_a_part_only_the_clips_are_known(tmp_path: Path) -> None:
    home = prepared(tmp_path / "a", {})
    assert census(data({"": home}, [0, 2], [5, 6, 7]))["splits"]["train"] == {"clips": 2, "frames": 12, "labelled": 4}


def test_a_mixture_is_the_sum_of_its_parts(tmp_path: Path) -> None:
    homes = {f"{name}/": prepared(tmp_path / name, {"frozen": {"kept": 1}}) for name in ("a", "b")}
    found = census(data(homes, [0, 1, 2, 3, 4, 5], [1] * 6))
    assert found["splits"]["train"]["hours"] == 0.5 and found["faults"] == {"frozen": 2}


def test_a_corpus_without_a_summary_has_its_clips_counted(tmp_path: Path) -> None:
    found = census(data({"": tmp_path}, [1], [5, 6]))
    assert found == {"splits": {"train": {"clips": 1, "frames": 6}}, "faults": {}}
