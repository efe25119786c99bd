"""Skeletons by MediaPipe Holistic, frame after frame: a program that runs in the environment of MediaPipe.

    python worker.py PARENT DETECTION TRACKING

It ends with its input, or with PARENT, the process that started it. All numbers are little-endian.

==========  ==========================================================================================================
it reads    B, a clip begins; F, height and width (uint32) and the frame's height x width x 3 bytes RGB; E, it has ended
it answers  R once at the start; then for every F either P and 543 x 3 float32, or X, a length (uint32) and a sentence
==========  ==========================================================================================================

The points are 33 of the body, 468 of the face, 21 of the left and 21 of the right hand: x, y in pixels, confidence. Of
the body that is its visibility, of a face or hand that was found 1; 0, 0, 0 is a point that was not found.
"""

from __future__ import annotations

import importlib
import os
import signal
import struct
import sys
import threading
import time
import types
from collections.abc import Iterable
from typing import Any, BinaryIO

import numpy as np

PARTS = (("pose", 33), ("face", 468), ("left_hand", 21), ("right_hand", 21))
POINTS = sum(count for _, count in PARTS)
FARTHEST = 1e5  # pixels; no picture is so large
UNUSED = ("cv2", "matplotlib", "matplotlib.pyplot", "sounddevice")
"""MediaPipe imports them to draw and to listen, which is not done here; they would be two thirds of its environment."""


class Absent(types.ModuleType):
    """Stands for a module that is imported and never used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent(name)


def holistic(detection: float, tracking: float) -> Any:
    """A fresh graph: what it tells of a clip does not depend on the clips before."""
    for name in UNUSED:
        sys.modules.setdefault(name, Absent(name))
    module = importlib.import_module("mediapipe.python.solutions.holistic")
    return module.Holistic(min_detection_confidence=detection, min_tracking_confidence=tracking)


def skeleton(graph: Any, frame: Any) -> Any:
    """The points of a frame, (543, 3)."""
    found, points, start = graph.process(frame), np.zeros((POINTS, 3), np.float64), 0
    for part, count in PARTS:
        if landmarks := getattr(found, f"{part}_landmarks"):
            points[start : start + count] = [
                (point.x, point.y, point.visibility if part == "pose" else 1.0) for point in landmarks.landmark
            ]
        start += count
    points[:, :2] *= frame.shape[1], frame.shape[0]
    points[:, 2] = np.minimum(points[:, 2], 1)
    points = points.astype("<f4")
    points[~((np.abs(points) <= FARTHEST).all(axis=1) & (points[:, 2] > 0))] = 0  # a NaN is no place either
    return points


def serve(requests: BinaryIO, answers: BinaryIO, detection: float, tracking: float) -> None:
    """Answer until there is nothing more to read."""

    def tell(*parts: bytes) -> None:
        answers.write(b"".join(parts))
        answers.flush()

    graph = holistic(detection, tracking)
    skeleton(graph, np.zeros((64, 64, 3), np.uint8))  # a machine on which nothing works is known before the first clip
    tell(b"R")
    while asked := requests.read(1):
        if asked != b"F":
            if graph is not None:
                graph.close()
            graph = holistic(detection, tracking) if asked == b"B" else None
            continue
        height, width = struct.unpack("<II", requests.read(8))
        frame = np.frombuffer(requests.read(height * width * 3), np.uint8).reshape(height, width, 3)
        try:
            points = skeleton(graph, frame)
        except (RuntimeError, ValueError) as error:
            sentence = f"{type(error).__name__}: {error}".encode()
            tell(b"X", struct.pack("<I", len(sentence)), sentence)
        else:
            tell(b"P", points.tobytes())


def leave_with(parent: int) -> None:
    """End when the parent has: somebody else may hold the other end of the input, which then never ends."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def main(arguments: Iterable[str]) -> None:
    """What is printed on the way goes to stderr, for stdout is the answers'."""
    parent, detection, tracking = arguments
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    threading.Thread(target=leave_with, args=(int(parent),), daemon=True).start()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers, float(detection), float(tracking))


if __name__ == "__main__":
    main(sys.argv[1:])
