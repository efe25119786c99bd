"""SpaMo's npy folders: every suffix that circulates, what does not fit the manifest, and that nothing is unpickled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sonar_slt.data.feature_store import feature_set
from sonar_slt.errors import UserError
from sonar_slt.features import SpamoFiles
from sonar_slt.features.extraction.job import Extracted, extract
from tests.features.filmed import FilmedCorpus

LENGTHS = [40, 16, 5, 24, 100, 30]


@pytest.fixture
def corpus(tmp_path: Path) -> FilmedCorpus:
    return FilmedCorpus(tmp_path / "corpus", LENGTHS)


def written(folder: Path, rows: list[int], suffix: str, width: int, *, split: bool) -> Path:
    """A file per clip whose numbers are the clip's."""
    for number, count in enumerate(rows):
        home = folder / ("train", "dev", "test")[number % 3] if split else folder
        home.mkdir(parents=True, exist_ok=True)
        np.save(home / f"clip{number:02d}{suffix}.npy", np.full((count, width), number, np.float32))
    return folder


def run(corpus: FilmedCorpus, **options: Any) -> Extracted:
    return extract(corpus, SpamoFiles(**options), name="spamo", shown=False)


def told(done: Extracted) -> list[tuple[str, str, str]]:
    faults = [json.loads(line) for line in done.faults.read_text("utf-8").splitlines()]
    return [(fault["id"], fault["kind"], fault["done"]) for fault in faults]


@pytest.mark.parametrize("suffix", ["_s2wrapping", ""])
@pytest.mark.parametrize("split", [True, False])
def test_spatial_files_are_read_as_they_are(corpus: FilmedCorpus, tmp_path: Path, suffix: str, split: bool) -> None:
    folder = written(tmp_path / "npy", LENGTHS, suffix, 2048, split=split)
    done = run(corpus, folder=folder, track="spatial", width=2048)
    assert told(done) == [] and done.summary["clips"] == len(LENGTHS) and not corpus.opened
    found = feature_set(corpus.prepared, "spatial", None)
    assert found is not None and found.shape == (2048,)
    for number, frames in enumerate(LENGTHS):
        values = found[f"clip{number:02d}"]
        assert values.shape == (frames, 2048) and (values == number).all()


@pytest.mark.parametrize("suffix", ["_overlap-8", "_overlap-8-pretrained", ""])
@pytest.mark.parametrize("tail", ["dropped", "kept"])
def test_motion_files_with_and_without_the_tail_fit(
    corpus: FilmedCorpus, tmp_path: Path, suffix: str, tail: str
) -> None:
    behind = [max(0, frames - 16) for frames in LENGTHS]
    rows = [frames // 8 + 1 if tail == "dropped" else -(-frames // 8) + 1 for frames in behind]
    folder = written(tmp_path / "npy", rows, suffix, 1024, split=True)
    assert told(run(corpus, folder=folder, track="motion", width=1024)) == []


def test_what_does_not_fit_is_a_fault_of_its_clip(corpus: FilmedCorpus, tmp_path: Path) -> None:
    folder = written(tmp_path / "npy", [40, 12, 5, 24, 100, 30], "_s2wrapping", 8, split=False)
    (folder / "clip02_s2wrapping.npy").unlink()
    whole = (folder / "clip03_s2wrapping.npy").read_bytes()
    (folder / "clip03_s2wrapping.npy").write_bytes(whole[:-7])
    np.save(folder / "clip04_s2wrapping.npy", np.zeros((100, 9), np.float32))
    np.save(folder / "clip05_s2wrapping.npy", np.full((30, 8), np.nan, np.float32))
    done = run(corpus, folder=folder, track="spatial", width=8)
    assert told(done) == [
        ("clip01", "length_differs", "kept"),
        ("clip02", "missing_clip", "left out"),
        ("clip03", "unreadable", "left out"),
        ("clip04", "unreadable", "left out"),
        ("clip05", "unreadable", "left out"),
    ]
    assert "has 12 rows, the manifest 16 frames" in done.faults.read_text("utf-8")


def test_pickled_arrays_are_never_loaded(corpus: FilmedCorpus, tmp_path: Path) -> None:
    folder = written(tmp_path / "npy", LENGTHS, "", 4, split=False)
    np.save(folder / "clip00.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    done = run(corpus, folder=folder, track="spatial", width=4)
    assert told(done)[0] == ("clip00", "unreadable", "left out")
    assert "never loaded" in done.faults.read_text("utf-8")


def test_files_of_other_clips_are_refused(corpus: FilmedCorpus, tmp_path: Path) -> None:
    folder = tmp_path / "npy"
    folder.mkdir()
    np.save(folder / "elsewhere_s2wrapping.npy", np.zeros((3, 4), np.float32))
    with pytest.raises(UserError, match="no file for any clip of filmed, such as clip00; it has elsewhere"):
        run(corpus, folder=folder, track="spatial", width=4)
    with pytest.raises(UserError, match="a folder of npy files"):
        SpamoFiles(folder=tmp_path / "nowhere", track="spatial", width=4)
