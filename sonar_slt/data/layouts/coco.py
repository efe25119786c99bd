"""COCO-WholeBody's skeleton, which MMPose, RTMPose, DWPose and AlphaPose write: body and feet, face, two hands.

Order from the data set's own description of its 133 keypoints.
"""

from __future__ import annotations

from sonar_slt.data.layouts.anatomy import FACE_68, HANDS
from sonar_slt.data.layouts.drawn import draw

COCO_133 = draw(
    "coco_133",
    {
        "body": (
            *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder"),
            *("left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip"),
            *("left_knee", "right_knee", "left_ankle", "right_ankle"),
            *("left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel"),
        ),
        "face": FACE_68,
        "left_hand": HANDS["left"],
        "right_hand": HANDS["right"],
    },
    channels="xyc",
)
"""17 points of the body and 6 of the feet, 68 of the face, 21 of either hand."""
