"""MediaPipe Holistic's skeletons, whole and as they are commonly cut: pose, face mesh, left and right hand.

The order is Holistic's own (pose, face, left hand, right hand). The face has 468 points, 478 with the irises.
"""

from __future__ import annotations

from collections.abc import Sequence

from sonar_slt.data.layout import Layout
from sonar_slt.data.layouts.anatomy import BODY_CHAINS, HANDS, Chain, both
from sonar_slt.data.layouts.drawn import draw
from sonar_slt.data.layouts.mesh import CONTOURS, MESH


def _pairs(*places: str) -> Chain:
    return tuple(f"{side}_{place}" for place in places for side in ("left", "right"))


POSE: Chain = (
    *("nose", "left_body_eye_inner", "left_eye", "left_body_eye_outer"),
    *("right_body_eye_inner", "right_eye", "right_body_eye_outer"),
    *_pairs("ear", "body_mouth", "shoulder", "elbow", "wrist", "body_little", "body_index", "body_thumb"),
    *_pairs("hip", "knee", "ankle", "heel", "foot_index"),
)
"""The 33 points of BlazePose. Its three points of a hand are coarser than the hand's own, so they have other names."""

WORLD = tuple("_".join([*side, "world", place]) for *side, place in (name.split("_", 1) for name in POSE))
"""The same points in metres around the hips."""

_CHAINS = (
    *BODY_CHAINS,
    ("right_body_mouth", "left_body_mouth"),
    *both(*(("right_wrist", f"right_body_{finger}") for finger in ("thumb", "index", "little"))),
    *both(("right_heel", "right_foot_index")),
)


def _holistic(
    name: str, pose: Sequence[str], face: Sequence[str], *, world: bool = False, face_from: str = "nasion"
) -> Layout:
    parts = {"body": pose, "face": face, "left_hand": HANDS["left"], "right_hand": HANDS["right"]}
    return draw(
        name,
        parts | ({"world": WORLD} if world else {}),
        channels="xyz",
        body=_CHAINS,
        face=CONTOURS,
        face_from=face_from,
    )


MEDIAPIPE_543 = _holistic("mediapipe_543", POSE, MESH[:468])
MEDIAPIPE_553 = _holistic("mediapipe_553", POSE, MESH)
MEDIAPIPE_576 = _holistic("mediapipe_576", POSE, MESH[:468], world=True)
MEDIAPIPE_586 = _holistic("mediapipe_586", POSE, MESH, world=True)
"""With the pose once more at the end, in metres: not a place in the picture, so nothing takes a point from it."""
MEDIAPIPE_75 = _holistic("mediapipe_75", POSE, ())
"""Pose and hands, no face."""

MEDIAPIPE_178 = _holistic(
    "mediapipe_178",
    _pairs("shoulder", "elbow", "wrist", "hip"),
    [name for name in MESH if any(name in chain for chain in CONTOURS)],
    face_from="forehead",
)
"""What pose-format's reduce_holistic leaves: no head, no legs, and of the face the 128 points of its contours."""

_YOUTUBE_FACE = (
    *(0, 4, 13, 14, 17, 33, 37, 39, 46, 52, 55, 61, 64, 81, 82, 93, 133, 151, 152, 159, 172, 178, 181),
    *(263, 269, 276, 282, 285, 291, 294, 311, 323, 362, 386, 397, 468, 473),
)
YOUTUBE_ASL_85 = _holistic(
    "youtube_asl_85", _pairs("shoulder", "elbow", "hip"), [MESH[point] for point in _YOUTUBE_FACE], face_from="nose_tip"
)
"""The landmarks that the YouTube-ASL paper chose (arXiv 2306.15162).

The paper gives no order; this is Holistic's, which the public extraction scripts for that corpus write, too. Some of
the points have no counterpart among the 85.
"""
