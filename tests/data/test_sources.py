"""Batches of features: which are read, how their rows go with the frames, and what is said when they are not there."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch

from sonar_slt.config.assembly import batches_of
from sonar_slt.data.batches.clip_tracks import _at
from sonar_slt.data.clips import Clips
from sonar_slt.data.feature_store import FEATURES, shard_name
from sonar_slt.data.sampling import All, Every
from sonar_slt.data.store import StoreWriter
from sonar_slt.errors import UserError

pytestmark = pytest.mark.properties


def extracted(corpus: Any, track: str, *, rows_of: Any, name: str = "numbers", without: int | None = None) -> Path:
    """Features whose every row says which clip it is of and which row it is, without one clip where asked."""
    folder = corpus.prepared / FEATURES / f"{name}-00000000" / shard_name(1, 1)
    described = {"track": track, "name": name, "settings": {}, "media": corpus.rows.media_digest}
    with StoreWriter(folder, shape=(2,), dtype="float16", described=described) as store:
        for number, row in enumerate(corpus.rows):
            count = rows_of(row.frames)
            values = np.stack([np.full(count, number), np.arange(count)], axis=1).astype(np.float16)
            store.append(row.id, None if number == without else values, {})
        store.finish()
    return folder


@pytest.fixture
def config(sign_config: Any, tmp_path: Path) -> Any:
    return {**sign_config, "data": {**sign_config["data"], "folder": str(tmp_path)}}


def served(config: Any, space: Any, *reads: str, **options: Any) -> Clips:
    from sonar_slt.config.assembly import corpus_of

    settings = {"targets": ["deu_Latn"], "cache": config["batches"]["cache"], "size": 4}
    return Clips(corpus=corpus_of(config), space=space, reads=reads, **{**settings, **options})


@pytest.fixture
def corpus(config: Any) -> Any:
    from sonar_slt.config.assembly import corpus_of

    made = corpus_of(config)
    made.prepare()
    return made


def test_rows_of_all_tracks_are_of_the_same_clips_and_moments(config: Any, corpus: Any, space: Any) -> None:
    extracted(corpus, "spatial", rows_of=lambda frames: frames, name="frames")
    extracted(corpus, "motion", rows_of=lambda frames: max(1, (frames - 16) // 8 + 1), name="windows")
    data = served(config, space, "points", "spatial", "motion", sampling=Every(step=3))
    batch = data.batch(1)
    assert list(batch.tracks) == ["points", "spatial", "motion"] and data.track_count == 3
    numbers = {row.id: number for number, row in enumerate(corpus.rows)}
    for place, name in enumerate(batch.ids):
        spatial, motion = (batch.tracks[track] for track in ("spatial", "motion"))
        rows, frames = spatial.values[place][spatial.mask[place]], corpus.rows[numbers[name]].frames
        assert (rows[:, 0] == numbers[name]).all() and int(batch.tracks["points"].mask[place].sum()) == len(rows)
        assert (rows[1:, 1] - rows[:-1, 1] == 3).all()
        windows = motion.values[place][motion.mask[place]]
        assert (windows[:, 0] == numbers[name]).all()
        assert windows[:, 1].tolist() == list(range(max(1, (frames - 16) // 8 + 1)))
        assert not motion.values[place][~motion.mask[place]].any()
    moved = batch.to("cpu")
    assert moved.tracks["spatial"].values.dtype == torch.float32


@pytest.mark.parametrize(("of", "rows"), [(100, 100), (100, 99), (100, 12), (1, 1), (5, 1), (30, 60)])
def test_a_track_is_cut_where_the_clip_is(of: int, rows: int) -> None:
    whole = _at(np.arange(of), of, rows)
    assert (np.diff(whole) > 0).all() and whole[0] <= rows // of and whole[-1] >= rows - 1 - rows // of
    if rows <= of:
        assert whole.tolist() == list(range(rows))
    half = _at(np.arange(of // 2, of), of, rows)
    assert len(half) >= 1 and half[0] >= rows // 2 - 1


def test_workers_bring_every_track(config: Any, corpus: Any, space: Any) -> None:
    extracted(corpus, "spatial", rows_of=lambda frames: frames)
    alone, many = (served(config, space, "points", "spatial", workers=workers) for workers in (0, 2))
    for number, batch in zip(range(6), many.train_dataloader(), strict=False):
        expected = alone.batch(number)
        assert batch.ids == expected.ids
        for name, track in expected.tracks.items():
            assert torch.equal(batch.tracks[name].values, track.values), name
            assert torch.equal(batch.tracks[name].mask, track.mask), name


def test_clips_without_features_are_left_out_and_told(
    config: Any, corpus: Any, space: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    extracted(corpus, "spatial", rows_of=lambda frames: frames, without=3)
    data = served(config, space, "spatial", "motion")
    lost = corpus.rows[3].id
    assert data.left_out == [lost] and lost not in {row.id for rows in data.rows.values() for row in rows}
    assert f"1 clips have no features and are left out ({lost})" in capsys.readouterr().err
    assert any("Left out for lack of features: 1" in line for line in data.described(data.batch(0)))


def test_what_is_not_there_is_said(config: Any, corpus: Any, space: Any) -> None:
    with pytest.raises(UserError, match="no spatial or motion for the adapter to read: `sonar-slt extract` makes"):
        served(config, space, "spatial", "motion")
    with pytest.raises(UserError, match="reads 'spatail'; the tracks are points, pictures, spatial, motion"):
        served(config, space, "spatail")
    extracted(corpus, "spatial", rows_of=lambda frames: frames, name="one")
    extracted(corpus, "spatial", rows_of=lambda frames: frames, name="two")
    with pytest.raises(UserError, match=r"several spatial features, one-0+, two-0+: choose by batches.spatial=NAME"):
        served(config, space, "spatial")
    assert served(config, space, "spatial", spatial="two").sources["spatial"].names == "two-00000000"


def test_a_view_of_points_is_none_of_features(config: Any, corpus: Any, space: Any) -> None:
    from sonar_slt.data.view import OneHand, Shuffled

    extracted(corpus, "spatial", rows_of=lambda frames: frames)
    with pytest.raises(UserError, match="view=one_hand hides points, and the adapter reads pictures or features"):
        served(config, space, "spatial", view=OneHand()).batch(0)
    rows = served(config, space, "spatial", view=Shuffled(), sampling=All()).batch(0).tracks["spatial"].values
    assert sorted(rows[0, :, 1].tolist()) != rows[0, :, 1].tolist()


def test_mixed_corpora_have_features_each_of_its_own(config: Any, space: Any) -> None:
    one = {**config["data"], "_partial_": True}
    parts = {"one": one, "two": {**one, "train": 10, "seed": 5}}
    mixed = {**config, "data": {"_target_": "sonar_slt.data.corpora.mixed.Mixed", "parts": parts, "weights": None}}
    from sonar_slt.config.assembly import corpus_of

    made = corpus_of(mixed)
    made.prepare()
    extracted(made.parts["one"], "spatial", rows_of=lambda frames: frames)
    with pytest.raises(UserError, match="The corpus two has no spatial features, others of the mix have"):
        served(mixed, space, "spatial")
    extracted(made.parts["two"], "spatial", rows_of=lambda frames: frames)
    data = served(mixed, space, "spatial")
    rows = data.collate(data.rows["train"].numbers[-2:], Random(0)).tracks["spatial"]
    assert rows.values[0, 0, 0] == [row.id for row in made.parts["two"].rows].index(
        data.rows["train"][-2].id.removeprefix("two/")
    )


def test_an_adapter_decides_what_is_read(config: Any, corpus: Any, space: Any) -> None:
    extracted(corpus, "spatial", rows_of=lambda frames: frames)
    spamo = {**config, "adapter": {"_target_": "sonar_slt.adapter.SpamoAdapter", "_partial_": True}}
    assert list(batches_of(spamo, space).sources) == ["spatial"]
    assert list(batches_of(config, space).sources) == ["points"]
