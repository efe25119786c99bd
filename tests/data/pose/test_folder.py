"""Finding the poses of all clips: odd ids, several formats, folders of splits."""

from __future__ import annotations

from pathlib import Path

import pytest

from sonar_slt.data.pose import listed

IDS = ["-a.b", "_5CV2fIG7qY_3-3-rgb_front", "clip.v1", "clip", "S000020_P0000_T00", "ü 1", "x.pose"]


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def json_folder(path: Path) -> Path:
    touch(path / f"{path.name}_000000000000_keypoints.json")
    return path


@pytest.mark.parametrize("split", ["", "train"])
@pytest.mark.parametrize("id", IDS)
@pytest.mark.parametrize("kind", [".pose", ".npz", ".npy", ".NPY", "json"])
def test_every_id_in_every_format(id, kind, split, tmp_path):
    place = tmp_path / split / id if kind == "json" else tmp_path / split / f"{id}{kind}"
    path = json_folder(place) if kind == "json" else touch(place)
    touch(tmp_path / split / "other.pose")
    assert listed(tmp_path) == {id: [path], "other": [tmp_path / split / "other.pose"]}


def test_the_first_format_and_the_outer_folder_are_preferred(tmp_path):
    assert listed(tmp_path) == {}
    inner, path = touch(tmp_path / "dev" / "c.pose"), json_folder(tmp_path / "c")
    assert listed(tmp_path)["c"] == [path, inner]
    for suffix in (".npy", ".npz", ".pose"):
        path = touch(tmp_path / f"c{suffix}")
        assert listed(tmp_path)["c"] == [path, inner]


def test_a_dot_in_an_id_is_no_suffix(tmp_path):
    touch(tmp_path / "clip.npz")
    touch(tmp_path / "clip.v1.npz")
    assert sorted(listed(tmp_path)) == ["clip", "clip.v1"]


def test_a_folder_of_pictures_is_no_pose(tmp_path):
    touch(tmp_path / "c" / "images0001.png")
    assert listed(tmp_path) == {}


def test_what_is_hidden_is_not_listed(tmp_path):
    for name in (".DS_Store", "._c.pose", ".pose", "notes.txt"):
        touch(tmp_path / name)
    (tmp_path / "d.pose").mkdir()
    assert listed(tmp_path) == {}


def test_the_list_is_sorted_and_has_the_clips_of_every_split(tmp_path):
    for path in ("train/b.pose", "dev/b.pose", "train/a.pose", "c.npy"):
        touch(tmp_path / path)
    assert list(listed(tmp_path)) == ["a", "b", "c"]
    assert listed(tmp_path)["b"] == [tmp_path / "dev" / "b.pose", tmp_path / "train" / "b.pose"]
