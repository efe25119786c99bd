"""The other end of a worker: frames go out, skeletons come back, and a death on the way is told, not waited for."""

from __future__ import annotations

import os
import select
import signal
import struct
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import IO, NoReturn

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.layouts import MEDIAPIPE_543
from sonar_slt.data.unreadable import Unreadable
from sonar_slt.errors import UserError

SHAPE = (MEDIAPIPE_543.points, 3)
SIZE = 4 * MEDIAPIPE_543.points * 3
AHEAD = 1
"""Frames that wait for an answer while the next is read: the worker need not wait for it."""
SILENT = {"GLOG_minloglevel": "2", "TF_CPP_MIN_LOG_LEVEL": "3"}
FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP)


class Holistic:
    """One process that finds skeletons, a clip at a time; for one thread, and a `with`.

    The process is started with the first clip. It may take `patience` seconds over anything before it is given up.
    """

    def __init__(self, command: Sequence[str], *, patience: float = 300.0) -> None:
        self.command, self.patience = list(command), patience
        self._process: subprocess.Popen[bytes] | None = None
        self._told: IO[bytes] | None = None  # what it writes to stderr
        self._answers = bytearray()
        self._clip = ""

    def __enter__(self) -> Holistic:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def skeleton(self, frames: Iterable[NDArray[np.uint8]], *, clip: str = "") -> Iterator[NDArray[np.float32]]:
        """The points (543, 3) of each of a clip's frames (height, width, 3), one after the other.

        A frame that MediaPipe refuses, or dies of, makes the clip Unreadable, and another clip can follow. A process
        that is ended from outside, does not answer or does not even start is a UserError that names `clip`.
        """
        self._clip, asked, answered = clip, 0, 0
        self._start()
        try:
            self._send(b"B")
            for frame in frames:
                self._send(*_request(frame))
                asked += 1
                if asked - answered > AHEAD:
                    answered += 1
                    yield self._points(answered)
            while answered < asked:
                answered += 1
                yield self._points(answered)
        except KeyboardInterrupt:  # perhaps in the middle of a frame
            self._end(patience=0)
            raise
        finally:  # the clip may have been given up
            if self._process is not None:
                for _ in range(asked - answered):
                    self._answer()
                self._send(b"E")

    def close(self) -> None:
        """End the process; it finishes the frame that it is at."""
        self._end(patience=self.patience)

    # --- the process --------------------------------------------------------------------------------------------

    def _end(self, *, patience: float) -> None:
        if (process := self._process) is None:
            return
        self._process = None
        assert process.stdin and process.stdout and self._told
        process.stdin.close()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
        self._told.close()

    def _start(self) -> None:
        if self._process is not None:
            if self._process.poll() is None:
                return
            self._end(patience=0)  # it ended between two clips, which neither is to be blamed for
        self._answers.clear()
        self._told = tempfile.TemporaryFile()  # noqa: SIM115, for it lives as long as the process
        self._process = subprocess.Popen(
            self.command,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._told,
            env={**os.environ, **SILENT},
        )
        assert self._process.stdin
        os.set_blocking(self._process.stdin.fileno(), False)
        try:
            self._take(1)
        except Unreadable as error:
            raise UserError(f"MediaPipe does not start: {error}") from error

    def _send(self, *parts: bytes | memoryview) -> None:
        """Write all of it; answers that come meanwhile are kept, so that nobody waits for the other."""
        process = self._process
        assert process is not None and process.stdin is not None
        for part in parts:
            left = memoryview(part).cast("B")
            while len(left):
                if self._wait(sending=True):
                    try:
                        left = left[os.write(process.stdin.fileno(), left) :]
                    except BlockingIOError:
                        continue
                    except BrokenPipeError:
                        self._lost()

    def _points(self, number: int) -> NDArray[np.float32]:
        points = self._answer()
        if isinstance(points, str):
            raise Unreadable(f"MediaPipe refuses frame {number}: {points}.")
        return points

    def _answer(self) -> NDArray[np.float32] | str:
        """The points of a frame, or why there are none."""
        if self._take(1) == b"P":
            return np.frombuffer(self._take(SIZE), "<f4").reshape(SHAPE).astype(np.float32)
        (length,) = struct.unpack("<I", self._take(4))
        return self._take(length).decode(errors="replace")

    def _take(self, size: int) -> bytes:
        while len(self._answers) < size:
            self._wait(sending=False)
        taken = bytes(self._answers[:size])
        del self._answers[:size]
        return taken

    def _wait(self, *, sending: bool) -> bool:
        """Until it has answered something, which is kept, or, where that is asked, can be written to: then True."""
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        asked = select.poll()
        asked.register(process.stdout, select.POLLIN)
        if sending:
            asked.register(process.stdin, select.POLLOUT)
        ready = dict(asked.poll(self.patience * 1000))
        if not ready:
            process.kill()
            self._lost(stalled=True)
        if process.stdout.fileno() in ready:
            if not (some := os.read(process.stdout.fileno(), 1 << 16)):
                self._lost()
            self._answers += some
        return process.stdin.fileno() in ready

    def _lost(self, *, stalled: bool = False) -> NoReturn:
        """Raise what the end of the process means; the next clip gets another one."""
        process, told = self._process, self._told
        assert process is not None and told is not None
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:  # it has closed its end, and lives
            process.kill()
        code = process.wait()
        told.seek(0)
        lines = told.read().decode(errors="replace").split("\n")
        self.close()
        if stalled:
            raise UserError(f"{self._where()}MediaPipe did not answer for {self.patience:g} seconds.")
        if -code in FROM_OUTSIDE:
            raise UserError(
                f"{self._where()}the process of MediaPipe was ended from outside ({signal.Signals(-code).name}), "
                "perhaps for lack of memory: repeat the command, which goes on where it was, with fewer processes."
            )
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        raise Unreadable(f"the process of MediaPipe ended with {how}{f': {last}' if last else ''}.")

    def _where(self) -> str:
        return f"Clip {self._clip}: " if self._clip else ""


def _request(frame: NDArray[np.uint8]) -> tuple[bytes, memoryview]:
    if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8 or not frame.size:
        raise ValueError(f"{frame.shape} {frame.dtype} is no frame of (height, width, 3) bytes")
    return b"F" + struct.pack("<II", *frame.shape[:2]), np.ascontiguousarray(frame).data
