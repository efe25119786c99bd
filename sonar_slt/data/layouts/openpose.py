"""OpenPose's skeletons: a body, 70 points of the face, and two hands.

The 137 points are those of its json files, the 135 those of its single network. Indices from its documentation
(02_output) and, for 135, from pose-format's openpose_135.
"""

from __future__ import annotations

from sonar_slt.data.layouts.anatomy import FACE_68, HANDS, NECK_CHAINS
from sonar_slt.data.layouts.drawn import draw

_FACE = (*FACE_68, "right_pupil", "left_pupil")

OPENPOSE_137 = draw(
    "openpose_137",
    {
        "body": (
            *("nose", "neck", "right_shoulder", "right_elbow", "right_wrist"),
            *("left_shoulder", "left_elbow", "left_wrist", "mid_hip", "right_hip", "right_knee", "right_ankle"),
            *("left_hip", "left_knee", "left_ankle", "right_eye", "left_eye", "right_ear", "left_ear"),
            *("left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel"),
        ),
        "face": _FACE,
        "left_hand": HANDS["left"],
        "right_hand": HANDS["right"],
    },
    channels="xyc",
    body=NECK_CHAINS,
)
"""BODY_25, 70 face points, left and right hand, in the order of the json files."""

BODY = OPENPOSE_137.parts["body"]
FACE = OPENPOSE_137.parts["face"]
LEFT_HAND = OPENPOSE_137.parts["left_hand"]
RIGHT_HAND = OPENPOSE_137.parts["right_hand"]

OPENPOSE_135 = draw(
    "openpose_135",
    {
        "body": (
            *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder"),
            *("left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip"),
            *("left_knee", "right_knee", "left_ankle", "right_ankle", "upper_neck", "head_top"),
            *("left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel"),
        ),
        "left_hand": HANDS["left"][1:],
        "right_hand": HANDS["right"][1:],
        "face": _FACE,
    },
    channels="xyc",
)
"""BODY_135: the hands have no wrist of their own and begin at the body's."""
