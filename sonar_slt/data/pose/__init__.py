"""Pose inputs: .pose files, OpenPose's json folders and plain arrays, each to one recording of one signer."""

from sonar_slt.data.pose.folder import listed
from sonar_slt.data.pose.reader import PoseReader

__all__ = ["PoseReader", "listed"]
