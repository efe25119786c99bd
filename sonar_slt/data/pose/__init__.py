"""Pose inputs: .pose files, OpenPose's json folders and plain arrays, each to one recording of one signer.

A file that cannot be read raises `Unreadable`; what is wrong inside it is a fault of the recording.
"""

from sonar_slt.data.pose.folder import listed
from sonar_slt.data.pose.reader import PoseReader

__all__ = ["PoseReader", "listed"]
