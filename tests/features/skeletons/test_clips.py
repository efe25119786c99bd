"""Skeletons of clip after clip: in order whatever process is first, faults by clip, and into a store that prepares."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sonar_slt.data.feature_store import FeatureSet
from sonar_slt.features.extraction.job import extract
from sonar_slt.features.skeletons import Holistic, MediapipeHolistic
from tests.features.filmed import FilmedCorpus
from tests.features.skeletons.test_holistic import command

LENGTHS = [5, 1, 12, 0, 7, 3]


@pytest.fixture
def mediapipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MediapipeHolistic:
    """The real one but for its process, which makes points up."""
    monkeypatch.setattr(MediapipeHolistic, "open", lambda self: Holistic(command(), patience=20))
    return MediapipeHolistic(environments=tmp_path)


@pytest.mark.parametrize("workers", [0, 2])
def test_every_clip_has_its_own_points_in_order(tmp_path: Path, mediapipe: MediapipeHolistic, workers: int) -> None:
    corpus = FilmedCorpus(tmp_path / "corpus", LENGTHS, {2: 4})
    done = extract(corpus, mediapipe, name="mediapipe_holistic", workers=workers, shown=False)
    assert done.summary["track"] == "points" and done.summary["settings"]["layout"] == "mediapipe_543"
    found = FeatureSet(corpus.prepared, [done.folder])
    assert found.shape == (543, 3) and found.stores[0].layout == "mediapipe_543"
    for number, frames in enumerate(LENGTHS):
        if frames and number != 2:
            points = found[f"clip{number:02d}"]
            # what the process makes up: the first pixel of the picture, and the number of the frame
            assert points[:, 0, :2].tolist() == [[number % 16, frame] for frame in range(frames)]
    faults = [json.loads(line) for line in done.faults.read_text("utf-8").splitlines()]
    told = {(fault["id"], fault["kind"], fault["done"]) for fault in faults}
    assert {("clip02", "unreadable", "left out"), ("clip03", "empty_clip", "left out")} <= told
    assert ("clip04", "broken_frame", "kept") in told


def test_killed_and_gone_on_with_the_points_are_the_same(tmp_path: Path, mediapipe: MediapipeHolistic) -> None:
    from tests.features.test_job import Interrupted, Killed

    whole, again = (FilmedCorpus(tmp_path / name, LENGTHS) for name in ("whole", "again"))
    done = extract(whole, mediapipe, name="points", shown=False)
    with pytest.raises(Killed):
        extract(again, Interrupted(mediapipe, 2), name="points", shown=False)  # type: ignore[arg-type]
    resumed = extract(again, mediapipe, name="points", shown=False)
    assert (done.folder / "points-000.npy").read_bytes() == (resumed.folder / "points-000.npy").read_bytes()
    assert np.load(resumed.folder / "index.npy").shape == (5, 5)
