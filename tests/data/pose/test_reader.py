"""The reader's options, and what is no pose file at all."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import yaml

from sonar_slt.data.pose import PoseReader
from sonar_slt.data.release import Media
from sonar_slt.data.unreadable import Unreadable
from sonar_slt.errors import UserError

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"layout": "mediapipe"}, "mediapipe_543"),
        ({"channels": "xyw"}, "pose.channels=xyw; there are xy, xyc, xyz, xyzc"),
        ({"missing": ["nan", "minus one"]}, "'minus one'; there are nan, zero, minus_one"),
        ({"size": [1280]}, r"pose.size is \[1280\]"),
        ({"size": [1280, 0]}, r"pose.size is \[1280, 0\]"),
        ({"fps": 0}, "pose.fps is 0"),
        ({"fps": float("nan")}, "pose.fps is nan"),
        ({"person": "tallest"}, "confident, central, first"),
    ],
)
def test_a_wrong_option_is_told_with_the_right_ones(options, told):
    with pytest.raises(UserError, match=told):
        PoseReader(**options)


def test_the_yaml_is_the_default():
    told = yaml.safe_load((ROOT / "conf" / "pose" / "auto.yaml").read_text(encoding="utf-8"))
    assert told.pop("_target_") == "sonar_slt.data.pose.PoseReader"
    assert PoseReader(**told).described() == PoseReader().described()


def test_what_decides_is_described_in_plain_values():
    reader = PoseReader(layout="coco_133", channels="xyc", missing=["zero"], size=(9, 8), fps=25.0, person="first")
    assert reader.described() == {
        "layout": "coco_133",
        "channels": "xyc",
        "missing": ["zero"],
        "size": [9, 8],
        "fps": 25.0,
        "person": "first",
    }
    assert PoseReader(missing=["nan", "zero"]).described() == PoseReader(missing=["zero", "nan"]).described()


@pytest.mark.parametrize(
    "name", ["absent.pose", "absent.npz", "absent.npy", "absent", "clip.txt", "folder", "folder.pose"]
)
def test_what_is_no_pose_file_is_named(name, tmp_path):
    (tmp_path / "clip.txt").write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.pose").mkdir()
    with pytest.raises(Unreadable, match=f"'{name}'"):
        PoseReader().read(Media("pose", tmp_path / name))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path):
    (tmp_path / "clip.npy").write_bytes(b"")
    (tmp_path / "clip.npy").chmod(0)
    with pytest.raises(Unreadable, match=r"'clip\.npy' cannot be read"):
        PoseReader().read(Media("pose", tmp_path / "clip.npy"))


def test_the_suffix_may_be_in_capitals(tmp_path):
    np.save(tmp_path / "clip.npy", np.ones((2, 75, 2)))
    (tmp_path / "clip.npy").rename(tmp_path / "clip.NPY")
    assert len(PoseReader().read(Media("pose", tmp_path / "clip.NPY"))) == 2
