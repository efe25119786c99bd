"""The extraction job: every window of every clip once, the same bytes after any kill and in any number of shards."""

from __future__ import annotations

import filecmp
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sonar_slt.data.feature_store import FeatureSet, feature_set, feature_sets
from sonar_slt.data.manifest import Row, write
from sonar_slt.errors import UserError
from sonar_slt.features import windows
from sonar_slt.features.extraction.batched import Batched
from sonar_slt.features.extraction.job import Extracted, chunks, extract
from sonar_slt.features.extraction.made import Made
from tests.features.filmed import FilmedCorpus, Numbers, row

LENGTHS = [1, 40, 7, 900, 16, 17, 1200, 8, 24, 300, 1900, 3, 60]


def batched(window: int = 4, stride: int = 2, pictures: int = 20) -> Batched:
    backbone = Numbers(window=window, stride=stride)
    return Batched(backbone, device=torch.device("cpu"), precision=torch.float32, pictures=pictures)


def run(corpus: FilmedCorpus, feature: Any = None, **options: Any) -> Extracted:
    feature = feature or batched()
    plan = feature.plan() if isinstance(feature, Batched) else {}
    return extract(corpus, feature, name="numbers", plan=plan, shown=False, **options)


def same(a: Path, b: Path) -> bool:
    compared = filecmp.dircmp(a, b, ignore=[])
    names = [*compared.left_list]
    match, *_ = filecmp.cmpfiles(a, b, names, shallow=False)
    return not compared.left_only and not compared.right_only and sorted(match) == sorted(names)


@pytest.fixture
def corpus(tmp_path: Path) -> FilmedCorpus:
    return FilmedCorpus(tmp_path / "corpus", LENGTHS)


@pytest.mark.parametrize(("window", "stride", "pictures"), [(1, 1, 7), (1, 1, 64), (4, 2, 20), (16, 8, 64), (4, 4, 9)])
@pytest.mark.parametrize("workers", [0, 2])
def test_every_window_is_made_once_from_its_own_frames(
    corpus: FilmedCorpus, window: int, stride: int, pictures: int, workers: int
) -> None:
    if workers and (window, pictures) != (4, 20):
        pytest.skip("processes are tried with one backbone")
    feature = batched(window, stride, pictures)
    found = FeatureSet(corpus.prepared, [run(corpus, feature, workers=workers).folder])
    assert found.track == "motion" and found.shape == (1 + window,)
    for one in corpus.rows:
        expected = windows(one.frames, window, stride)
        values = found[one.id].astype(np.int64)
        assert np.array_equal(values[:, 1:], expected), one.id
        assert (values[:, 0] == int(one.id[4:]) % 16).all()
    shown = sum(pictures for pictures, _ in feature.backbone.calls)
    borders = len(feature.backbone.calls) * max(0, window - stride)
    assert shown <= sum(LENGTHS) + borders, "but for those that two batches share, a picture goes in once"
    assert sum(items for _, items in feature.backbone.calls) == sum(len(windows(n, window, stride)) for n in LENGTHS)


class Killed(Exception):
    pass


class Interrupted:
    """A feature that dies after so many clips."""

    def __init__(self, feature: Batched, clips: int) -> None:
        self.feature, self.clips = feature, clips
        self.track, self.shape, self.dtype = feature.track, feature.shape, feature.dtype

    def described(self) -> dict[str, Any]:
        return self.feature.described()

    def made(self, corpus: Any, chunks: Sequence[Sequence[Row]], *, workers: int) -> Iterator[Made]:
        yield from islice(self.feature.made(corpus, chunks, workers=workers), self.clips)
        raise Killed


@pytest.mark.parametrize("kills", [[0], [1, 5], [3, 1, 1], [6, 6], [12]])
def test_after_any_kills_every_byte_is_the_same(tmp_path: Path, kills: Sequence[int]) -> None:
    whole = run(FilmedCorpus(tmp_path / "whole" / "corpus", LENGTHS, {5: 3}))
    again = FilmedCorpus(tmp_path / "killed" / "corpus", LENGTHS, {5: 3})
    for clips in kills:
        feature = batched()
        with pytest.raises(Killed):
            extract(again, Interrupted(feature, clips), name="numbers", plan=feature.plan(), shown=False)
    again.opened.clear()
    assert same(whole.folder, run(again).folder)
    if kills == [12]:
        assert len(again.opened) < len(LENGTHS), "what is in the store is not looked at again, but for its chunk"


def test_shards_hold_the_same_vectors_as_one_whole(tmp_path: Path) -> None:
    whole = FilmedCorpus(tmp_path / "whole", LENGTHS)
    run(whole)
    parted = FilmedCorpus(tmp_path / "parted", LENGTHS)
    for number in (3, 1):
        run(parted, shard=(number, 3))
    assert feature_sets(parted.prepared) == [], "two of three shards are no features yet"
    run(parted, shard=(2, 3))
    [one], [three] = feature_sets(whole.prepared), feature_sets(parted.prepared)
    assert len(three) == len(one) == len(LENGTHS) and len(three.shards) == 3 and one.name == three.name
    for clip in whole.rows:
        assert np.array_equal(one[clip.id], three[clip.id])
    assert not run(parted).made, "what is there is not made again in other shards"


def test_a_clip_that_breaks_off_is_a_fault_and_costs_no_other(tmp_path: Path) -> None:
    corpus = FilmedCorpus(tmp_path / "corpus", [20, 30, 40, 0, 50], {1: 12, 2: 0})
    done = run(corpus)
    faults = [json.loads(line) for line in done.faults.read_text("utf-8").splitlines()]
    assert [(fault["id"], fault["kind"], fault["done"]) for fault in faults] == [
        ("clip01", "unreadable", "left out"),
        ("clip02", "unreadable", "left out"),
        ("clip03", "empty_clip", "left out"),
        ("clip04", "broken_frame", "kept"),
    ]
    assert faults[0]["split"] == "dev" and "breaks off at frame 12" in faults[0]["told"]
    assert done.summary["clips"] == 2 and done.summary["left_out"] == 3
    found = feature_set(corpus.prepared, "motion", None)
    assert found is not None and "clip01" not in found and len(found["clip04"]) == len(windows(50, 4, 2))


def test_a_chunk_is_as_long_as_the_manifest_says(corpus: FilmedCorpus) -> None:
    planned = chunks(corpus.rows)
    assert [one.id for chunk in planned for one in chunk] == [one.id for one in corpus.rows]
    assert all(sum(one.frames for one in chunk[:-1]) < 2048 for chunk in planned) and len(planned) == 3


def test_other_settings_never_mix(corpus: FilmedCorpus) -> None:
    first, second = run(corpus, batched(4, 2)), run(corpus, batched(4, 4))
    assert first.folder.parent != second.folder.parent
    with pytest.raises(UserError, match=r"several motion features, numbers-\w+, numbers-\w+: choose by batches.motion"):
        feature_set(corpus.prepared, "motion", None)
    named = feature_set(corpus.prepared, "motion", first.folder.parent.name)
    assert named is not None and named.folder == first.folder.parent
    with pytest.raises(UserError, match="has no such features; its motion features: numbers"):
        feature_set(corpus.prepared, "motion", "elsewhere")
    assert feature_set(corpus.prepared, "spatial", None) is None


def test_another_plan_is_not_gone_on_with(corpus: FilmedCorpus) -> None:
    feature = batched()
    with pytest.raises(Killed):
        extract(corpus, Interrupted(feature, 2), name="numbers", plan=feature.plan(), shown=False)
    with pytest.raises(UserError, match="was begun with other settings"):
        run(corpus, batched(pictures=30))


def test_features_of_other_clips_are_refused(corpus: FilmedCorpus) -> None:
    run(corpus)
    [found] = feature_sets(corpus.prepared)
    found.require(corpus.rows.media_digest)
    write(corpus.prepared / "manifest.jsonl", [row(number, 9) for number in range(len(LENGTHS))])
    with pytest.raises(UserError, match="was extracted from other clips"):
        found.require(corpus.rows.media_digest)


@pytest.mark.parametrize("shard", [(0, 3), (4, 3)])
def test_a_shard_that_is_none_is_refused(corpus: FilmedCorpus, shard: tuple[int, int]) -> None:
    with pytest.raises(UserError, match="shards are counted from 1/3 to 3/3"):
        run(corpus, shard=shard)
