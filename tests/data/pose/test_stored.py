"""Points in a clip store, read as pose files are: found by id, whole, in pixels, and noticed when they change."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sonar_slt.data.corpora.table import Table
from sonar_slt.data.labels.places import Places
from sonar_slt.data.layouts import MEDIAPIPE_543
from sonar_slt.data.pose import PoseReader, listed
from sonar_slt.data.preparation import Preparation
from sonar_slt.data.preparation.basis import basis
from sonar_slt.data.preparation.job import prepare
from sonar_slt.data.release import Entry, Media, Span
from sonar_slt.data.store import StoreWriter
from sonar_slt.data.unreadable import Unreadable
from sonar_slt.errors import UserError

IDS = ["-a.b", "c.pose", "ü 1", "S000020_P0000_T00"]
PIXELS: Mapping[str, Any] = {"layout": "mediapipe_543", "normalised": ""}


def points(seed: int, frames: int = 5) -> np.ndarray:
    drawn = np.random.default_rng(seed).uniform(0.1, 1, (frames, 543, 3)) * (250, 200, 1)
    return drawn.astype(np.float32)


def store(folder: Path, ids: list[str], *, described: Mapping[str, Any] = PIXELS, shape: Any = (543, 3)) -> Path:
    with StoreWriter(folder, shape=shape, dtype="float32", described=described) as writer:
        for id in ids:
            writer.append(id, np.resize(points(len(id)), (5, *shape)), {})
        writer.finish()
    return folder


def test_every_clip_of_a_store_is_found_and_read(tmp_path: Path) -> None:
    folder = store(tmp_path / "poses", IDS)
    assert listed(folder) == {id: [folder / id] for id in sorted(IDS)}
    for id in IDS:
        recording = PoseReader().read(Media("pose", folder / id), fps=25.0, size=(250, 200))
        assert (recording.layout, recording.fps, recording.size) == (MEDIAPIPE_543, 25.0, (250, 200))
        np.testing.assert_array_equal(recording.points, points(len(id)))
        assert not recording.faults


def test_points_near_the_corner_are_pixels_too(tmp_path: Path) -> None:
    with StoreWriter(tmp_path / "s", shape=(543, 3), dtype="float32", described=PIXELS) as writer:
        writer.append("a", points(0) / 200, {})
        writer.finish()
    recording = PoseReader().read(Media("pose", tmp_path / "s" / "a"), size=(250, 200))
    np.testing.assert_array_equal(recording.points, points(0) / np.float32(200))


def test_frames_without_anybody(tmp_path: Path) -> None:
    seen, nobody = points(0), np.zeros((5, 543, 3), np.float32)
    seen[[1, 2]] = 0
    with StoreWriter(tmp_path / "s", shape=(543, 3), dtype="float32", described=PIXELS) as writer:
        writer.append("seen", seen, {})
        writer.append("nobody", nobody, {})
        writer.finish()
    recording = PoseReader().read(Media("pose", tmp_path / "s" / "seen"))
    np.testing.assert_array_equal(recording.points, seen)
    [fault] = recording.faults
    assert (fault.kind, fault.told) == ("no_person", "nobody was found in 2 of 5 frames: 1-2")
    recording = PoseReader().read(Media("pose", tmp_path / "s" / "nobody"))
    assert len(recording) == 5 and not recording.points.any()


def test_a_store_for_each_shard_and_for_each_split(tmp_path: Path) -> None:
    shards = [store(tmp_path / "set" / f"00{number}-of-002", [f"clip{number}"]) for number in (1, 2)]
    assert listed(tmp_path / "set") == {"clip1": [shards[0] / "clip1"], "clip2": [shards[1] / "clip2"]}
    splits = [store(tmp_path / "splits" / split, ["same"]) for split in ("train", "dev")]
    places = Places(poses=tmp_path / "splits")
    assert [places.pose("same", split) for split in ("train", "dev")] == [
        Media("pose", folder / "same") for folder in splits
    ]


def test_a_missing_shard_is_told_at_once(tmp_path: Path) -> None:
    store(tmp_path / "001-of-002", ["a"])
    with pytest.raises(UserError, match=r"not all shards of .* `sonar-slt extract`"):
        listed(tmp_path)
    StoreWriter(tmp_path / "002-of-002", shape=(543, 3), dtype="float32", described=PIXELS).close()
    with pytest.raises(UserError, match="or not finished"):
        listed(tmp_path)


def test_a_store_that_is_no_poses(tmp_path: Path) -> None:
    StoreWriter(tmp_path / "unfinished", shape=(543, 3), dtype="float32", described=PIXELS).close()
    with pytest.raises(UserError, match="is unfinished: give its `sonar-slt extract`"):
        listed(tmp_path / "unfinished")
    store(tmp_path / "prepared", ["a"], described={**PIXELS, "normalised": "signer"})
    with pytest.raises(UserError, match="points normalised by signer"):
        listed(tmp_path / "prepared")
    store(tmp_path / "spatial", ["a"], described={}, shape=(8,))
    with pytest.raises(UserError, match=r"holds frames of \(8,\)"):
        listed(tmp_path / "spatial")
    folder = store(tmp_path / "poses", ["a"])
    with pytest.raises(Unreadable, match="has no clip 'b'"):
        PoseReader().read(Media("pose", folder / "b"))


def test_a_clip_in_a_store_is_cut_already(tmp_path: Path) -> None:
    folder, span = store(tmp_path / "poses", ["a"]), Span(1.0, 2.0)
    assert Places(poses=folder).pose("a", "train", span) == Media("pose", folder / "a")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.npz").touch()
    assert Places(poses=tmp_path / "files").pose("a", "train", span) == Media(
        "pose", tmp_path / "files" / "a.npz", span
    )


def test_a_store_that_is_made_anew_is_noticed(tmp_path: Path) -> None:
    folder = store(tmp_path / "poses", ["a"])
    entry = Entry(id="a", split="train", texts={}, where="line 1", pose=Media("pose", folder / "a"))
    before, former = basis(entry, ()), PoseReader().read(entry.pose).points  # type: ignore[arg-type]
    assert basis(entry, ()) == before
    for path in folder.iterdir():
        path.unlink()
    with StoreWriter(folder, shape=(543, 3), dtype="float32", described=PIXELS) as writer:
        writer.append("a", points(77), {})
        writer.finish()
    os.utime(folder / "store.json", ns=(time.time_ns() + 10**9,) * 2)
    assert basis(entry, ()) != before
    assert not np.array_equal(PoseReader().read(entry.pose).points, former)  # type: ignore[arg-type]


def test_a_corpus_is_prepared_from_a_store(tmp_path: Path) -> None:
    folder = store(tmp_path / "poses", ["a", "bb"])
    (tmp_path / "clips.csv").write_text("id,text,split,start,end\na,one,train,3,4\nbb,two,dev,8,9\n")
    columns = {name: name for name in ("id", "text", "split", "start", "end")}
    corpus = Table(
        root=tmp_path,
        folder=tmp_path / "made",
        preparation=Preparation(layout=None, normalise=None, precision="float32", least_motion=0),
        table="clips.csv",
        columns=columns,
        language="eng_Latn",
        fps=25.0,
        poses=str(folder),
    )
    prepare(corpus, workers=0, shown=False)
    assert corpus.layout is MEDIAPIPE_543
    assert list(corpus.clips.ids) == ["a", "bb"]
    np.testing.assert_array_equal(corpus.clips["bb"], points(2))
