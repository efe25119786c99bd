"""Finding the poses of a clip: odd ids, several formats, folders of splits, and ids that would lead elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonar_slt.data.pose import find, listed

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
@pytest.mark.parametrize("kind", [".pose", ".npz", ".npy", "json"])
def test_every_id_in_every_format(id, kind, split, tmp_path):
    place = tmp_path / split / id if kind == "json" else tmp_path / split / f"{id}{kind}"
    path = json_folder(place) if kind == "json" else touch(place)
    touch(tmp_path / split / "other.pose")
    assert find(tmp_path, id, "train") == path
    assert find(tmp_path, id, split) == path
    assert listed(tmp_path)[id] == [path]
    assert find(tmp_path, "absent", "train") is None


def test_the_first_format_and_the_outer_folder_are_preferred(tmp_path):
    inner = touch(tmp_path / "dev" / "c.pose")
    assert find(tmp_path, "c", "dev") == listed(tmp_path)["c"][0] == inner
    path = json_folder(tmp_path / "c")
    assert find(tmp_path, "c", "dev") == listed(tmp_path)["c"][0] == path
    for suffix in (".npy", ".npz", ".pose"):
        path = touch(tmp_path / f"c{suffix}")
        assert find(tmp_path, "c", "dev") == listed(tmp_path)["c"][0] == path


def test_a_dot_in_an_id_is_no_suffix(tmp_path):
    touch(tmp_path / "clip.npz")
    assert find(tmp_path, "clip.v1") is None
    touch(tmp_path / "clip.v1.npz")
    assert find(tmp_path, "clip.v1") == tmp_path / "clip.v1.npz"
    assert sorted(listed(tmp_path)) == ["clip", "clip.v1"]


@pytest.mark.parametrize("id", ["", ".", "..", "../secret", "a/../../secret", "/secret", "a\0b", "..\\secret"])
def test_no_id_leads_out_of_the_folder(id, tmp_path):
    touch(tmp_path / "secret.pose")
    touch(tmp_path / "poses" / "c.pose")
    assert find(tmp_path / "poses", id) is None


def test_a_folder_of_pictures_is_no_pose(tmp_path):
    touch(tmp_path / "c" / "images0001.png")
    assert find(tmp_path, "c") is None
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


@pytest.mark.properties
@settings(max_examples=60, deadline=None, derandomize=True)
@given(id=st.text(max_size=12))
def test_whatever_the_id_nothing_outside_is_found(id, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp() / "poses"
    touch(folder / "c.pose")
    touch(folder.parent / "secret.pose")
    assert find(folder, id, "train") in (None, folder / "c.pose")
