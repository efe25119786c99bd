"""Real files of other projects, where they are at hand: what their README says of them is what is read."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from sonar_slt.data.layouts import MEDIAPIPE_178, MEDIAPIPE_553, OPENPOSE_137
from sonar_slt.data.pose import PoseReader, listed
from sonar_slt.data.release import Media, Span

SAMPLES = Path(os.environ.get("SONAR_SLT_SAMPLES", "absent"))
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="SONAR_SLT_SAMPLES names no folder of samples")


@pytest.mark.parametrize(
    ("name", "layout", "frames", "size", "missing", "first"),
    [
        ("js_example", OPENPOSE_137, 66, (1000, 1000), 2816, (757.1077, 293.5477, 0.875561)),
        ("mediapipe", MEDIAPIPE_178, 170, (1250, 1250), 4095, (879.7185, 651.0957, 0.997815)),
        ("multimodalhugs_sample_01", MEDIAPIPE_553, 22, (734, 590), 0, (356.2528, 129.8507, 0.998948)),
    ],
)
def test_pose_files(name, layout, frames, size, missing, first):
    (path,) = listed(SAMPLES / "pose")[name]
    recording = PoseReader().read(Media("pose", path))
    assert recording.layout is layout
    assert (len(recording), recording.fps, recording.size) == (frames, 24.0, size)
    assert (recording.points[..., 2] == 0).sum() == missing
    np.testing.assert_allclose(recording.points[0, 0], first, rtol=1e-5)
    part = PoseReader().read(Media("pose", path, Span(0.25, 0.75)))
    np.testing.assert_array_equal(part.points, recording.points[6:18])


def test_openpose_json():
    (path,) = listed(SAMPLES / "openpose_json")["psl_good"]
    recording = PoseReader().read(Media("pose", path))
    assert recording.layout is OPENPOSE_137
    assert len(recording) == 13
    assert [(fault.kind, fault.done) for fault in recording.faults] == [("missing_frame", "kept")]
    assert "frame 10;" in recording.faults[0].told
    parts = OPENPOSE_137.parts
    assert not recording.points[:, parts["face"]].any()
    there = np.delete(recording.points, 9, axis=0)
    assert (there[:, parts["body"], 2] == 0).sum() == 96
    np.testing.assert_allclose(there[0, 0], (711.072, 172.976, 0.865881), rtol=1e-5)
    np.testing.assert_allclose(there[0, parts["right_hand"]][0], (645.08, 489.878, 0.56507), rtol=1e-5)
