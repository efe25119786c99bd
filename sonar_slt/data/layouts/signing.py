"""The one layout that models train on, so that corpora of different toolkits train together.

It holds what signing is read from and what every toolkit finds: 11 points of the body, 49 of the face, both hands.
"""

from __future__ import annotations

from sonar_slt.data.layouts.anatomy import BROWS, HANDS, INNER_LIPS, LEFT_EYE, OUTER_LIPS, RIGHT_EYE, across
from sonar_slt.data.layouts.drawn import draw

SIGNING = draw(
    "signing",
    {
        "body": (
            *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder"),
            *("left_elbow", "right_elbow", "left_wrist", "right_wrist"),
        ),
        "face": (
            *across(("right_jaw_3", "right_jaw_6"), ["chin"]),
            *BROWS,
            *("nasion", "nose_tip"),
            *RIGHT_EYE,
            *LEFT_EYE,
            *OUTER_LIPS,
            *INNER_LIPS,
        ),
        "left_hand": HANDS["left"],
        "right_hand": HANDS["right"],
    },
    channels="xyc",
)
"""COCO's body down to the wrists, and the face that the scheme of 68 and MediaPipe's mesh share.

No hips: signers hardly move them, many pictures end above them, and there MediaPipe guesses where OpenPose is silent,
so that a model would learn the toolkit. The face is seen from the root of the nose, which no expression moves and which
the corners of the eyes give where a toolkit lacks it (pose-format's 178 points have no nose at all).
"""
