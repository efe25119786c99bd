"""Folders of clips: each listed once, looked up by name, never left."""

from __future__ import annotations

from pathlib import Path

import pytest

from sonar_slt.data.labels.places import Places, within
from sonar_slt.errors import UserError


def files(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


def test_videos_are_found_however_deep_and_by_split(tmp_path: Path) -> None:
    files(tmp_path, "train/raw/-a_1.mp4", "dev/raw/-a_1.mp4", "b.2.webm", "notes.txt", "train/raw/._b.mp4")
    places = Places(videos=tmp_path)
    assert [media and media.path for media in (places.pictures("-a_1", "dev"), places.pictures("-a_1", "train"))] == [
        tmp_path / "dev/raw/-a_1.mp4",
        tmp_path / "train/raw/-a_1.mp4",
    ]
    found = places.pictures("b.2")
    assert found and found.kind == "video" and found.path.name == "b.2.webm"
    assert places.pictures("b") is None and places.pictures("") is None
    assert not list(places.unlabelled())


def test_folders_of_pictures_lie_flat_or_by_split(tmp_path: Path) -> None:
    for name in ("train/a", "test/b", "c.d", ".hidden"):
        (tmp_path / name / "0001").mkdir(parents=True)
    places = Places(frames=tmp_path)
    assert all(places.pictures(name) for name in ("a", "b", "c.d"))
    assert not any(places.pictures(name) for name in ("0001", ".hidden", "train", "../a", ".."))
    assert not list(places.unlabelled())


@pytest.mark.parametrize("name", ["inside", "outside"])
def test_a_folder_is_meant_in_the_release_or_by_its_full_path(tmp_path: Path, name: str) -> None:
    root = tmp_path / "root"
    (root / "inside").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    given = name if name == "inside" else str(tmp_path / name)
    assert within(root, given, "poses") == (root / name if name == "inside" else tmp_path / name)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    files(tmp_path, "file")
    with pytest.raises(UserError, match=r"data\.poses=file: it is a file"):
        within(tmp_path, "file", "poses")
    with pytest.raises(UserError, match=r"data\.poses=nowhere: it is not there"):
        within(tmp_path, "nowhere", "poses")
    assert within(tmp_path, None, "poses") is None


def test_poses_are_chosen_by_split_and_the_others_are_told(tmp_path: Path) -> None:
    files(tmp_path, "train/0001.npy", "val/0001.npy", "test/0001.npy", "0002.pose", "mine/0003.npz")
    places = Places(poses=tmp_path)
    for split, folder in (("train", "train"), ("dev", "val"), ("valid", "val")):
        found = places.pose("0001", split)
        assert found and found.path == tmp_path / folder / "0001.npy"
    assert all(places.pose(id, "dev") for id in ("0002", "0003"))
    assert [(fault.id, fault.kind) for fault in places.unlabelled()] == [("0001", "unlabelled_clip")]
    assert "'test/0001.npy'" in next(places.unlabelled()).told
    by_path = places.pose("test/0001.npy", "dev")
    assert by_path and by_path.path == tmp_path / "test" / "0001.npy"
    assert not list(places.unlabelled())


@pytest.mark.parametrize("kind", ["videos", "poses"])
def test_a_clip_of_another_split_is_never_taken(tmp_path: Path, kind: str) -> None:
    root = tmp_path / "dev" / "release"  # what the folders above are called says nothing
    files(root, "train/0001.mp4", "train/0001.npy")
    places = Places(**{kind: root})
    look = places.pictures if kind == "videos" else places.pose
    assert look("0001", "train") and not look("0001", "dev") and not look("0001", "Train")
