"""The worker as it is, with a graph that finds made-up points instead of MediaPipe's; a pixel tells it what to do.

python fake_worker.py WORKER PARENT DETECTION TRACKING
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from types import SimpleNamespace
from typing import Any

DIE, EXIT, HANG, REFUSE, NOBODY, PRINT, FAR = range(200, 207)


class Graph:
    """The first point is the first pixel and the number of the frame in its clip."""

    def __init__(self) -> None:
        self.frames = 0

    def process(self, frame: Any) -> Any:
        asked, number = int(frame[0, 0, 0]), self.frames
        self.frames += 1
        self.obey(asked)
        body = [
            SimpleNamespace(x=asked / frame.shape[1], y=number / frame.shape[0], visibility=0.5 + 0.5 * (place == 1))
            for place in range(33)
        ]
        if asked == FAR:
            body[2].x, body[3].y, body[4].visibility, body[5].visibility = float("nan"), 1e9, 0.0, 1.5
        hand = SimpleNamespace(landmark=[SimpleNamespace(x=0.5, y=1.25, visibility=0.0)] * 21)
        return SimpleNamespace(
            pose_landmarks=None if asked == NOBODY else SimpleNamespace(landmark=body),
            face_landmarks=None,
            left_hand_landmarks=None,
            right_hand_landmarks=None if asked == NOBODY else hand,
        )

    def obey(self, asked: int) -> None:
        if asked == DIE:
            os.abort()
        if asked == EXIT:
            sys.stderr.write("the last words\n\n")
            os._exit(3)
        if asked == HANG:
            time.sleep(60)
        if asked == REFUSE:
            raise RuntimeError("too square")
        if asked == PRINT:
            print("noise" * 10_000, flush=True)

    def close(self) -> None:
        self.frames = -1000


def start(path: str, *arguments: str) -> None:
    spec = importlib.util.spec_from_file_location("worker", path)
    assert spec and spec.loader
    worker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(worker)
    worker.holistic = lambda detection, tracking: Graph()
    worker.main(arguments)


if __name__ == "__main__":
    start(*sys.argv[1:])
